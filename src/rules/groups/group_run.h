// Evaluates the rules of one group, in order, and remembers what was.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "rules/groups/alerting.h"
#include "rules/groups/overlay.h"
#include "rules/groups/voice.h"
#include "storage/series.h"

namespace atalaya::rules {

struct GroupOptions {
  promql::Limits limits;
  Outside outside;
  Duration default_interval = std::chrono::minutes{1};
  Duration default_offset{0};
  Duration for_grace = std::chrono::minutes{10};      ///< a restored alert waits at least this long
  Duration outage_tolerance = std::chrono::hours{1};  ///< how far back alerts are looked for that were active
  Duration late_after = std::chrono::seconds{30};
  bool restore = false;  ///< the process has just started: take up what ALERTS_FOR_STATE says
};

enum class Health : std::uint8_t { kUnknown, kGood, kBad };
std::string_view name(Health health);  ///< unknown, ok, err

/// What may be known of a rule beside its declaration.
struct PromRuleState {
  Health health = Health::kUnknown;
  std::string last_error;
  double evaluation_seconds = 0;
  std::optional<Time> last_evaluation;
  std::size_t samples = 0;  ///< of its last result
  AlertState state = AlertState::kInactive;
  std::vector<ActiveAlert> alerts;  ///< pending and firing
};

/// A group as it stands; rules in the order of the declaration.
struct GroupState {
  GroupSpecPtr spec;
  Duration interval{0};
  double evaluation_seconds = 0;
  std::optional<Time> last_evaluation;
  std::vector<PromRuleState> rules;
};

/// What one evaluation leaves behind.
struct Evaluated {
  std::vector<LabelledSample> samples;  ///< to be stored as one batch
  std::vector<Verdict> verdicts;
};

/// What an evaluation on arrival leaves behind.
struct Early {
  std::vector<Verdict> verdicts;
  bool too_soon = false;        ///< a tick of this instant, or of a later one, has been: ask again later
  Time quiet_until = kMinTime;  ///< before then samples of the same series change nothing, unless a tick does
};

/// Pure: store and clock are arguments. A rule sees the store and what the rules before it just yielded, ALERTS
/// included; one that fails keeps its alerts as they were and takes nothing from the others.
/// Thread-compatible.
class GroupRun {
 public:
  GroupRun(GroupSpecPtr spec, GroupOptions options);
  ~GroupRun();
  GroupRun(GroupRun&&) noexcept;
  GroupRun& operator=(GroupRun&&) noexcept;

  /// `at` is the instant of the evaluation; the clock says how late that is and how long it took.
  Evaluated evaluate(const storage::SeriesQuerier& store, Time at, const Clock& clock);

  /// On arrival: the alerting rule at `index` alone, for the series that match `restrict` alone. May begin alerts
  /// and make them fire, and never ends any; nothing is stored. `at` is the time of the sample.
  Early evaluate_early(const storage::SeriesQuerier& store, std::size_t index, const Matchers& restrict, Time at,
                       const Clock& clock);

  /// Takes up what a run of an earlier declaration knows: rules are the same by name and labels. What is gone
  /// ends: its series by stale markers with the next evaluation, its alerts by verdicts.
  std::vector<Verdict> take_over(const GroupRun& before, Time now);
  /// Everything ends at `now`.
  Evaluated end(Time now) const;
  /// An alert of ours that was open before the process started. False: no rule of the group has this id.
  bool remember(const std::string& rule, const Labels& labels, Level level, bool fired);

  /// Says nothing more of open alerts that match: for a host that a person deleted.
  void forget(const Matchers& matchers);

  const GroupSpec& spec() const { return *spec_; }
  Duration interval() const { return spec_->interval.value_or(options_.default_interval); }
  GroupState state() const;
  /// Firing alerts of the alerting rules of this name.
  std::vector<const ActiveAlert*> firing(std::string_view alertname) const;

 private:
  struct Rule;
  Result<promql::Vector> ask(const storage::SeriesQuerier& store, const promql::Expression& expression, Time at,
                             const Matchers& restrict = {}) const;
  Result<std::vector<LabelledSample>> record(const PromRule& rule, const promql::Vector& result) const;
  Status run(Rule& rule, OverlaySeries& store, Time at, bool late, Evaluated& out);
  RememberedAlerts remembered_of(const PromRule& rule, const storage::SeriesQuerier& store, Time at) const;
  Judged judged_of(const Rule& rule, const storage::SeriesQuerier& store, Time at) const;
  Duration offset() const { return spec_->query_offset.value_or(options_.default_offset); }

  GroupSpecPtr spec_;
  GroupOptions options_;
  std::vector<std::unique_ptr<Rule>> rules_;
  std::set<Labels> ended_;  ///< series of rules that are gone: they get a stale marker
  int evaluations_ = 0;     ///< in time, since the start; counts to two
  double evaluation_seconds_ = 0;
  std::optional<Time> last_evaluation_;
};

}  // namespace atalaya::rules
