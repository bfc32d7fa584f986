// What runs of a tenant's sensors, and what its agents are told to measure.

#include <boost/json.hpp>
#include <fmt/format.h>

#include <charconv>

#include "occi/monitoring.h"

namespace atalaya::occi {
namespace {

namespace json = boost::json;

constexpr std::string_view kCompute = "http://schemas.ogf.org/occi/infrastructure#compute";

json::value to_json(const Value& value) {
  return std::visit([](const auto& one) { return json::value(one); }, value);
}

/// The attributes of one metric of a collector, by the last parts of their names.
class Given {
 public:
  Given(const Model& model, const Category& mixin, const Entity& collector) {
    for (const auto* attribute : model.attributes_of(mixin)) {
      const auto at = collector.attributes.find(attribute->name);
      // Packages need not write what is so by default.
      const auto* value = at != collector.attributes.end() ? &at->second
                          : attribute->fallback            ? &*attribute->fallback
                                                           : nullptr;
      if (value != nullptr) values_.emplace(sense::short_name(attribute->name), value);
    }
  }

  const Value* find(std::string_view name) const {
    const auto at = values_.find(name);
    return at == values_.end() ? nullptr : at->second;
  }
  std::string text(std::string_view name) const {
    const auto* value = find(name);
    if (value == nullptr) return {};
    return std::holds_alternative<std::string>(*value) ? text_of(*value) : render_value(*value);
  }
  /// With attributes in the place of `{name}`.
  std::string filled(std::string_view pattern) const {
    std::string out;
    while (!pattern.empty()) {
      const auto open = pattern.find('{');
      const auto close = pattern.find('}', open == std::string_view::npos ? 0 : open);
      out += pattern.substr(0, open);
      if (open == std::string_view::npos || close == std::string_view::npos) break;
      out += text(pattern.substr(open + 1, close - open - 1));
      pattern.remove_prefix(close + 1);
    }
    return out;
  }

 private:
  std::map<std::string_view, const Value*, std::less<>> values_;
};

json::object inner(const Measure& measure, const Given& given) {
  json::object out{{"type", measure.type}};
  for (const auto& [field, attribute] : measure.fields) {
    if (const auto* value = given.find(attribute)) out[field] = to_json(*value);
  }
  for (const auto& [field, text] : measure.with) {
    std::int64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec == std::errc{} && read.ptr == text.data() + text.size())
      out[field] = number;
    else
      out[field] = text;
  }
  return out;
}

json::object order_text(const Model& model, const Entity& collector, const Category& mixin, std::int64_t period) {
  const auto& measure = *mixin.measure;
  const Given given(model, mixin, collector);
  json::object out{{"id", fmt::format("occi:{}/{}", collector.id, mixin.term)},
                   {"type", "metric"},
                   {"collector", collector.id},
                   {"metric", mixin.term},
                   {"period", period * 1000},
                   {"take", given.filled(measure.take)}};
  json::object select;
  for (const auto& [label, attribute] : measure.select) {
    if (const auto text = given.text(attribute); !text.empty()) select[label] = text;
  }
  if (!select.empty()) out["select"] = std::move(select);
  if (const auto pattern = given.text(measure.pattern); !pattern.empty()) out["pattern"] = pattern;
  if (measure.type != "host") out["of"] = inner(measure, given);
  return out;
}

class Planner {
 public:
  Planner(const World& world, const std::function<std::string(const Entity&)>& host_of, Time now, const Quota& quota,
          const ReadProgram& read)
      : world_(world), model_(world.model()), host_of_(host_of), now_(now), quota_(quota), read_(read) {}

  Deployment plan() {
    for (const auto* sensor : world_.members(model_.kind(kSensor))) plan_sensor(*sensor);
    return std::move(out_);
  }

 private:
  void plan_sensor(const Entity& sensor) {
    std::vector<const Entity*> collectors;
    for (const auto* link : world_.links_of(sensor.id)) {
      if (!model_.is_a(link->kind, kCollector)) continue;
      if (ends(*link).sensor == &sensor) collectors.push_back(link);
    }
    SensorPlan plan;
    plan.id = sensor.id;
    if (const auto placement = sensor.text(kPlacement); !placement.empty()) plan.placement = placement;
    plan.pipe = pipe_of(model_, sensor, collectors);
    plan.window = window_of(sensor);
    plan.idle = idle_because(sensor, plan.window);
    for (const auto edge : {plan.window.begin, plan.window.end}) {
      if (edge > now_) out_.until = std::min(out_.until, edge);
    }
    for (const auto* collector : collectors) plan_collector(sensor, *collector, plan);
    out_.sensors.emplace(sensor.id, std::move(plan));
  }

