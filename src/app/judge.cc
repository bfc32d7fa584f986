#include "app/judge.h"

#include <algorithm>
#include <future>
#include <map>

#include "app/to_judgement.h"
#include "telemetry/log.h"

namespace atalaya::app {
namespace {

/// Samples and lines that may wait: about ten seconds of a hundred hosts.
constexpr std::size_t kMaxQueued = 1'000'000;
constexpr Duration kTick{100};

}  // namespace

Judge::Judge(const storage::SeriesQuerier& series, control::Runner& control, const Clock& clock,
             telemetry::Registry& metrics, rules::EngineOptions options)
    : control_(control),
      clock_(clock),
      seconds_(metrics.histogram("atalaya_judge_seconds", "Time to judge one commit",
                                 {0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1})),
      waiting_(metrics.gauge("atalaya_judge_waiting", "Samples and log lines waiting to be judged")),
      verdicts_(metrics.counter("atalaya_verdicts_total", "Verdicts of rules")),
      engine_(series, *this, options) {}

Judge::~Judge() { stop(); }

Status Judge::catch_up(const std::vector<alerts::OpenAlert>& open, const storage::SamplesFeed& samples,
                       storage::LogPosition samples_judged, const storage::LogsFeed& logs,
                       storage::LogPosition logs_judged, const storage::LogQuerier& lines) {
  std::vector<rules::OpenAlert> known;
  for (const auto& alert : open) known.push_back(to_open(alert));
  engine_.restore(known, clock_.now());
  // A restore may close what belongs to rules that are gone.
  hand_over({}, {});
  auto first_new = storage::LogPosition{~std::uint64_t{0}};
  AT_TRY(logs.replay(logs_judged, [&](const storage::CommittedLogs& committed) {
    first_new = std::min(first_new, committed.position);
  }));
  engine_.prime_logs(lines, first_new.value, clock_.now());
  AT_TRY(samples.replay(samples_judged, [this](const storage::CommittedSamples& committed) { on_samples(committed); }));
  return logs.replay(logs_judged, [this](const storage::CommittedLogs& committed) { on_logs(committed); });
}

void Judge::start() {
  {
    std::lock_guard lock(mutex_);
    started_ = true;
  }
  thread_ = std::thread([this] { run(); });
}

void Judge::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Judge::on_samples(const storage::CommittedSamples& committed) {
  enqueue(Samples{committed.tenant, committed.position, {committed.samples.begin(), committed.samples.end()}});
}

void Judge::on_logs(const storage::CommittedLogs& committed) {
  enqueue(Lines{committed.tenant, committed.position, {committed.records.begin(), committed.records.end()}});
}

namespace {
struct Weight {
  template <typename T>
  std::size_t operator()(const T& work) const {
    if constexpr (requires { work.samples; }) return work.samples.size() + 1;
    if constexpr (requires { work.records; }) return work.records.size() + 1;
    return 1;
  }
};
}  // namespace

void Judge::enqueue(Work work) {
  {
    std::unique_lock lock(mutex_);
    if (started_) {
      changed_.wait(lock, [&] { return stopping_ || queued_entries_ < kMaxQueued; });
      if (stopping_) return;  // judged by the next process: the cursor has not moved
      queued_entries_ += std::visit(Weight{}, work);
      waiting_.set(static_cast<double>(queued_entries_));
      queue_.push_back(std::move(work));
      lock.unlock();
      changed_.notify_all();
      return;
    }
  }
  process(work);
}

void Judge::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait_for(lock, kTick, [&] { return stopping_ || !queue_.empty(); });
    if (!queue_.empty()) {
      auto work = std::move(queue_.front());
      queue_.pop_front();
      queued_entries_ -= std::visit(Weight{}, work);
      waiting_.set(static_cast<double>(queued_entries_));
      lock.unlock();
      changed_.notify_all();
      process(work);
      lock.lock();
    }
    if (clock_.steady() - ticked_ < kTick) continue;
    ticked_ = clock_.steady();
    lock.unlock();
    tick();
    lock.lock();
  }
  // Whoever waits for a task gets it done; data that waits is left to the next process.
  for (auto& work : queue_) {
    if (auto* task = std::get_if<Task>(&work)) (*task)();
  }
  queue_.clear();
}

