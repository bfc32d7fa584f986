#include "app/rule_arrivals.h"

#include <algorithm>

#include "promql/engine.h"

namespace atalaya::app {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::size_t kMostQueued = 1'000'000;
constexpr std::size_t kMostWaiting = 200'000;  ///< of one kind
constexpr std::size_t kMostQuiet = 1'000'000;
constexpr milliseconds kCoalesce{100};
/// Clocks of hosts run ahead by so much without harm.
constexpr Duration kAhead = std::chrono::minutes{1};
/// What waits is evaluated this long before samples are looked at again.
constexpr microseconds kSlice{500};
/// Who crosses a limit goes first.
constexpr microseconds kSliceOfCrossings{2000};
/// When there is no processor time left, or a tick is under way.
constexpr milliseconds kRetry{2};
/// So many at a tick are asked in one round.
constexpr std::size_t kMostBusy = 64;

telemetry::Histogram& seconds(telemetry::Registry& metrics, std::string of) {
  return metrics.histogram("atalaya_rules_arrival_seconds",
                           "From the commit of a sample to the verdict of a rule that it changed, by whether the rule "
                           "is evaluated for single series or, at most once in 100 ms, as a whole",
                           {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5},
                           {{"of", std::move(of)}});
}

/// Only this label set, whatever the metric.
Matchers only(const Labels& labels) {
  Matchers out;
  for (const auto& [name, value] : labels) {
    if (name != kMetricName) out.push_back(Matcher::equal(std::string(name), std::string(value)));
  }
  return out;
}

}  // namespace

RuleArrivals::RuleArrivals(const storage::SeriesQuerier& series, const Clock& clock, CpuTime cpu,
                           telemetry::Registry& metrics, EvaluateEarly evaluate)
    : series_(series),
      clock_(clock),
      cpu_(std::move(cpu)),
      evaluate_(std::move(evaluate)),
      evaluations_(metrics.counter("atalaya_rules_arrival_evaluations_total", "Rules evaluated because a sample came")),
      left_out_(metrics.counter("atalaya_rules_arrival_left_out_total",
                                "Samples whose rules wait for the tick, because too many were waiting")),
      waiting_count_(metrics.gauge("atalaya_rules_arrival_waiting",
                                   "Evaluations on arrival that wait for their share of a processor")),
      used_(metrics.gauge("atalaya_rules_arrival_cpu_ratio",
                          "Part of a processor that rules on arrival took in the last second; the budget is 0.25")),
      seconds_of_series_(seconds(metrics, "series")),
      seconds_of_whole_(seconds(metrics, "whole")) {}

RuleArrivals::~RuleArrivals() { stop(); }

void RuleArrivals::set_groups(const std::vector<WatchedGroup>& groups) {
  auto watch = std::make_shared<Watch>();
  for (const auto& [group, ticks] : groups) {
    if (!group->on_arrival) continue;
    for (std::size_t i = 0; i < group->rules.size(); ++i) {
      const auto& rule = group->rules[i];
      if (!rule.alerting) continue;
      watch->places[{group.get(), i}] = static_cast<std::uint32_t>(watch->watchers.size());
      auto& index = watch->of_tenant[group->tenant];
      for (auto& selector : promql::selectors(*rule.expression)) {
        index.add(static_cast<std::uint32_t>(watch->watchers.size()), std::move(selector));
      }
      watch->watchers.push_back(
          {group, ticks, i, promql::is_per_series(*rule.expression), promql::is_single_sample(*rule.expression)});
    }
  }
  for (auto& [tenant, index] : watch->of_tenant) index.build();
  any_ = !watch->watchers.empty();
  const std::lock_guard lock(mutex_);
  watch_ = std::move(watch);
}

std::optional<std::uint32_t> RuleArrivals::Watch::place_of(const Watcher& watcher) const {
  const auto found = places.find({watcher.group.get(), watcher.index});
  return found == places.end() ? std::nullopt : std::optional(found->second);
}

void RuleArrivals::start() {
  first_ = std::thread([this] { run_first(); });
  rest_ = std::thread([this] { run_rest(); });
}

void RuleArrivals::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  {
    const std::lock_guard lock(work_mutex_);
    rest_stopping_ = true;
  }
  rest_changed_.notify_all();
  for (auto* thread : {&first_, &rest_}) {
    if (thread->joinable()) thread->join();
  }
}