  std::string idle_because(const Entity& sensor, const Window& window) {
    if (world_.wanted_state(sensor) != "active") return "asked for: inactive";
    if (now_ < window.begin) return fmt::format("it begins at {}", format_rfc3339(window.begin));
    if (now_ >= window.end) return fmt::format("it ended at {}", format_rfc3339(window.end));
    if (++sensors_ > quota_.sensors) return fmt::format("a tenant may have {} sensors", quota_.sensors);
    return {};
  }

  void plan_collector(const Entity& sensor, const Entity& collector, SensorPlan& plan) {
    const auto metrics = metrics_of(model_, collector);
    for (const auto& metric : metrics)
      plan.streams.emplace(fmt::format("{}/{}", collector.id, metric.mixin->term), metric.stream);
    const auto rate = rate_of(model_, collector, [this](std::string_view id) { return world_.find(id); });
    const auto* resource = ends(collector).resource;
    const auto host = resource == nullptr ? std::string() : host_of_(*resource);
    auto why = plan.idle.empty() ? idle_because(metrics, resource, host) : "its sensor does not run: " + plan.idle;
    if (why.empty() && ++collectors_ > quota_.collectors)
      why = fmt::format("a tenant may have {} collectors", quota_.collectors);
    if (why.empty() && (rate_ += rate) > quota_.values_per_second)
      why = fmt::format("a tenant may have {:.0f} values per second", quota_.values_per_second);
    if (!why.empty()) {
      out_.idle.emplace(collector.id, std::move(why));
      return;
    }
    const auto period = period_of(collector, &sensor);
    for (const auto& metric : metrics) {
      auto text = order_text(model_, collector, *metric.mixin, period);
      if (const auto given = give_program(collector, metric, text); !given) {
        out_.idle.insert_or_assign(collector.id, given.error().message);
        out_.faulty.insert(collector.id);
        continue;
      }
      plan.hosts.insert(host);
      if (plan.placement == kInAgent) {
        // By another name, so that an agent from before pipes sends nothing to the server.
        text["type"] = "piped";
        text["sensor"] = sensor.id;
        text["stream"] = metric.stream;
      }
      out_.orders.push_back({collector.id, sensor.id, host, std::move(text)});
    }
  }

  Status give_program(const Entity& collector, const MetricOfCollector& metric, json::object& text) const {
    const auto program = program_of(model_, *metric.mixin, collector);
    if (program.empty()) return {};
    AT_TRY(auto read, read_ ? read_(program) : fail(ErrorCode::kNotFound, "there are no programs here"));
    text["of"].as_object()["program"] = std::move(read);
    return {};
  }

  std::string idle_because(const std::vector<MetricOfCollector>& metrics, const Entity* resource,
                           const std::string& host) const {
    if (metrics.empty()) return "it has no metric mixin";
    if (resource == nullptr || !model_.is_a(resource->kind, kCompute))
      return "what it measures is no compute, and has no agent";
    if (world_.wanted_state(*resource) != "active")
      return fmt::format("the compute {} is {}", resource->id, world_.wanted_state(*resource));
    return host.empty() ? fmt::format("the compute {} is bound to no agent yet", resource->id) : std::string();
  }

  Ends ends(const Entity& collector) const {
    return ends_of(model_, collector, [this](std::string_view id) { return world_.find(id); });
  }

  const World& world_;
  const Model& model_;
  const std::function<std::string(const Entity&)>& host_of_;
  const Time now_;
  const Quota quota_;
  const ReadProgram& read_;
  std::size_t sensors_ = 0;
  std::size_t collectors_ = 0;
  double rate_ = 0;
  Deployment out_;
};

}  // namespace

Deployment deployment_of(const World& world, const std::function<std::string(const Entity& compute)>& host_of, Time now,
                         const Quota& quota, const ReadProgram& read) {
  return Planner(world, host_of, now, quota, read).plan();
}

}  // namespace atalaya::occi
