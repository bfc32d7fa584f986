// Alerting rules of groups that start when a sample arrives, before their next tick.
#pragma once

#include <atomic>
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

#include "base/time.h"
#include "rules/groups/group.h"
#include "rules/groups/selector_index.h"
#include "storage/series.h"
#include "telemetry/metrics.h"

namespace atalaya::app {

/// The alerting rule at `index` of a group. `restrict`: for the series that match alone; empty: for all.
using EvaluateEarly =
    std::function<void(const rules::GroupSpecPtr& group, std::size_t index, const Matchers& restrict, Time at)>;

/// Operation: a series seen for the first time is matched once against the selectors of rules; after that an
/// arriving sample costs one look-up. A rule whose expression is per series is evaluated for that series alone; every
/// other at most once in 100 ms, a few at a time between samples; both as of now, or of a sample whose clock is a
/// little ahead. All of it may take a quarter of a processor, of which each kind has its share, so that
/// sums and rates do not take from samples that cross a limit: beyond that, and where more samples wait than are held,
/// ticks alone decide, and that is counted (atalaya_rules_arrival_*). Thread-safe after `start`.
class RuleArrivals {
 public:
  RuleArrivals(const storage::SeriesQuerier& series, const Clock& clock, telemetry::Registry& metrics,
               EvaluateEarly evaluate);
  ~RuleArrivals();

  /// All groups of all tenants; those that do not want it are passed over.
  void set_groups(const std::vector<rules::GroupSpecPtr>& groups);
  void start();
  void stop();
  /// Called on the commit thread: takes a copy of what a rule may read.
  void on_samples(const storage::CommittedSamples& committed);

 private:
  struct Watcher {
    rules::GroupSpecPtr group;
    std::size_t index = 0;
    bool per_series = false;
    bool single_sample = false;
  };
  /// What is watched; replaced as a whole.
  struct Watch {
    std::vector<Watcher> watchers;
    std::map<TenantId, rules::SelectorIndex> of_tenant;  ///< numbers are places in watchers
    /// By (tenant, series): which watchers read it. Filled by the thread alone.
    std::map<TenantId, std::unordered_map<std::uint64_t, std::vector<std::uint32_t>>> known;
  };
  struct Arrived {
    TenantId tenant;
    std::vector<storage::SeriesSample> samples;
  };

  void run();
  void look_at(Watch& watch, const Arrived& arrived);
  void begin_waiting();
  void evaluate_due(Watch& watch);
  const std::vector<std::uint32_t>& readers(Watch& watch, const TenantId& tenant, SeriesId id) const;
  /// A share of a processor that may be saved up for a second. Thread-compatible.
  struct Account {
    double share = 0;
    double seconds = 0;  ///< left
    Steady looked{};
  };
  bool has_budget(Account& account);
  void evaluate(const Watcher& watcher, const Matchers& restrict, Time sample, Account& account);
  void tell_use();

  const storage::SeriesQuerier& series_;
  const Clock& clock_;
  const EvaluateEarly evaluate_;
  telemetry::Counter& evaluations_;
  telemetry::Counter& left_out_;
  telemetry::Gauge& used_;

  // Thread.
  std::map<std::uint32_t, Time> waiting_;           ///< watchers of whole results → newest sample
  std::deque<std::pair<std::uint32_t, Time>> due_;  ///< of them those whose turn it is
  std::uint32_t turn_ = 0;                          ///< where the next round begins: nobody is always the last
  Steady looked_{};
  Account of_crossings_{.share = 0.1};  ///< a sample that its rule is true of: rare, and never for nothing
  Account of_series_{.share = 0.075};
  Account of_whole_{.share = 0.075};
  Steady period_began_{};
  double period_seconds_ = 0;  ///< spent since then

  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<Watch> watch_ = std::make_shared<Watch>();  ///< guarded by mutex_
  std::deque<Arrived> queue_;                                 ///< guarded by mutex_
  std::size_t queued_ = 0;                                    ///< samples; guarded by mutex_
  bool stopping_ = false;                                     ///< guarded by mutex_
  std::atomic<bool> any_{false};
  std::thread thread_;
};

}  // namespace atalaya::app
