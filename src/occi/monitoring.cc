#include "occi/monitoring.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "occi/shape.h"

namespace atalaya::occi {
namespace {

constexpr std::string_view kTimebase = "occi.sensor.timebase";
constexpr std::string_view kTimestart = "occi.sensor.timestart";
constexpr std::string_view kTimestop = "occi.sensor.timestop";
constexpr std::string_view kWindow = "atalaya.sensor.window";
constexpr std::string_view kIgnored = "ignored";

std::unexpected<Error> wrong(std::string message, std::string remedy = {}) {
  return fail(ErrorCode::kInvalidArgument, std::move(message), std::move(remedy));
}

std::optional<std::int64_t> whole(const Entity& entity, std::string_view name) {
  const auto at = entity.attributes.find(name);
  if (at == entity.attributes.end()) return std::nullopt;
  const auto* value = std::get_if<std::int64_t>(&at->second);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

/// Far more than anybody asks for, and far from where times end.
constexpr std::int64_t kMostSeconds = 100'000'000'000;

Time instant(std::int64_t base, std::int64_t offset) {
  const auto seconds = std::clamp(base, -kMostSeconds, kMostSeconds) + std::clamp(offset, -kMostSeconds, kMostSeconds);
  return from_ms(seconds * 1000);
}

Window written_window(const Entity& sensor) {
  const auto base = whole(sensor, kTimebase);
  const auto start = whole(sensor, kTimestart);
  const auto stop = whole(sensor, kTimestop);
  Window out;
  if (base && start) out.begin = instant(*base, *start);
  if (base && stop) out.end = instant(*base, *stop);
  return out;
}

bool same_window(const Entity& a, const Entity& b) {
  return whole(a, kTimebase) == whole(b, kTimebase) && whole(a, kTimestart) == whole(b, kTimestart) &&
         whole(a, kTimestop) == whole(b, kTimestop);
}

/// The streams that an attribute lists.
std::vector<std::string> listed(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto comma = text.find(',');
    auto one = text.substr(0, comma);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (!one.empty()) out.emplace_back(one);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  return out;
}

/// What the entity has of the family: mixins that the program brings, also those that a user's mixin builds on, and
/// users' mixins that are metrics themselves.
void add_parts(const Model& model, const std::string& id, std::string_view family, std::vector<const Category*>& out) {
  const auto* mixin = model.mixin(id);
  if (mixin == nullptr || mixin->id() == family || !model.builds_on(id, family)) return;
  if (mixin->item.empty() || mixin->measure) {
    if (std::find(out.begin(), out.end(), mixin) == out.end()) out.push_back(mixin);
    return;
  }
  for (const auto& base : mixin->depends) add_parts(model, base, family, out);
}

std::vector<const Category*> parts_of(const Model& model, const Entity& entity, std::string_view family) {
  std::vector<const Category*> out;
  for (const auto& id : entity.mixins) add_parts(model, id, family, out);
  return out;
}

sense::Part part_of(const Model& model, const Category& mixin, const Entity& entity) {
  sense::Part out;
  out.mixin = mixin.term;
  for (const auto* attribute : model.attributes_of(mixin)) {
    const auto at = entity.attributes.find(attribute->name);
    if (at != entity.attributes.end())
      out.attributes.emplace(std::string(sense::short_name(attribute->name)), at->second);
  }
  return out;
}

}  // namespace

std::set<std::string> streams_read(const sense::PipeSpec& pipe) {
  std::set<std::string> out;
  for (const auto* parts : {&pipe.aggregators, &pipe.publishers}) {
    for (const auto& part : *parts) {
      for (const auto& [name, value] : part.attributes) {
        const auto last = sense::short_name(name);
        if (last != "instream" && last != "input" && last != "in_msg") continue;
        if (const auto* text = std::get_if<std::string>(&value)) {
          for (auto& stream : listed(*text)) out.insert(std::move(stream));
        }
      }
    }
  }
  return out;
}

std::int64_t period_of(const Entity& collector, const Entity* sensor) {
  constexpr std::int64_t kDefault = 10;
  if (const auto own = whole(collector, "occi.collector.period")) return *own;
  return sensor == nullptr ? kDefault : whole(*sensor, "occi.sensor.period").value_or(kDefault);
}

double rate_of(const Model& model, const Entity& collector, const FindEntity& find) {
  const auto period = std::max<std::int64_t>(1, period_of(collector, ends_of(model, collector, find).sensor));
  return static_cast<double>(metrics_of(model, collector).size()) / static_cast<double>(period);
}

Window window_of(const Entity& sensor) { return sensor.text(kWindow) == kIgnored ? Window{} : written_window(sensor); }

Status check_sensor(Entity& sensor, const Entity* before, Time now, std::vector<std::string>& warnings) {
  const bool relative = sensor.attributes.contains(kTimestart) || sensor.attributes.contains(kTimestop);
  if (relative && !sensor.attributes.contains(kTimebase))
    sensor.attributes.emplace(std::string(kTimebase), to_ms(now) / 1000);
  const auto window = written_window(sensor);
  if (window.end <= window.begin) {
    return wrong(fmt::format("attribute {}: {} is not after {}, {}", kTimestop, *whole(sensor, kTimestop), kTimestart,
                             *whole(sensor, kTimestart)));
  }
  if (before != nullptr && same_window(sensor, *before)) return {};
  sensor.attributes.erase(std::string(kWindow));
  // Who shortens the time of what runs means it.
  if (before != nullptr || window.end > now) return {};
  sensor.attributes.emplace(std::string(kWindow), std::string(kIgnored));
  warnings.push_back(fmt::format("{} was over at {}: timestart and timestop are kept and ignored, it runs at once",
                                 kTimestop, format_rfc3339(window.end)));
  return {};
}

std::vector<MetricOfCollector> metrics_of(const Model& model, const Entity& collector) {
  std::vector<MetricOfCollector> out;
  for (const auto* mixin : parts_of(model, collector, kMetric)) {
    if (mixin->measure == nullptr) continue;
    for (const auto* attribute : model.attributes_of(*mixin)) {
      if (sense::short_name(attribute->name) == "out") out.push_back({mixin, collector.text(attribute->name)});
    }
  }
  return out;
}

Ends ends_of(const Model& model, const Entity& collector, const FindEntity& find) {
  Ends out;
  for (const auto name : {kSource, kTarget}) {
    const auto* end = find(collector.text(name));
    if (end == nullptr) continue;
    (model.is_a(end->kind, kSensor) ? out.sensor : out.resource) = end;
  }
  return out;
}

sense::PipeSpec pipe_of(const Model& model, const Entity& sensor, const std::vector<const Entity*>& collectors) {
  sense::PipeSpec out;
  out.more_sources = true;
  if (const auto period = whole(sensor, "occi.sensor.period")) out.period = Duration{*period * 1000};
  for (const auto* mixin : parts_of(model, sensor, kAggregator))
    out.aggregators.push_back(part_of(model, *mixin, sensor));
  for (const auto* mixin : parts_of(model, sensor, kPublisher))
    out.publishers.push_back(part_of(model, *mixin, sensor));
  for (const auto* collector : collectors) {
    for (const auto& metric : metrics_of(model, *collector))
      out.sources.push_back({metric.stream, fmt::format("{} of collector {}", metric.mixin->term, collector->id)});
  }
  return out;
}

namespace {

/// The world as it will be.
class After {
 public:
  After(const World& world, const Change& change) : world_(world), change_(change) {
    for (const auto& entity : change.put) put_.emplace(entity.id, &entity);
  }

