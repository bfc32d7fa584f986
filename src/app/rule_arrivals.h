// Alerting rules of groups that start when a sample arrives, before their next tick.
#pragma once

#include <atomic>
#include <chrono>
#include <compare>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "app/series_readers.h"
#include "base/cpu_time.h"
#include "base/time.h"
#include "rules/groups/group.h"
#include "rules/groups/selector_index.h"
#include "storage/series.h"
#include "telemetry/metrics.h"

namespace atalaya::app {

/// What one evaluation tells of the next ones.
struct EarlyAnswer {
  bool is_busy = false;         ///< the group is at a tick: nothing was evaluated, ask again later
  Time quiet_until = kMinTime;  ///< before then other samples of the same series change nothing, unless a tick does
  bool spoke = false;           ///< an alert is another now
};

/// The alerting rule at `index` of a group. `restrict`: for the series that match alone; empty: for all. Never waits
/// for a tick.
using EvaluateEarly =
    std::function<EarlyAnswer(const rules::GroupSpecPtr& group, std::size_t index, const Matchers& restrict, Time at)>;

struct WatchedGroup {
  rules::GroupSpecPtr spec;
  std::shared_ptr<const std::atomic<std::uint64_t>> ticks;  ///< how many the group has had
};

/// Operation: a series seen for the first time is matched once against the selectors of rules; after that an
/// arriving sample costs one look-up. Samples that cross a limit are evaluated on the thread that looks at samples; all
/// else on one of its own, so that a long evaluation holds up no crossing. A rule whose expression is per series is
/// evaluated for that series alone; every other at most once in 100 ms; both as of now, or of a sample whose clock is a
/// little ahead. Where an alert fires already nothing is evaluated until the next tick. All of it may take a quarter
/// of a processor, of which each kind has its share, so that sums and rates do not take from samples that cross a
/// limit. What is beyond a share waits, in order and each series once, until there is processor time again; a group
/// that a tick is evaluating is asked again a little later. Only where more waits than is held do ticks alone decide,
/// and that is counted (atalaya_rules_arrival_*). Thread-safe after `start`.
class RuleArrivals {
 public:
  RuleArrivals(const storage::SeriesQuerier& series, const Clock& clock, CpuTime cpu, telemetry::Registry& metrics,
               EvaluateEarly evaluate);
  ~RuleArrivals();

  /// All groups of all tenants; those that do not want it are passed over. What waits for a group that stays goes on
  /// waiting.
  void set_groups(const std::vector<WatchedGroup>& groups);
  void start();
  void stop();
  /// Called on the commit thread: takes a copy of what a rule may read.
  void on_samples(const storage::CommittedSamples& committed);
  /// One round of both threads, for those who do not start them: at most one commit and a slice of what waits. Says
  /// how long the next round may wait for samples.
  std::chrono::nanoseconds turn();

 private:
  struct Watcher {
    rules::GroupSpecPtr group;
    std::shared_ptr<const std::atomic<std::uint64_t>> ticks;
    std::size_t index = 0;
    bool per_series = false;
    bool single_sample = false;
  };
  /// What is watched; replaced as a whole.
  struct Watch {
    std::vector<Watcher> watchers;
    std::map<std::pair<const rules::GroupSpec*, std::size_t>, std::uint32_t> places;  ///< by group and index
    std::map<TenantId, rules::SelectorIndex> of_tenant;  ///< numbers are places in watchers
    std::map<TenantId, SeriesReaders> known;             ///< of the thread that looks at samples

    /// Where the same rule is here, if it is.
    std::optional<std::uint32_t> place_of(const Watcher& watcher) const;
  };
  struct Arrived {
    TenantId tenant;
    Steady came{};
    std::vector<storage::SeriesSample> samples;
  };
  /// What waits for an evaluation.
  struct Due {
    Time newest;  ///< of its samples
    Steady came;  ///< when the first of them was committed
  };
  /// A rule and the series that it is evaluated for; series 0: for all.
  struct Work {
    std::uint32_t watcher = 0;
    std::uint64_t series = 0;
    auto operator<=>(const Work&) const = default;
  };
  struct HashOfWork {
    std::size_t operator()(const Work& work) const {
      return std::hash<std::uint64_t>{}(work.series * 0x9e3779b97f4a7c15 + work.watcher);
    }
  };
  /// Work of one kind in order of arrival, each once; and its share of a processor, which may be saved up for a
  /// second.
  struct Lane {
    double share = 0;
    double seconds = 0;  ///< left
    Steady looked{};
    std::deque<Work> order;
    std::unordered_map<Work, Due, HashOfWork> due;
  };
  /// Since when another sample tells nothing.
  struct Quiet {
    std::uint64_t ticks = 0;
    Time until;
  };

  void run_first();
  void run_rest();
  std::chrono::nanoseconds turn_first();
  std::chrono::nanoseconds turn_rest();
  void adopt(std::shared_ptr<Watch> next);
  std::optional<Arrived> next_arrived();
  void look_at(const Arrived& arrived);
  void add(Lane& lane, const Work& work, const Due& due);
  void begin_waiting();
  bool work_on(Lane& lane, std::chrono::nanoseconds slice);
  bool evaluate(std::unique_lock<std::mutex>& lock, Lane& lane, const Work& work, const Due& due);
  bool has_budget(Lane& lane) const;
  bool is_quiet(const Work& work);
  void tell_use();

  const storage::SeriesQuerier& series_;
  const Clock& clock_;
  const CpuTime cpu_;
  const EvaluateEarly evaluate_;
  telemetry::Counter& evaluations_;
  telemetry::Counter& left_out_;
  telemetry::Gauge& waiting_count_;
  telemetry::Gauge& used_;
  telemetry::Histogram& seconds_of_series_;
  telemetry::Histogram& seconds_of_whole_;

  // Guarded by work_mutex_, which nobody holds while a rule is evaluated; current_ changes on the thread of samples.
  std::mutex work_mutex_;
  std::condition_variable rest_changed_;
  std::shared_ptr<Watch> current_ = std::make_shared<Watch>();
  std::map<std::uint32_t, Due> waiting_;  ///< of whole results, by watcher
  Steady looked_{};
  Lane crossings_{.share = 0.1};  ///< a sample that its rule is true of: rare, and never for nothing
  Lane of_series_{.share = 0.075};
  Lane of_whole_{.share = 0.075};
  std::unordered_map<Work, Quiet, HashOfWork> quiet_;
  Steady period_began_{};
  double period_seconds_ = 0;  ///< spent since then
  bool rest_stopping_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<Watch> watch_ = std::make_shared<Watch>();  ///< guarded by mutex_
  std::deque<Arrived> queue_;                                 ///< guarded by mutex_
  std::size_t queued_ = 0;                                    ///< samples; guarded by mutex_
  bool stopping_ = false;                                     ///< guarded by mutex_
  std::atomic<bool> any_{false};
  std::thread first_;
  std::thread rest_;
};

}  // namespace atalaya::app
