// A rule as a person declared it in a package.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "rules/verdict.h"

namespace atalaya::rules {

/// In breach while the value is strictly above (or below) a threshold; a level once reached is left
/// only when the value has come back by `hysteresis`. At least one of the two thresholds is set.
struct GaugeSpec {
  std::string expr;
  bool above = true;
  std::optional<double> warning;
  std::optional<double> critical;
  double hysteresis = 0;

  bool operator==(const GaugeSpec&) const = default;
};

/// Down while the expression's value is 0 or filtered out; in breach after `failures` in a row.
struct BinarySpec {
  std::string expr;
  std::uint32_t failures = 1;
  Level severity = Level::kCritical;

  bool operator==(const BinarySpec&) const = default;
};

/// In breach while at least `count` lines of the last `within` match `pattern` (RE2, unanchored), or,
/// with `absent`, while none does. `match` is a selector of log streams: `{file="/var/log/app.log"}`.
struct TailableSpec {
  std::string match;
  std::string pattern;
  bool absent = false;
  std::uint32_t count = 1;
  Duration within{std::chrono::minutes{5}};
  Level severity = Level::kCritical;

  bool operator==(const TailableSpec&) const = default;
};

struct RuleSpec {
  TenantId tenant;
  std::string id;    ///< "package/group/name"
  std::string name;  ///< the alert's name
  std::string title;
  std::variant<GaugeSpec, BinarySpec, TailableSpec> threshold;
  Duration for_duration{0};
  /// Silence after which a series has no data; nullopt for "never".
  std::optional<Duration> no_data = Duration{std::chrono::minutes{5}};
  /// `no_data` was written by the person: then also a series that ends in good health (stale marker)
  /// is no_data. Otherwise it ends quietly, as a device that was unplugged.
  bool no_data_stated = false;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  /// Labels by which its alerts are told apart; none: all of them.
  std::vector<std::string> identity;
  std::vector<std::string> depends_on;        ///< ids of items
  std::vector<std::string> correlate_labels;  ///< by which its alerts join incidents; none: as others do
  std::vector<std::string> correlate_alerts;  ///< names of alerts whose incidents they join
  Place origin;

  Kind kind() const { return static_cast<Kind>(threshold.index()); }
  /// The PromQL text, or a tailable rule's matchers.
  const std::string& expr() const;
  /// All but the origin: a rule that only moved within its file is the same rule.
  bool same_content(const RuleSpec& other) const;
};

/// What is wrong with a rule: `field` is the path below the rule (`gauge.expr`, `tailable.pattern`);
/// the error's place counts within that field's text.
struct RuleProblem {
  std::string field;
  Error error;
};

/// Everything that would keep the engine from accepting this rule. Empty when it is good.
std::vector<RuleProblem> check(const RuleSpec& spec);

}  // namespace atalaya::rules
