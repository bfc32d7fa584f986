#include "app/rule_arrivals.h"

#include <algorithm>

#include "promql/engine.h"

namespace atalaya::app {
namespace {

constexpr std::size_t kMostQueued = 1'000'000;
constexpr std::size_t kMostKnown = 4'000'000;  ///< series of a tenant, those that are gone included
constexpr std::chrono::milliseconds kCoalesce{100};
/// Clocks of hosts run ahead by so much without harm.
constexpr Duration kAhead = std::chrono::minutes{1};
/// Of one processor, over a second.
constexpr double kBudget = 0.25;

/// Only this label set, whatever the metric.
Matchers only(const Labels& labels) {
  Matchers out;
  for (const auto& [name, value] : labels) {
    if (name != kMetricName) out.push_back(Matcher::equal(std::string(name), std::string(value)));
  }
  return out;
}

}  // namespace

RuleArrivals::RuleArrivals(const storage::SeriesQuerier& series, const Clock& clock, telemetry::Registry& metrics,
                           EvaluateEarly evaluate)
    : series_(series),
      clock_(clock),
      evaluate_(std::move(evaluate)),
      evaluations_(metrics.counter("atalaya_rules_arrival_evaluations_total", "Rules evaluated because a sample came")),
      left_out_(metrics.counter("atalaya_rules_arrival_left_out_total",
                                "Samples whose rules wait for the tick, because the budget was spent")),
      used_(metrics.gauge("atalaya_rules_arrival_cpu_ratio",
                          "Part of a processor that rules on arrival took in the last second; the budget is 0.25")) {}

RuleArrivals::~RuleArrivals() { stop(); }

void RuleArrivals::set_groups(const std::vector<rules::GroupSpecPtr>& groups) {
  auto watch = std::make_shared<Watch>();
  for (const auto& group : groups) {
    if (!group->on_arrival) continue;
    for (std::size_t i = 0; i < group->rules.size(); ++i) {
      const auto& rule = group->rules[i];
      if (!rule.alerting) continue;
      watch->of_tenant[group->tenant].push_back(watch->watchers.size());
      watch->watchers.push_back({group, i, promql::selectors(*rule.expression), promql::is_per_series(*rule.expression),
                                 promql::is_single_sample(*rule.expression)});
    }
  }
  any_ = !watch->watchers.empty();
  const std::lock_guard lock(mutex_);
  watch_ = std::move(watch);
}

void RuleArrivals::start() {
  thread_ = std::thread([this] { run(); });
}

void RuleArrivals::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void RuleArrivals::on_samples(const storage::CommittedSamples& committed) {
  if (!any_) return;
  {
    const std::lock_guard lock(mutex_);
    if (queued_ + committed.samples.size() > kMostQueued) return left_out_.add(committed.samples.size());
    queued_ += committed.samples.size();
    queue_.push_back({committed.tenant, {committed.samples.begin(), committed.samples.end()}});
  }
  changed_.notify_one();
}

void RuleArrivals::run() {
  std::unique_lock lock(mutex_);
  auto current = watch_;
  while (!stopping_) {
    changed_.wait_for(lock, kCoalesce, [&] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    if (current != watch_) {
      current = watch_;
      waiting_.clear();
    }
    std::optional<Arrived> arrived;
    if (!queue_.empty()) {
      arrived = std::move(queue_.front());
      queue_.pop_front();
      queued_ -= arrived->samples.size();
    }
    lock.unlock();
    if (arrived) look_at(*current, *arrived);
    if (clock_.steady() - looked_ >= kCoalesce) evaluate_waiting(*current);
    lock.lock();
  }
}

const std::vector<std::uint32_t>& RuleArrivals::readers(Watch& watch, const TenantId& tenant, SeriesId id) const {
  auto& known = watch.known[tenant];
  if (known.size() > kMostKnown) known.clear();
  const auto [it, is_new] = known.try_emplace(id.value());
  if (!is_new) return it->second;
  const auto labels = series_.labels_of(tenant, id);
  const auto mine = watch.of_tenant.find(tenant);
  if (!labels || mine == watch.of_tenant.end()) return it->second;
  for (const auto index : mine->second) {
    const auto& selectors = watch.watchers[index].selectors;
    const bool reads = std::ranges::any_of(selectors, [&](const auto& one) { return matches(one, *labels); });
    if (reads) it->second.push_back(static_cast<std::uint32_t>(index));
  }
  return it->second;
}

void RuleArrivals::look_at(Watch& watch, const Arrived& arrived) {
  for (const auto& sample : arrived.samples) {
    for (const auto index : readers(watch, arrived.tenant, sample.series)) {
      const auto& watcher = watch.watchers[index];
      if (is_stale(sample.value)) continue;  // nothing begins by an end
      if (!watcher.per_series) {
        auto& newest = waiting_.try_emplace(index, sample.time).first->second;
        newest = std::max(newest, sample.time);
        continue;
      }
      const auto& expression = *watcher.group->rules[watcher.index].expression;
      if (watcher.single_sample && !promql::evaluate_sample(expression, sample.value)) continue;
      if (!has_budget()) {
        left_out_.add(1);
        continue;
      }
      const auto labels = series_.labels_of(arrived.tenant, sample.series);
      if (labels) evaluate(watcher, only(*labels), sample.time);
    }
  }
}

void RuleArrivals::evaluate_waiting(Watch& watch) {
  looked_ = clock_.steady();
  for (const auto& [index, at] : std::exchange(waiting_, {})) {
    if (has_budget()) {
      evaluate(watch.watchers[index], {}, at);
    } else {
      left_out_.add(1);
    }
  }
}

/// As a tick would now: what a sample of the past says is no news where younger ones came before it, or where it is
/// older than a query looks back.
void RuleArrivals::evaluate(const Watcher& watcher, const Matchers& restrict, Time sample) {
  const auto begun = clock_.steady();
  const auto now = clock_.now();
  const auto at = sample > now && sample - now <= kAhead ? sample : now;
  evaluate_(watcher.group, watcher.index, restrict, at);
  evaluations_.add(1);
  period_seconds_ += std::chrono::duration<double>(clock_.steady() - begun).count();
}

bool RuleArrivals::has_budget() {
  const auto passed = std::chrono::duration<double>(clock_.steady() - period_began_).count();
  if (passed >= 1) {
    used_.set(period_seconds_ / passed);
    period_began_ = clock_.steady();
    // One long evaluation is paid off by the seconds after it.
    period_seconds_ = std::max(0.0, period_seconds_ - kBudget * passed);
  }
  return period_seconds_ < kBudget;
}

}  // namespace atalaya::app
