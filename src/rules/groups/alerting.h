// The memory of one alerting rule: which alerts are active, as Prometheus counts them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rules/groups/expander.h"
#include "rules/groups/group.h"

namespace atalaya::rules {

enum class AlertState : std::uint8_t { kInactive, kPending, kFiring };
/// inactive, pending, firing.
std::string_view name(AlertState state);

struct ActiveAlert {
  Labels labels;  ///< alertname and the rule's labels over those of the result
  std::map<std::string, std::string> annotations;
  AlertState state = AlertState::kPending;
  double value = 0;
  Time active_at;
  std::optional<Time> fired_at;
  std::optional<Time> resolved_at;
  std::optional<Time> keep_firing_since;
};

struct LabelledSample {
  Labels labels;
  Time time;
  double value = 0;
};

/// When an alert began, as ALERTS_FOR_STATE says it: before the process started.
struct RememberedAlert {
  Time begun;
  Time last_seen;
};
using RememberedAlerts = std::map<Labels, RememberedAlert>;

struct EarlyNews {
  bool any = false;             ///< something began or fired
  Time quiet_until = kMinTime;  ///< before then the same label sets bring nothing, whatever their values
};

/// Follows the rules of Prometheus' AlertingRule. Thread-compatible.
class AlertingRun {
 public:
  explicit AlertingRun(const PromRule& rule) : rule_(&rule) {}

  /// Takes the result of the expression at `at` and returns the samples of ALERTS and ALERTS_FOR_STATE at
  /// `at - offset`. An error where alerts would be the same, or more than `limit`: then none stays active.
  /// `grace`: how long an alert restored from `remembered` waits at least.
  Result<std::vector<LabelledSample>> take(const promql::Vector& result, Time at, Duration offset, std::size_t limit,
                                           const Outside& outside, const AskSeries& ask,
                                           const RememberedAlerts& remembered, Duration grace);
  /// On arrival: an alert that is not active yet begins, one that waited long enough fires. Nothing ends; nothing
  /// begins where more than `limit` would be active then, which is the tick's to tell.
  Result<EarlyNews> take_early(const promql::Vector& result, Time at, std::size_t limit, const Outside& outside,
                               const AskSeries& ask);

  /// Pending and firing ones, by labels.
  std::vector<const ActiveAlert*> active() const;
  /// The worst of its alerts.
  AlertState state() const;
  void take_over(const AlertingRun& before) { active_ = before.active_; }

 private:
  Result<std::map<Labels, ActiveAlert>> alerts_of(const promql::Vector& result, Time at, const Outside& outside,
                                                  const AskSeries& ask) const;
  void restore(ActiveAlert& alert, Time at, const RememberedAlerts& remembered, Duration grace) const;

  bool is_active(const Labels& labels) const;

  const PromRule* rule_;
  std::map<Labels, ActiveAlert> active_;  ///< resolved ones for a quarter of an hour, too
};

}  // namespace atalaya::rules
