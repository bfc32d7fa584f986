#include "app/rule_groups.h"

#include <algorithm>
#include <future>
#include <set>
#include <tuple>

#include "alerts/judgement.h"
#include "app/rule_files.h"
#include "app/to_judgement.h"
#include "telemetry/log.h"

namespace atalaya::app {
namespace {

/// Agents send what they kept while nobody listened: missed instants wait for it.
constexpr Duration kSettle = std::chrono::seconds{10};
constexpr Duration kLongestWait = std::chrono::milliseconds{500};

/// A group evaluates `for` and annotations itself.
alerts::Judgement judgement_of(rules::Verdict verdict) {
  auto out = to_judgement(std::move(verdict));
  out.times_itself = out.rendered = true;
  return out;
}

void complain(const char* what, const rules::GroupSpec& group, const std::string& reason) {
  telemetry::log_warn("rules", what, {{"group", group.name}, {"file", group.file}, {"reason", reason}});
}

}  // namespace

rules::GroupOptions group_options(const std::string& external_url, Labels external_labels, Duration late_after) {
  rules::GroupOptions out;
  out.outside.external_labels = std::move(external_labels);
  out.outside.external_url = external_url;
  out.late_after = late_after;
  out.restore = true;
  return out;
}

std::string group_cursor(const TenantId& tenant, const std::string& group) {
  return "group " + tenant.value() + " " + group;
}

RuleGroups::RuleGroups(RuleGroupsParts parts, rules::GroupOptions options, bool on_arrival, unsigned threads)
    : parts_(parts),
      options_(std::move(options)),
      thread_count_(threads),
      evaluations_(parts.metrics.counter("atalaya_rule_group_evaluations_total", "Evaluations of groups of rules")),
      failures_(parts.metrics.counter("atalaya_rule_evaluation_failures_total", "Rules that could not be evaluated")),
      missed_(parts.metrics.counter("atalaya_rule_group_iterations_missed_total",
                                    "Instants left out because the evaluation before them took too long")),
      samples_(parts.metrics.counter("atalaya_rule_samples_total", "Samples that rules yielded")),
      seconds_(parts.metrics.histogram("atalaya_rule_group_seconds", "Time to evaluate one group",
                                       {0.0001, 0.001, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60})),
      groups_(parts.metrics.gauge("atalaya_rule_groups", "Groups of rules")) {
  if (!on_arrival) return;
  arrivals_ = std::make_unique<RuleArrivals>(
      parts.series, parts.clock, thread_cpu_time, parts.metrics,
      [this](const rules::GroupSpecPtr& group, std::size_t index, const Matchers& restrict, Time at) {
        return evaluate_early(group, index, restrict, at);
      });
}

RuleGroups::~RuleGroups() { stop(); }

RuleGroups::SlotPtr RuleGroups::make_slot(rules::GroupSpecPtr spec, const std::string& source, bool restore) {
  const auto interval = spec->interval.value_or(options_.default_interval);
  const rules::Schedule schedule(spec->file, spec->name, interval);
  auto options = options_;
  options.restore = restore;
  auto slot = std::make_shared<Slot>(rules::GroupRun(spec, std::move(options)), schedule);
  slot->spec = std::move(spec);
  slot->source = source;
  slot->next = schedule.next(parts_.clock.now());
  slot->missed_until = Time{};
  return slot;
}

void RuleGroups::set_groups(const TenantId& tenant, const std::string& source, std::vector<rules::GroupSpec> groups) {
  std::vector<SlotPtr> changed;  // what was, and is not any more
  std::vector<std::pair<SlotPtr, rules::GroupSpecPtr>> renewed;
  {
    std::lock_guard lock(mutex_);
    std::set<std::string> present;
    for (auto& group : groups) {
      auto spec = std::make_shared<const rules::GroupSpec>(std::move(group));
      present.insert(spec->id);
      const auto it = slots_.find({tenant, spec->id});
      if (it == slots_.end()) {
        slots_.emplace(Key{tenant, spec->id}, make_slot(spec, source, !started_));
      } else if (!it->second->spec->same_content(*spec)) {
        it->second->gone = true;
        renewed.emplace_back(it->second, spec);
      }
    }
    for (auto it = slots_.begin(); it != slots_.end();) {
      const bool gone =
          it->first.first == tenant && it->second->source == source && !present.contains(it->first.second);
      if (gone) {
        it->second->gone = true;
        changed.push_back(it->second);
      }
      it = gone ? slots_.erase(it) : std::next(it);
    }
  }
  const Time now = parts_.clock.now();
  for (const auto& [old, spec] : renewed) {
    auto slot = make_slot(spec, source, false);
    std::lock_guard evaluating(old->mutex);
    auto verdicts = slot->run.take_over(old->run, now);
    post(tenant, std::move(verdicts), std::nullopt);
    std::lock_guard lock(mutex_);
    slots_[{tenant, spec->id}] = slot;
  }
  for (const auto& old : changed) {
    std::lock_guard evaluating(old->mutex);
    auto ended = old->run.end(now);
    store(tenant, std::move(ended.samples));
    post(tenant, std::move(ended.verdicts), std::nullopt);
  }
  {
    std::lock_guard lock(mutex_);
    groups_.set(static_cast<double>(slots_.size()));
  }
  tell_arrivals();
  changed_.notify_all();
}

config::Errors RuleGroups::read_files(io::FileSystem& files, const std::vector<std::string>& patterns) {
  auto read = read_rule_files(files, patterns, default_tenant());
  if (read.errors.empty()) set_groups(default_tenant(), "files", std::move(read.groups));
  return std::move(read.errors);
}

std::vector<alerts::OpenAlert> RuleGroups::remember(std::vector<alerts::OpenAlert> open) {
  std::lock_guard lock(mutex_);
  std::erase_if(open, [this](const alerts::OpenAlert& alert) {
    const auto group = alert.rule.substr(0, alert.rule.rfind('/'));
    const auto it = slots_.find({alert.tenant, group});
    if (it == slots_.end()) return false;
    return it->second->run.remember(alert.rule, alert.labels, static_cast<rules::Level>(alert.level),
                                    alert.state != alerts::State::kPending);
  });
  return open;
}

void RuleGroups::start(const std::function<std::uint64_t(const std::string& cursor)>& evaluated) {
  const Time now = parts_.clock.now();
  {
    std::lock_guard lock(mutex_);
    started_ = true;
    settled_ = now + kSettle;
    for (auto& [key, slot] : slots_) {
      const auto position = evaluated(group_cursor(key.first, key.second));
      if (position == 0) continue;
      const Time last = std::max(from_ms(static_cast<std::int64_t>(position)), now - options_.outage_tolerance);
      if (slot->schedule.last(now) <= last) continue;
      slot->next = slot->schedule.next(last);
      slot->missed_until = slot->schedule.last(now);
    }
  }
  if (arrivals_) arrivals_->start();
  for (unsigned i = 0; i < thread_count_; ++i) threads_.emplace_back([this] { work(); });
}

void RuleGroups::stop() {
  if (arrivals_) arrivals_->stop();
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

RuleGroups::SlotPtr RuleGroups::take_due(std::unique_lock<std::mutex>& lock) {
  while (!stopping_) {
    const Time now = parts_.clock.now();
    SlotPtr first;
    Time due = kMaxTime;
    for (const auto& [key, slot] : slots_) {
      const auto when = slot->next <= slot->missed_until ? std::max(slot->next, settled_) : slot->next;
      if (slot->evaluating || slot->gone || when >= due) continue;
      first = slot;
      due = when;
    }
    if (first && due <= now) {
      first->evaluating = true;
      return first;
    }
    changed_.wait_for(lock, std::clamp(due - now, Duration{1}, kLongestWait));
  }
  return nullptr;
}

void RuleGroups::work() {
  std::unique_lock lock(mutex_);
  while (auto slot = take_due(lock)) {
    const Time at = slot->next;
    lock.unlock();
    evaluate(*slot, at);
    lock.lock();
    slot->evaluating = false;
    plan_next(*slot, at);
    changed_.notify_all();
  }
}

void RuleGroups::plan_next(Slot& slot, Time at) {
  slot.next = at + slot.schedule.interval();
  if (slot.next <= slot.missed_until) return;
  const auto newest = slot.schedule.last(parts_.clock.now());
  if (newest <= slot.next) return;
  missed_.add(static_cast<std::uint64_t>((newest - slot.next) / slot.schedule.interval()));
  slot.next = newest;
}

void RuleGroups::evaluate(Slot& slot, Time at) {
  std::lock_guard evaluating(slot.mutex);
  if (slot.gone) return;
  const auto begun = parts_.clock.steady();
  const auto& group = slot.run.spec();
  auto result = slot.run.evaluate(parts_.series, at, parts_.clock);
  ++*slot.ticks;
  for (const auto& rule : slot.run.state().rules) {
    if (rule.health != rules::Health::kBad) continue;
    failures_.add(1);
    complain("a rule cannot be evaluated", group, rule.last_error);
  }
  evaluations_.add(1);
  samples_.add(result.samples.size());
  store(group.tenant, std::move(result.samples));
  post(group.tenant, std::move(result.verdicts),
       control::Cursor{group_cursor(group.tenant, group.id), static_cast<std::uint64_t>(to_ms(at))});
  seconds_.observe(std::chrono::duration<double>(parts_.clock.steady() - begun).count());
}

void RuleGroups::tell_arrivals() {
  if (!arrivals_) return;
  std::vector<WatchedGroup> groups;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [key, slot] : slots_) groups.push_back({slot->spec, slot->ticks});
  }
  arrivals_->set_groups(groups);
}

