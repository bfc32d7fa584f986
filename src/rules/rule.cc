#include "rules/rule.h"

#include "rules/compiled.h"

namespace atalaya::rules {

std::string_view name(Kind kind) {
  switch (kind) {
    case Kind::kGauge: return "gauge";
    case Kind::kBinary: return "binary";
    case Kind::kTailable: return "tailable";
  }
  return "gauge";
}

std::string_view name(Level level) {
  switch (level) {
    case Level::kOk: return "ok";
    case Level::kWarning: return "warning";
    case Level::kCritical: return "critical";
    case Level::kNoData: return "no_data";
    case Level::kError: return "error";
  }
  return "error";
}

const std::string& RuleSpec::expr() const {
  if (const auto* gauge = std::get_if<GaugeSpec>(&threshold)) return gauge->expr;
  if (const auto* binary = std::get_if<BinarySpec>(&threshold)) return binary->expr;
  return std::get<TailableSpec>(threshold).match;
}

bool RuleSpec::same_content(const RuleSpec& other) const {
  return tenant == other.tenant && id == other.id && name == other.name && title == other.title &&
         threshold == other.threshold && for_duration == other.for_duration && no_data == other.no_data &&
         no_data_stated == other.no_data_stated && labels == other.labels && annotations == other.annotations &&
         identity == other.identity && depends_on == other.depends_on && correlate_labels == other.correlate_labels &&
         correlate_alerts == other.correlate_alerts;
}

std::vector<RuleProblem> check(const RuleSpec& spec) {
  std::vector<RuleProblem> problems;
  compile(spec, problems);
  return problems;
}

}  // namespace atalaya::rules
