// Judges samples and log lines as they arrive.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "model/matcher.h"
#include "rules/rule.h"
#include "rules/verdict.h"
#include "storage/logs.h"
#include "storage/series.h"

namespace atalaya::rules {

struct EngineOptions {
  Duration late_after{std::chrono::seconds{30}};
  /// A verdict that is not ok is repeated with a fresh value at most this often.
  Duration refresh{std::chrono::seconds{15}};
  /// An expression over many series (an aggregate) is evaluated at most this often.
  Duration coalesce{std::chrono::milliseconds{100}};
  /// How far back set_rules looks for series that live, so that silence since then is noticed.
  Duration look_back{std::chrono::hours{1}};
  std::size_t max_series_per_rule = 20'000;
};

/// An alert that was open when the process ended.
struct OpenAlert {
  TenantId tenant;
  std::string rule;
  Labels labels;
  Level level = Level::kCritical;  ///< warning, critical, no_data or error
  Time at;                         ///< data time of its last verdict
  Time since;                      ///< when the breach began
  bool sustained = false;
  double value = 0;
};

/// A line of `GET /rules`.
struct RuleState {
  const RuleSpec* rule = nullptr;  ///< valid until the next set_rules
  Level level = Level::kOk;        ///< the worst: error, critical, warning, no_data, ok
  std::size_t series = 0;          ///< label sets that it judges
  std::string error;
};

/// Is a series (or what is judged with these labels) one that rules are to look at?
using Watched = std::function<bool(const TenantId&, const Labels&)>;

/// The judge: pure, without thread, socket or clock; `now` is passed in and may be any time not far
/// from the true one. Strand-bound.
///
/// Operation: a series seen for the first time is matched once against the selectors of all rules of
/// its tenant (found by metric name); after that an arriving sample costs one look-up. Every judgement
/// is made at the sample's own time. A sample older than what was judged already for its label set
/// changes nothing, unless what was judged lies in the future: then the clock that wrote it was wrong.
/// NaN neither raises nor clears. A label set whose data stopped becomes `no_data` and leaves that
/// state only by a sample; one that ends by a stale marker becomes `no_data` at once when it was in
/// breach, also with `no_data: never` (or when the rule states a `no_data` time), and else ends quietly.
///
/// Start: set_rules, restore, prime_logs, then on_samples/on_logs of what was committed since the
/// judge's cursor.
class Engine {
 public:
  /// Borrows both for its life.
  Engine(const storage::SeriesQuerier& series, VerdictSink& sink, EngineOptions options = {});
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Replaces the rules of all tenants, all or none. Unchanged rules keep their state; a changed one
  /// keeps that of its open label sets and judges them anew by the next sample; open label sets of a
  /// removed one get an `ok` verdict with `removed` set and the text "rule removed".
  Status set_rules(std::vector<RuleSpec> rules, Time now);
  /// The same for the rules of some packages alone (their ids begin with `package/`): the others of the
  /// tenant stay as they are, and so does what they remember.
  Status set_package_rules(const TenantId& tenant, const std::set<std::string>& packages, std::vector<RuleSpec> rules,
                           Time now);
  /// Takes over what was open before the process started, without verdicts, except that alerts of
  /// rules which exist no longer are closed as removed. Call once, after the first set_rules.
  void restore(std::span<const OpenAlert> open, Time now);

  /// Counts the lines that were judged before the process started, those whose id is below `before`,
  /// without verdicts: windows go on where they were. Call once, after restore.
  void prime_logs(const storage::LogQuerier& logs, std::uint64_t before, Time now);
  /// From now on only the series for which this is true are judged; what is judged already and is not
  /// to be closes as removed. It is kept, and must stay cheap: it is asked once for each new series.
  void set_watched(Watched watched, Time now);

  void on_samples(const storage::CommittedSamples& batch, Time now);
  void on_logs(const storage::CommittedLogs& batch, Time now);
  /// Windows that passed, silence, coalesced evaluations. Call about every 100 ms.
  void on_tick(Time now);

  /// Drops the state of every label set that matches, closing what is open as removed: for a host
  /// that a person deleted.
  void forget(const TenantId& tenant, const Matchers& matchers, Time now);

  /// All rules of a tenant, ordered by id.
  std::vector<RuleState> states(const TenantId& tenant) const;
  std::size_t rule_count() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace atalaya::rules