void RuleGroups::on_samples(const storage::CommittedSamples& committed) {
  if (arrivals_) arrivals_->on_samples(committed);
}

EarlyAnswer RuleGroups::evaluate_early(const rules::GroupSpecPtr& group, std::size_t index, const Matchers& restrict,
                                       Time at) {
  SlotPtr slot;
  {
    std::lock_guard lock(mutex_);
    const auto it = slots_.find({group->tenant, group->id});
    if (it == slots_.end() || it->second->spec != group) return {};
    // What was missed comes first.
    if (it->second->next <= it->second->missed_until) return {.is_busy = true};
    slot = it->second;
  }
  // A tick waits for the disk, too: others are not to wait behind it.
  std::unique_lock evaluating(slot->mutex, std::try_to_lock);
  if (!evaluating) return {.is_busy = true};
  if (slot->gone) return {};
  auto early = slot->run.evaluate_early(parts_.series, index, restrict, at, parts_.clock);
  const bool spoke = !early.verdicts.empty();
  post(group->tenant, std::move(early.verdicts), std::nullopt);
  return {.is_busy = early.too_soon, .quiet_until = early.quiet_until, .spoke = spoke};
}

void RuleGroups::store(const TenantId& tenant, std::vector<rules::LabelledSample> samples) {
  if (samples.empty()) return;
  storage::SampleBatch batch;
  for (const auto& sample : samples) {
    const auto id = parts_.appender.resolve(tenant, sample.labels);
    if (id) {
      batch.samples.push_back({*id, sample.time, sample.value});
      continue;
    }
    telemetry::log_warn("rules", "a series of a rule is not stored", {{"reason", to_string(id.error())}});
    break;  // a limit: the rest would meet it too
  }
  auto finished = std::make_shared<std::promise<Result<storage::Appended>>>();
  auto waiting = finished->get_future();
  parts_.appender.append(tenant, std::move(batch),
                         [finished](Result<storage::Appended> done) { finished->set_value(std::move(done)); });
  if (const auto done = waiting.get(); !done) {
    telemetry::log_warn("rules", "results of rules are not stored", {{"reason", to_string(done.error())}});
  }
}

