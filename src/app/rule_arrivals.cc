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
/// What waits is evaluated this long before samples are looked at again.
constexpr std::chrono::microseconds kSlice{500};

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
      auto& index = watch->of_tenant[group->tenant];
      for (auto& selector : promql::selectors(*rule.expression)) {
        index.add(static_cast<std::uint32_t>(watch->watchers.size()), std::move(selector));
      }
      watch->watchers.push_back(
          {group, i, promql::is_per_series(*rule.expression), promql::is_single_sample(*rule.expression)});
    }
  }
  for (auto& [tenant, index] : watch->of_tenant) index.build();
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
    if (due_.empty()) changed_.wait_for(lock, kCoalesce, [&] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    if (current != watch_) {
      current = watch_;
      waiting_.clear();
      due_.clear();
    }
    std::optional<Arrived> arrived;
    if (!queue_.empty()) {
      arrived = std::move(queue_.front());
      queue_.pop_front();
      queued_ -= arrived->samples.size();
    }
    lock.unlock();
    if (arrived) look_at(*current, *arrived);
    if (due_.empty() && clock_.steady() - looked_ >= kCoalesce) begin_waiting();
    evaluate_due(*current);
    tell_use();
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
  it->second = mine->second.find(*labels);
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
      auto& account = watcher.single_sample ? of_crossings_ : of_series_;
      if (!has_budget(account)) {
        left_out_.add(1);
        continue;
      }
      const auto labels = series_.labels_of(arrived.tenant, sample.series);
      if (labels) evaluate(watcher, only(*labels), sample.time, account);
    }
  }
}

void RuleArrivals::begin_waiting() {
  looked_ = clock_.steady();
  const auto first = waiting_.lower_bound(turn_);
  due_.assign(first, waiting_.end());
  due_.insert(due_.end(), waiting_.begin(), first);
  waiting_.clear();
}

void RuleArrivals::evaluate_due(Watch& watch) {
  const auto begun = clock_.steady();
  while (!due_.empty() && clock_.steady() - begun < kSlice) {
    if (!has_budget(of_whole_)) {
      left_out_.add(due_.size());
      turn_ = due_.front().first;
      due_.clear();
      return;
    }
    const auto [index, at] = due_.front();
    due_.pop_front();
    evaluate(watch.watchers[index], {}, at, of_whole_);
  }
}

/// As a tick would now: what a sample of the past says is no news where younger ones came before it, or where it is
/// older than a query looks back.
void RuleArrivals::evaluate(const Watcher& watcher, const Matchers& restrict, Time sample, Account& account) {
  const auto begun = clock_.steady();
  const auto now = clock_.now();
  const auto at = sample > now && sample - now <= kAhead ? sample : now;
  evaluate_(watcher.group, watcher.index, restrict, at);
  evaluations_.add(1);
  const auto seconds = std::chrono::duration<double>(clock_.steady() - begun).count();
  account.seconds -= seconds;
  period_seconds_ += seconds;
}

/// One long evaluation is paid off by the seconds after it.
bool RuleArrivals::has_budget(Account& account) {
  const auto now = clock_.steady();
  const auto passed = std::chrono::duration<double>(now - account.looked).count();
  account.seconds = std::min(account.share, account.seconds + account.share * passed);
  account.looked = now;
  return account.seconds > 0;
}

void RuleArrivals::tell_use() {
  const auto passed = std::chrono::duration<double>(clock_.steady() - period_began_).count();
  if (passed < 1) return;
  used_.set(period_seconds_ / passed);
  period_began_ = clock_.steady();
  period_seconds_ = 0;
}

}  // namespace atalaya::app