void RuleArrivals::on_samples(const storage::CommittedSamples& committed) {
  if (!any_) return;
  {
    const std::lock_guard lock(mutex_);
    if (queued_ + committed.samples.size() > kMostQueued) return left_out_.add(committed.samples.size());
    queued_ += committed.samples.size();
    queue_.push_back({committed.tenant, clock_.steady(), {committed.samples.begin(), committed.samples.end()}});
  }
  changed_.notify_one();
}

void RuleArrivals::run_first() {
  std::chrono::nanoseconds pause{0};
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (pause.count() > 0) changed_.wait_for(lock, pause, [&] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    lock.unlock();
    pause = turn_first();
    lock.lock();
  }
}

void RuleArrivals::run_rest() {
  std::unique_lock lock(work_mutex_);
  while (!rest_stopping_) {
    lock.unlock();
    const auto pause = turn_rest();
    lock.lock();
    const bool had = !of_series_.order.empty();
    // What waits for its share, or for a group, is not ready because more has come.
    if (pause.count() > 0)
      rest_changed_.wait_for(lock, pause, [&] { return rest_stopping_ || (!had && !of_series_.order.empty()); });
  }
}

std::optional<RuleArrivals::Arrived> RuleArrivals::next_arrived() {
  std::unique_lock lock(mutex_);
  if (current_ != watch_) {
    auto next = watch_;
    lock.unlock();
    adopt(std::move(next));
    lock.lock();
  }
  if (queue_.empty()) return std::nullopt;
  auto out = std::move(queue_.front());
  queue_.pop_front();
  queued_ -= out.samples.size();
  return out;
}

/// Groups that did not change are the same objects.
void RuleArrivals::adopt(std::shared_ptr<Watch> next) {
  const std::lock_guard lock(work_mutex_);
  const auto place_of = [&](std::uint32_t old) { return next->place_of(current_->watchers[old]); };
  for (auto* lane : {&crossings_, &of_series_, &of_whole_}) {
    const auto dues = std::exchange(lane->due, {});
    for (const auto& work : std::exchange(lane->order, {})) {
      if (const auto place = place_of(work.watcher)) add(*lane, {*place, work.series}, dues.at(work));
    }
  }
  for (const auto& [watcher, due] : std::exchange(waiting_, {})) {
    if (const auto place = place_of(watcher)) waiting_.emplace(*place, due);
  }
  quiet_.clear();
  current_ = std::move(next);
}

std::chrono::nanoseconds RuleArrivals::turn() {
  const auto first = turn_first();
  const auto rest = turn_rest();
  return std::min(first, rest);
}

/// Samples, and what crosses a limit.
std::chrono::nanoseconds RuleArrivals::turn_first() {
  const auto arrived = next_arrived();
  if (arrived) look_at(*arrived);
  const bool goes_on = work_on(crossings_, kSliceOfCrossings);
  if (arrived || goes_on) return std::chrono::nanoseconds{0};
  const std::lock_guard lock(work_mutex_);
  return crossings_.order.empty() ? kCoalesce : kRetry;
}

std::chrono::nanoseconds RuleArrivals::turn_rest() {
  {
    const std::lock_guard lock(work_mutex_);
    if (of_whole_.order.empty() && clock_.steady() - looked_ >= kCoalesce) begin_waiting();
  }
  bool goes_on = false;
  for (auto* lane : {&of_whole_, &of_series_}) {
    if (work_on(*lane, kSlice)) goes_on = true;
  }
  const std::lock_guard lock(work_mutex_);
  const auto left = of_whole_.order.size() + of_series_.order.size();
  waiting_count_.set(static_cast<double>(left + crossings_.order.size()));
  tell_use();
  if (goes_on) return std::chrono::nanoseconds{0};
  return left > 0 ? kRetry : kCoalesce;
}

void RuleArrivals::add(Lane& lane, const Work& work, const Due& due) {
  if (const auto it = lane.due.find(work); it != lane.due.end()) {
    it->second.newest = std::max(it->second.newest, due.newest);
    return;
  }
  if (lane.order.size() >= kMostWaiting) return left_out_.add(1);
  lane.due.emplace(work, due);
  lane.order.push_back(work);
}

