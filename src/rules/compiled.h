// A rule that the engine accepted: parsed once, evaluated many times.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "model/matcher.h"
#include "promql/engine.h"
#include "rules/rule.h"

namespace re2 {
class RE2;
}

namespace atalaya::rules {

/// How a rule's value is found when something arrives, cheapest first.
enum class Mode : std::uint8_t {
  kSample,     ///< from the arriving sample alone, without a query
  kPerSeries,  ///< by a query for the label set that the sample belongs to
  kWhole,      ///< by a query over everything that the expression reads
  kLines,      ///< from log lines
};

/// Immutable.
struct Compiled {
  RuleSpec spec;
  Mode mode = Mode::kSample;
  promql::ExpressionPtr expression;  ///< null for lines
  std::vector<Matchers> selectors;   ///< of series, or the one of log streams
  /// The expression holds a comparison that drops values, so that an absent result may mean "false".
  bool filters = false;
  std::shared_ptr<const re2::RE2> pattern;  ///< for lines

  const GaugeSpec* gauge() const { return std::get_if<GaugeSpec>(&spec.threshold); }
  const BinarySpec* binary() const { return std::get_if<BinarySpec>(&spec.threshold); }
  const TailableSpec* tailable() const { return std::get_if<TailableSpec>(&spec.threshold); }
};

/// Nullopt, with at least one problem added, when the rule does not hold.
std::optional<Compiled> compile(RuleSpec spec, std::vector<RuleProblem>& problems);

}  // namespace atalaya::rules
