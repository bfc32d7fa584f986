#include "agent/runner.h"

#include <algorithm>
#include <set>

#include "ingest/agent_payload.h"
#include "telemetry/log.h"

namespace atalaya::agent {
namespace {

bool keeps_marks(const collect::CollectorSpec& spec) {
  const auto* metric = std::get_if<collect::MetricSpec>(&spec.what);
  return std::holds_alternative<collect::LogSpec>(metric && metric->of ? metric->of->what : spec.what);
}

/// What belongs to a sensor says to the sensor how it is.
bool is_sensors(std::string_view id) {
  return id.starts_with(collect::kSensorIds) && id.find('/') != std::string_view::npos;
}

}  // namespace

Runner::Runner(RunnerOptions options, net::EventLoop& loop, const Clock& clock, Spool& spool,
               collect::LabelsTable& labels, Factory factory, std::function<void()> recorded)
    : options_(std::move(options)),
      loop_(loop),
      clock_(clock),
      spool_(spool),
      labels_(labels),
      recorder_(spool, labels),
      factory_(std::move(factory)),
      recorded_(std::move(recorded)) {}

Runner::~Runner() {
  *alive_ = false;
  stop();
}

void Runner::add_fixed(std::string id, std::unique_ptr<collect::Collector> collector) {
  Entry entry;
  entry.spec.id = id;
  entry.fixed = true;
  entry.collector = std::move(collector);
  entry.next = clock_.steady();
  entries_.emplace(std::move(id), std::move(entry));
}

void Runner::make(Entry& entry) {
  entry.next = clock_.steady();
  auto made = factory_(entry.spec, [this, id = entry.spec.id, alive = alive_] {
    if (*alive) wake(id);
  });
  if (made) {
    entry.collector = std::move(*made);
    entry.problem.clear();
  } else {
    entry.problem = to_string(made.error());
  }
}

void Runner::end(Entry& entry, bool end_series) {
  if (entry.collector && end_series) {
    const auto now = clock_.now();
    batch_.clear();
    entry.collector->finish(now, batch_);
    if (!batch_.empty()) record(now);
  }
  entry.collector.reset();
}

void Runner::apply(const collect::ConfigurationSpec& configuration) {
  std::set<std::string> wanted;
  for (const auto& spec : configuration.collectors) wanted.insert(spec.id);
  for (const auto& problem : configuration.problems) wanted.insert(problem.id);
  for (auto it = entries_.begin(); it != entries_.end();) {
    const auto entry = it++;
    if (entry->second.fixed || wanted.contains(entry->first)) continue;
    end(entry->second, true);
    if (entry->second.stream != collect::kNoLabels) labels_.release(entry->second.stream);
    entries_.erase(entry);
  }
  for (const auto& spec : configuration.collectors) {
    const auto [entry, fresh] = entries_.try_emplace(spec.id);
    if (entry->second.fixed || (!fresh && entry->second.spec == spec)) continue;
    if (entry->second.collector && entry->second.collector->change(spec)) {
      entry->second.spec = spec;
      entry->second.next = std::min(entry->second.next, clock_.steady() + spec.period);
      continue;
    }
    // A log tail with other labels goes on at the same offset.
    const bool same_marks = keeps_marks(entry->second.spec) && keeps_marks(spec);
    end(entry->second, !same_marks);
    entry->second.spec = spec;
    make(entry->second);
  }
  for (const auto& problem : configuration.problems) {
    auto& entry = entries_[problem.id];
    if (entry.fixed) continue;
    end(entry, true);
    entry.spec = collect::CollectorSpec{};
    entry.spec.id = problem.id;
    entry.problem = to_string(problem.error);
  }
  schedule();
}

void Runner::start() {
  running_ = true;
  schedule();
}

void Runner::stop() {
  running_ = false;
  timer_.cancel();
  entries_.clear();
}

void Runner::wake(const std::string& id) {
  const auto entry = entries_.find(id);
  if (entry == entries_.end() || !running_) return;
  entry->second.woken = true;
  if (tick_posted_) return;
  tick_posted_ = true;
  loop_.post([this, alive = alive_] {
    if (*alive && running_) tick();
  });
}

bool Runner::take_due(Entry& entry, Steady steady) {
  if (!entry.collector) return false;
  const bool due = entry.next <= steady;
  if (due) {
    entry.next += entry.collector->period();
    // Cycles that were missed (a suspended machine) are not made up for.
    if (entry.next <= steady) entry.next = steady + entry.collector->period();
  }
  return std::exchange(entry.woken, false) || due;
}

void Runner::tick() {
  tick_posted_ = false;
  const auto steady = clock_.steady();
  const auto now = clock_.now();
  run_plain(now, steady);
  for (auto& [id, entry] : entries_)
    if (entry.collector && entry.collector->needs_durable() && take_due(entry, steady)) run_durable(entry, now);
  tell_problems(now);
  last_cycle_ = clock_.steady() - steady;
  schedule();
}

void Runner::run_plain(Time now, Steady steady) {
  batch_.clear();
  for (auto& [id, entry] : entries_) {
    if (!entry.collector || entry.collector->needs_durable() || !take_due(entry, steady)) continue;
    const auto status = entry.collector->collect(now, batch_);
    entry.problem = status ? std::string{} : to_string(status.error());
  }
  if (!batch_.empty()) record(now);
}

void Runner::run_durable(Entry& entry, Time now) {
  spool_.begin(now);
  if (!spool_.on_disk()) return;
  batch_.clear();
  const auto status = entry.collector->collect(now, batch_);
  entry.problem = status ? std::string{} : to_string(status.error());
  if (!batch_.empty()) entry.collector->settled(record(now));
}

void Runner::tell_problems(Time now) {
  batch_.clear();
  for (auto& [id, entry] : entries_) {
    if (entry.problem == entry.told) continue;
    entry.told = entry.problem;
    const bool well = entry.problem.empty();
    if (entry.stream != collect::kNoLabels) labels_.release(entry.stream);
    LabelsBuilder labels;
    labels.set("instance", options_.instance).set("job", "agent").set("level", well ? "info" : "warning");
    if (is_sensors(id)) {
      const auto slash = id.rfind('/');
      labels.set(ingest::kSensorLabel, id.substr(collect::kSensorIds.size(), slash - collect::kSensorIds.size()))
          .set(kMetricName, id.substr(slash + 1));
    } else {
      labels.set("collector", id);
    }
    entry.stream = labels_.add(labels.build());
    batch_.log(entry.stream, now, well ? "runs" : entry.problem);
    if (!well) telemetry::log_warn("agent", "collector", {{"collector", id}, {"reason", entry.problem}});
  }
  if (!batch_.empty()) record(now);
}

void Runner::tell_again() {
  for (auto& [id, entry] : entries_) {
    if (is_sensors(id)) entry.told.clear();
  }
}

bool Runner::record(Time now) {
  const auto sequence = recorder_.record(now, batch_);
  if (!sequence) {
    ++refused_records_;
    return false;
  }
  recorded_();
  return true;
}

void Runner::schedule() {
  if (!running_) return;
  auto next = Steady::max();
  for (const auto& [id, entry] : entries_)
    if (entry.collector) next = std::min(next, entry.next);
  if (next == Steady::max()) return;
  const auto wait = std::max(std::chrono::ceil<Duration>(next - clock_.steady()), Duration{0});
  timer_ = loop_.after(wait, [this] { tick(); });
}

std::map<std::string, std::string> Runner::problems() const {
  std::map<std::string, std::string> out;
  for (const auto& [id, entry] : entries_) {
    if (!is_sensors(id)) out[id] = entry.problem;
  }
  return out;
}

}  // namespace atalaya::agent