void Judge::process(Work& work) {
  if (auto* task = std::get_if<Task>(&work)) {
    (*task)();
    return;
  }
  const auto begun = clock_.steady();
  if (const auto* samples = std::get_if<Samples>(&work)) judge(*samples);
  if (const auto* lines = std::get_if<Lines>(&work)) judge(*lines);
  seconds_.observe(std::chrono::duration<double>(clock_.steady() - begun).count());
}

void Judge::judge(const Samples& work) {
  engine_.on_samples({work.tenant, work.position, work.samples}, clock_.now());
  hand_over(work.tenant, control::Cursor{kSamplesCursor, work.position.value});
}

void Judge::judge(const Lines& work) {
  engine_.on_logs({work.tenant, work.position, work.records}, clock_.now());
  hand_over(work.tenant, control::Cursor{kLogsCursor, work.position.value});
}

void Judge::tick() {
  engine_.on_tick(clock_.now());
  hand_over({}, {});
}

void Judge::verdict(rules::Verdict verdict) { gathered_.push_back(std::move(verdict)); }

void Judge::hand_over(const TenantId& tenant, std::optional<control::Cursor> cursor) {
  verdicts_.add(gathered_.size());
  // A commit is one tenant's; a tick may speak of several.
  std::map<TenantId, alerts::Judged> by_tenant;
  for (auto& verdict : std::exchange(gathered_, {})) {
    const auto owner = verdict.tenant;
    by_tenant[owner].judgements.push_back(to_judgement(std::move(verdict)));
  }
  if (cursor && by_tenant.empty()) {
    if (auto posted = control_.post_wait({tenant, {}, {}, cursor}); !posted) {
      telemetry::log_debug("judge", "cursor not moved", {{"reason", to_string(posted.error())}});
    }
    return;
  }
  for (auto& [owner, judged] : by_tenant) {
    // Only an error when stopping: then the cursor stays and the next process judges again.
    if (auto posted = control_.post_wait({owner, std::move(judged), {}, cursor}); !posted) {
      telemetry::log_warn("judge", "verdicts not stored",
                          {{"reason", to_string(posted.error())}, {"tenant", owner.value()}});
    }
  }
}

void Judge::on_strand(Task task) {
  auto finished = std::make_shared<std::promise<void>>();
  auto waiting = finished->get_future();
  // Whoever drops the task drops the promise with it, which ends the waiting too.
  enqueue(Task([task = std::move(task), finished = std::move(finished)] {
    task();
    finished->set_value();
  }));
  waiting.wait();
}

Status Judge::set_rules(std::vector<rules::RuleSpec> rules) {
  Status status;
  on_strand([&] {
    status = engine_.set_rules(std::move(rules), clock_.now());
    hand_over({}, {});
  });
  return status;
}

Status Judge::set_package_rules(const TenantId& tenant, const std::set<std::string>& packages,
                                std::vector<rules::RuleSpec> rules) {
  Status status;
  on_strand([&] {
    status = engine_.set_package_rules(tenant, packages, std::move(rules), clock_.now());
    hand_over({}, {});
  });
  return status;
}

void Judge::set_watched(rules::Watched watched) {
  on_strand([&] {
    engine_.set_watched(std::move(watched), clock_.now());
    hand_over({}, {});
  });
}

void Judge::forget(const TenantId& tenant, const std::string& host) {
  on_strand([&] {
    engine_.forget(tenant, {Matcher::equal("instance", host)}, clock_.now());
    hand_over({}, {});
  });
}

Result<std::vector<api::JudgedRule>> Judge::states(const TenantId& tenant) {
  std::vector<api::JudgedRule> copies;
  on_strand([&] {
    for (const auto& state : engine_.states(tenant)) {
      copies.push_back({*state.rule, state.level, state.series, state.error});
    }
  });
  return copies;
}

}  // namespace atalaya::app