  const Entity* find(std::string_view id) const {
    if (const auto at = put_.find(id); at != put_.end()) return at->second;
    const bool gone = std::find(change_.removed.begin(), change_.removed.end(), id) != change_.removed.end();
    return gone ? nullptr : world_.find(id);
  }
  bool is_new(std::string_view id) const { return put_.contains(id) && world_.find(id) == nullptr; }

  std::vector<const Entity*> collectors_of(const Entity& sensor) const {
    std::map<std::string_view, const Entity*> out;
    const auto take = [&](const Entity* link) {
      if (link != nullptr && model().is_a(link->kind, kCollector) && ends(*link).sensor == &sensor)
        out.emplace(link->id, link);
    };
    for (const auto* link : world_.links_of(sensor.id)) take(find(link->id));
    for (const auto& entity : change_.put) take(find(entity.id));
    std::vector<const Entity*> list;
    for (const auto& [id, link] : out) list.push_back(link);
    return list;
  }

  Ends ends(const Entity& collector) const {
    return ends_of(model(), collector, [this](std::string_view id) { return find(id); });
  }
  const Model& model() const { return world_.model(); }

 private:
  const World& world_;
  const Change& change_;
  std::map<std::string_view, const Entity*, std::less<>> put_;
};

Status check_collector(const After& after, const Entity& collector, std::vector<std::string>& warnings) {
  const auto ends = after.ends(collector);
  if (ends.sensor == nullptr || ends.resource == nullptr) {
    return wrong(fmt::format("a collector joins a sensor and another resource; {} joins {} and {}", collector.id,
                             collector.text(kSource), collector.text(kTarget)),
                 "one of source and target is the sensor, the other what is measured");
  }
  if (metrics_of(after.model(), collector).empty())
    warnings.push_back(fmt::format("the collector {} has no metric mixin: it measures nothing", collector.id));
  if (!after.model().is_a(ends.resource->kind, "http://schemas.ogf.org/occi/infrastructure#compute"))
    warnings.push_back(fmt::format("{} is no compute: no agent measures it", ends.resource->id));
  return {};
}

Status check_pipe(const After& after, const Entity& sensor, std::vector<std::string>& warnings) {
  const auto collectors = after.collectors_of(sensor);
  auto pipe = pipe_of(after.model(), sensor, collectors);
  // Whoever tells all at once has told all.
  pipe.more_sources = !after.is_new(sensor.id) || collectors.empty();
  const auto reads = streams_read(pipe);
  for (const auto* collector : collectors) {
    for (const auto& metric : metrics_of(after.model(), *collector)) {
      if (reads.contains(metric.stream)) continue;
      return wrong(fmt::format("{}.out of collector {}: nothing of the sensor {} reads the stream \"{}\"",
                               metric.mixin->term, collector->id, sensor.id, metric.stream),
                   reads.empty() ? std::string("give the sensor an aggregator or publisher that does")
                                 : fmt::format("it reads {}", fmt::join(reads, ", ")));
    }
  }
  auto checked = sense::check(pipe);
  if (!checked) {
    auto error = std::move(checked).error();
    error.message = fmt::format("sensor {}: {}", sensor.id, error.message);
    return std::unexpected(std::move(error));
  }
  warnings.insert(warnings.end(), checked->warnings.begin(), checked->warnings.end());
  for (const auto& part : pipe.publishers) {
    if (sensor.text(kPlacement) == kInAgent && sense::term_of(part.mixin) == "AMQP")
      return wrong(
          fmt::format("sensor {}: AMQP publishes from the server or a process of its own, not from agents", sensor.id),
          fmt::format("{}=\"process\"", kPlacement));
  }
  return {};
}

}  // namespace

Status check_wiring(const World& world, Change& change) {
  const After after(world, change);
  std::set<std::string> touched;
  for (const auto& entity : change.put) {
    if (world.model().is_a(entity.kind, kSensor)) touched.insert(entity.id);
    if (!world.model().is_a(entity.kind, kCollector)) continue;
    AT_TRY(check_collector(after, entity, change.warnings));
    touched.insert(after.ends(entity).sensor->id);
  }
  for (const auto& id : touched) {
    AT_TRY(check_pipe(after, *after.find(id), change.warnings));
  }
  return {};
}

Status check_quota(const World& world, const Change& change, const Quota& quota) {
  const auto& model = world.model();
  const auto check = [&](std::string_view kind, std::size_t most, const char* what) -> Status {
    std::size_t made = 0;
    for (const auto& entity : change.put)
      made += model.is_a(entity.kind, kind) && world.find(entity.id) == nullptr ? 1 : 0;
    if (made == 0) return {};
    const auto have = world.members(model.kind(kind)).size();
    if (have + made <= most) return {};
    return fail(
        ErrorCode::kResourceExhausted,
        fmt::format("{} {} are there, and {} more would be too many: a tenant may have {}", have, what, made, most),
        fmt::format("remove {} that are not needed", what));
  };
  AT_TRY(check(kSensor, quota.sensors, "sensors"));
  AT_TRY(check(kCollector, quota.collectors, "collectors"));
  double before = 0, after = 0;
  const After next(world, change);
  for (const auto* collector : world.members(model.kind(kCollector))) {
    before += rate_of(model, *collector, [&](std::string_view id) { return world.find(id); });
    if (const auto* kept = next.find(collector->id))
      after += rate_of(model, *kept, [&](std::string_view id) { return next.find(id); });
  }
  for (const auto& entity : change.put) {
    if (world.find(entity.id) == nullptr && model.is_a(entity.kind, kCollector))
      after += rate_of(model, entity, [&](std::string_view id) { return next.find(id); });
  }
  if (after <= quota.values_per_second || after <= before) return {};
  return fail(ErrorCode::kResourceExhausted,
              fmt::format("collectors would measure {:.1f} values per second: a tenant may have {:.0f}", after,
                          quota.values_per_second),
              "give collectors longer periods, or remove some");
}

}  // namespace atalaya::occi