void RuleArrivals::look_at(const Arrived& arrived) {
  const std::lock_guard lock(work_mutex_);
  const bool had = !of_series_.order.empty();
  const auto mine = current_->of_tenant.find(arrived.tenant);
  if (mine == current_->of_tenant.end()) return;
  auto& known = current_->known[arrived.tenant];
  const SeriesReaders::Find find = [&](SeriesId id) -> std::optional<std::vector<std::uint32_t>> {
    const auto labels = series_.labels_of(arrived.tenant, id);
    return labels ? std::optional(mine->second.find(*labels)) : std::nullopt;
  };
  for (const auto& sample : arrived.samples) {
    for (const auto index : known.of(sample.series, find)) {
      const auto& watcher = current_->watchers[index];
      if (is_stale(sample.value)) continue;  // nothing begins by an end
      if (!watcher.per_series) {
        auto& newest = waiting_.try_emplace(index, Due{sample.time, arrived.came}).first->second.newest;
        newest = std::max(newest, sample.time);
        continue;
      }
      const auto& expression = *watcher.group->rules[watcher.index].expression;
      if (watcher.single_sample && !promql::evaluate_sample(expression, sample.value)) continue;
      const Work work{index, sample.series.value()};
      if (!is_quiet(work)) add(watcher.single_sample ? crossings_ : of_series_, work, {sample.time, arrived.came});
    }
  }
  if (!had && !of_series_.order.empty()) rest_changed_.notify_one();
}

bool RuleArrivals::is_quiet(const Work& work) {
  const auto it = quiet_.find(work);
  if (it == quiet_.end()) return false;
  if (it->second.ticks == current_->watchers[work.watcher].ticks->load() && clock_.now() < it->second.until)
    return true;
  quiet_.erase(it);
  return false;
}

void RuleArrivals::begin_waiting() {
  looked_ = clock_.steady();
  for (const auto& [watcher, due] : std::exchange(waiting_, {})) add(of_whole_, {watcher, 0}, due);
}

/// True: more can be done at once.
bool RuleArrivals::work_on(Lane& lane, std::chrono::nanoseconds slice) {
  std::unique_lock lock(work_mutex_);
  const auto begun = clock_.steady();
  std::size_t busy = 0;
  while (busy < std::min(lane.order.size(), kMostBusy) && clock_.steady() - begun < slice) {
    if (!has_budget(lane)) return false;
    const auto work = lane.order.front();
    lane.order.pop_front();
    const auto due = lane.due.extract(work).mapped();
    if (!evaluate(lock, lane, work, due)) ++busy;
  }
  return lane.order.size() > busy && busy < kMostBusy;
}

/// As a tick would now: what a sample of the past says is no news where younger ones came before it, or where it is
/// older than a query looks back. False: the group is busy, and the work waits again.
bool RuleArrivals::evaluate(std::unique_lock<std::mutex>& lock, Lane& lane, const Work& work, const Due& due) {
  const auto watch = current_;
  lock.unlock();
  const auto& watcher = watch->watchers[work.watcher];
  const auto begun = cpu_();
  const auto labels = work.series == 0 ? nullptr : series_.labels_of(watcher.group->tenant, SeriesId{work.series});
  const bool is_gone = work.series != 0 && !labels;
  const auto now = clock_.now();
  const auto at = due.newest > now && due.newest - now <= kAhead ? due.newest : now;
  const auto ticks = watcher.ticks->load();
  EarlyAnswer answer;
  if (!is_gone) answer = evaluate_(watcher.group, watcher.index, labels ? only(*labels) : Matchers{}, at);
  const auto seconds = std::chrono::duration<double>(cpu_() - begun).count();
  lock.lock();
  lane.seconds -= seconds;
  period_seconds_ += seconds;
  const bool is_current = watch == current_;
  if (answer.is_busy) {
    const auto place = is_current ? std::optional(work.watcher) : current_->place_of(watcher);
    if (place) add(lane, {*place, work.series}, due);
    return false;
  }
  if (is_gone) return true;
  evaluations_.add(1);
  if (answer.spoke) {
    auto& histogram = work.series == 0 ? seconds_of_whole_ : seconds_of_series_;
    histogram.observe(std::chrono::duration<double>(clock_.steady() - due.came).count());
  }
  if (is_current && work.series != 0 && answer.quiet_until > now) {
    if (quiet_.size() >= kMostQuiet) quiet_.clear();
    quiet_.insert_or_assign(work, Quiet{ticks, answer.quiet_until});
  }
  return true;
}

/// One long evaluation is paid off by the seconds after it.
bool RuleArrivals::has_budget(Lane& lane) const {
  const auto now = clock_.steady();
  const auto passed = std::chrono::duration<double>(now - lane.looked).count();
  lane.seconds = std::min(lane.share, lane.seconds + lane.share * passed);
  lane.looked = now;
  return lane.seconds > 0;
}

void RuleArrivals::tell_use() {
  const auto passed = std::chrono::duration<double>(clock_.steady() - period_began_).count();
  if (passed < 1) return;
  used_.set(period_seconds_ / passed);
  period_began_ = clock_.steady();
  period_seconds_ = 0;
}

}  // namespace atalaya::app
