// The thread on which rules are judged: committed samples and lines in, verdicts to the control loop out.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <thread>
#include <variant>
#include <vector>

#include "alerts/judgement.h"
#include "alerts/queries.h"
#include "api/configuration.h"
#include "base/time.h"
#include "control/runner.h"
#include "rules/engine.h"
#include "storage/logs.h"
#include "storage/series.h"
#include "telemetry/metrics.h"

namespace atalaya::app {

/// Names of the cursors that the control database keeps for the judge.
constexpr const char* kSamplesCursor = "samples";
constexpr const char* kLogsCursor = "logs";

/// Owns the rule engine and its strand. Verdicts of one commit travel to the control loop as one event
/// together with the commit's position, so that what was not stored is judged again after a crash.
///
/// Operation: `on_*` (called from commit threads) queue a copy and wait while the queue is full: a
/// judge that cannot follow slows the writers down instead of losing anything. Before `start`
/// everything runs on the caller's thread: that is how start-up judges what the last process left.
/// Thread-safe after `start`.
class Judge final : private rules::VerdictSink {
 public:
  Judge(const storage::SeriesQuerier& series, control::Runner& control, const Clock& clock,
        telemetry::Registry& metrics, rules::EngineOptions options);
  ~Judge() override;

  // Before start.
  /// Takes over the alerts that are open, then judges what was committed after the cursors.
  /// `lines` is the store behind `logs`: what it holds from before the cursor counts in windows.
  Status catch_up(const std::vector<alerts::OpenAlert>& open, const storage::SamplesFeed& samples,
                  storage::LogPosition samples_judged, const storage::LogsFeed& logs, storage::LogPosition logs_judged,
                  const storage::LogQuerier& lines);
  void start();
  void stop();

  void on_samples(const storage::CommittedSamples& committed);
  void on_logs(const storage::CommittedLogs& committed);
  /// All rules of all tenants; waits until they are in force.
  Status set_rules(std::vector<rules::RuleSpec> rules);
  /// The same for the rules of some packages alone.
  Status set_package_rules(const TenantId& tenant, const std::set<std::string>& packages,
                           std::vector<rules::RuleSpec> rules);
  /// Which series are judged at all (watched_checks.h); what is not any more closes as removed.
  void set_watched(rules::Watched watched);
  /// Lets go of everything known about a removed host.
  void forget(const TenantId& tenant, const std::string& host);
  Result<std::vector<api::JudgedRule>> states(const TenantId& tenant);

 private:
  struct Samples {
    TenantId tenant;
    storage::LogPosition position;
    std::vector<storage::SeriesSample> samples;
  };
  struct Lines {
    TenantId tenant;
    storage::LogPosition position;
    std::vector<LogRecord> records;
  };
  using Task = std::function<void()>;
  using Work = std::variant<Samples, Lines, Task>;

  void verdict(rules::Verdict verdict) override;
  void enqueue(Work work);
  void run();
  void process(Work& work);
  void judge(const Samples& work);
  void judge(const Lines& work);
  void tick();
  /// Posts the verdicts gathered, with the cursor if there is one.
  void hand_over(const TenantId& tenant, std::optional<control::Cursor> cursor);
  /// Runs on the strand and waits for it; directly before `start`.
  void on_strand(Task task);

  control::Runner& control_;
  const Clock& clock_;
  telemetry::Histogram& seconds_;
  telemetry::Gauge& waiting_;
  telemetry::Counter& verdicts_;
  rules::Engine engine_;

  // Strand.
  std::vector<rules::Verdict> gathered_;
  Steady ticked_{};

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> queue_;          // guarded by mutex_
  std::size_t queued_entries_ = 0;  // guarded by mutex_
  bool started_ = false;            // guarded by mutex_
  bool stopping_ = false;           // guarded by mutex_
  std::thread thread_;
};

}  // namespace atalaya::app