void RuleGroups::post(const TenantId& tenant, std::vector<rules::Verdict> verdicts,
                      std::optional<control::Cursor> cursor) {
  if (verdicts.empty() && !cursor) return;
  control::Event event{tenant, {}, {}, std::move(cursor)};
  if (!verdicts.empty()) {
    alerts::Judged judged;
    for (auto& verdict : verdicts) judged.judgements.push_back(judgement_of(std::move(verdict)));
    event.body = std::move(judged);
  }
  // Only an error when stopping: then the cursor stays, and the next process evaluates again.
  if (auto posted = parts_.control.post_wait(std::move(event)); !posted) {
    telemetry::log_debug("rules", "verdicts not stored", {{"reason", to_string(posted.error())}});
  }
}

std::vector<RuleGroups::SlotPtr> RuleGroups::slots_of(const TenantId& tenant) const {
  std::vector<SlotPtr> out;
  std::lock_guard lock(mutex_);
  for (const auto& [key, slot] : slots_) {
    if (key.first == tenant) out.push_back(slot);
  }
  return out;
}

void RuleGroups::forget(const TenantId& tenant, const std::string& host) {
  for (const auto& slot : slots_of(tenant)) {
    std::lock_guard evaluating(slot->mutex);
    slot->run.forget({Matcher::equal("instance", host)});
  }
}

std::vector<rules::GroupState> RuleGroups::states(const TenantId& tenant) const {
  std::vector<rules::GroupState> out;
  for (const auto& slot : slots_of(tenant)) {
    std::lock_guard evaluating(slot->mutex);
    out.push_back(slot->run.state());
  }
  std::ranges::sort(out, [](const auto& a, const auto& b) {
    return std::tie(a.spec->file, a.spec->name) < std::tie(b.spec->file, b.spec->name);
  });
  return out;
}

}  // namespace atalaya::app
