// The threads on which groups of Prometheus' rules are evaluated.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "alerts/queries.h"
#include "app/rule_arrivals.h"
#include "base/time.h"
#include "config/reader.h"
#include "control/runner.h"
#include "io/file_system.h"
#include "rules/groups/group_run.h"
#include "rules/groups/schedule.h"
#include "storage/series.h"
#include "telemetry/metrics.h"

namespace atalaya::app {

struct RuleGroupsParts {
  const storage::SeriesQuerier& series;
  storage::SeriesAppender& appender;
  control::Runner& control;
  const Clock& clock;
  telemetry::Registry& metrics;
};

/// Evaluates each group at its instants: at most `threads` at once, one evaluation of a group at a time. Results
/// are stored as one batch and are on the disk before the group's next evaluation; verdicts travel to the control
/// loop with the instant as a cursor. A group that comes too late for an instant leaves it out and counts it; what
/// was missed while no process ran is evaluated in order from what is stored, up to an hour back.
/// Thread-safe after `start`.
class RuleGroups {
 public:
  RuleGroups(RuleGroupsParts parts, rules::GroupOptions options, bool on_arrival, unsigned threads = 4);
  ~RuleGroups();

  /// All groups of a tenant from `source` ("packages", "files"); those of other sources stay. Unchanged groups go
  /// on as they are, changed ones keep what is known of their rules, and what is gone ends.
  void set_groups(const TenantId& tenant, const std::string& source, std::vector<rules::GroupSpec> groups);

  /// Rule files of the default tenant, by patterns: all or nothing. The errors keep what was.
  config::Errors read_files(io::FileSystem& files, const std::vector<std::string>& patterns);

  // Before start.
  /// Takes up the alerts of groups; returns the others.
  std::vector<alerts::OpenAlert> remember(std::vector<alerts::OpenAlert> open);
  /// `evaluated`: how far the last process came with a group, by the name of its cursor; 0: not at all.
  void start(const std::function<std::uint64_t(const std::string& cursor)>& evaluated);
  void stop();
  /// Called on the commit thread.
  void on_samples(const storage::CommittedSamples& committed);

  /// Lets go of the open alerts of a removed host.
  void forget(const TenantId& tenant, const std::string& host);

  /// By file and name.
  std::vector<rules::GroupState> states(const TenantId& tenant) const;

 private:
  struct Slot {
    Slot(rules::GroupRun made, rules::Schedule when) : run(std::move(made)), schedule(when) {}

    std::mutex mutex;
    rules::GroupSpecPtr spec;  ///< never changes
    rules::GroupRun run;       ///< guarded by mutex
    const rules::Schedule schedule;
    const std::shared_ptr<std::atomic<std::uint64_t>> ticks = std::make_shared<std::atomic<std::uint64_t>>(0);
    std::string source;
    std::atomic<bool> gone{false};  ///< evaluated no more
    Time next;                      ///< guarded by RuleGroups::mutex_
    Time missed_until;              ///< as next: instants up to here were missed and are evaluated one by one
    bool evaluating = false;        ///< as next
  };
  using SlotPtr = std::shared_ptr<Slot>;
  using Key = std::pair<TenantId, std::string>;  ///< tenant, id of the group

  std::vector<SlotPtr> slots_of(const TenantId& tenant) const;
  void work();
  SlotPtr take_due(std::unique_lock<std::mutex>& lock);
  void evaluate(Slot& slot, Time at);
  EarlyAnswer evaluate_early(const rules::GroupSpecPtr& group, std::size_t index, const Matchers& restrict, Time at);
  void tell_arrivals();
  void plan_next(Slot& slot, Time at);
  SlotPtr make_slot(rules::GroupSpecPtr spec, const std::string& source, bool restore);
  void store(const TenantId& tenant, std::vector<rules::LabelledSample> samples);
  void post(const TenantId& tenant, std::vector<rules::Verdict> verdicts, std::optional<control::Cursor> cursor);

  const RuleGroupsParts parts_;
  const rules::GroupOptions options_;
  const unsigned thread_count_;
  telemetry::Counter& evaluations_;
  telemetry::Counter& failures_;
  telemetry::Counter& missed_;
  telemetry::Counter& samples_;
  telemetry::Histogram& seconds_;
  telemetry::Gauge& groups_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Key, SlotPtr> slots_;  ///< guarded by mutex_
  bool started_ = false;          ///< guarded by mutex_
  Time settled_;                  ///< from then on missed instants are evaluated; guarded by mutex_
  bool stopping_ = false;         ///< guarded by mutex_
  std::vector<std::thread> threads_;
  std::unique_ptr<RuleArrivals> arrivals_;  ///< null where ticks alone decide
};

/// Those of the server.
rules::GroupOptions group_options(const std::string& external_url, Labels external_labels, Duration late_after);

/// Name of the cursor that says how far a group was evaluated.
std::string group_cursor(const TenantId& tenant, const std::string& group);

}  // namespace atalaya::app
