#include "rules/compiled.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <cmath>
#include <string_view>
#include <utility>

namespace atalaya::rules {
namespace {

constexpr std::uint32_t kMaxCount = 10'000;
/// Bounds the automaton of a pattern: more means that a line could cost milliseconds.
constexpr std::int64_t kPatternMemory = 1 << 20;

class Checker {
 public:
  explicit Checker(std::vector<RuleProblem>& problems) : problems_(problems), before_(problems.size()) {}
  void add(std::string field, std::string message, std::string remedy) {
    problems_.push_back(
        {std::move(field), Error{ErrorCode::kInvalidArgument, std::move(message), std::nullopt, std::move(remedy)}});
  }
  void add(std::string field, Error error) { problems_.push_back({std::move(field), std::move(error)}); }
  bool good() const { return problems_.size() == before_; }

 private:
  std::vector<RuleProblem>& problems_;
  const std::size_t before_;
};

/// Looks at the canonical text, outside of quotes, braces and brackets: a comparison operator that
/// is not followed by `bool`.
bool holds_filter(std::string_view text) {
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' || c == '\'' || c == '`') {
      for (++i; i < text.size() && text[i] != c; ++i) {
        if (text[i] == '\\' && c != '`') ++i;
      }
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
    } else if (depth == 0 && (c == '<' || c == '>' || (c == '!' && text.substr(i, 2) == "!=") ||
                              (c == '=' && text.substr(i, 2) == "=="))) {
      if (i + 1 < text.size() && text[i + 1] == '=') ++i;
      auto rest = text.substr(i + 1);
      while (rest.starts_with(' ')) rest.remove_prefix(1);
      if (!rest.starts_with("bool")) return true;
    }
  }
  return false;
}

void compile_expression(Compiled& rule, const std::string& text, const std::string& field, Checker& check) {
  if (text.empty()) return check.add(field, "the expression is empty", "write a PromQL expression, e.g. node_load1");
  auto parsed = promql::parse(text);
  if (!parsed) return check.add(field, std::move(parsed).error());
  rule.expression = std::move(*parsed);
  rule.selectors = promql::selectors(*rule.expression);
  if (rule.selectors.empty()) {
    return check.add(field, "the expression reads no series, so nothing would ever be judged",
                     "name a metric, e.g. node_load1");
  }
  rule.filters = holds_filter(promql::to_string(*rule.expression));
  if (promql::is_single_sample(*rule.expression)) {
    rule.mode = Mode::kSample;
  } else {
    rule.mode = promql::is_per_series(*rule.expression) ? Mode::kPerSeries : Mode::kWhole;
  }
}

void check_gauge(Compiled& rule, const GaugeSpec& gauge, Checker& check) {
  compile_expression(rule, gauge.expr, "gauge.expr", check);
  const std::string side = gauge.above ? "gauge.above" : "gauge.below";
  if (!gauge.warning && !gauge.critical) {
    check.add(side, "neither warning nor critical is set", "set at least one, e.g. {warning: 0.8, critical: 0.9}");
  }
  for (const auto& [field, value] : {std::pair{".warning", gauge.warning}, {".critical", gauge.critical}}) {
    if (value && !std::isfinite(*value)) check.add(side + field, "a threshold is a finite number", "");
  }
  if (gauge.warning && gauge.critical &&
      (gauge.above ? *gauge.warning > *gauge.critical : *gauge.warning < *gauge.critical)) {
    check.add(side + ".critical",
              fmt::format("critical ({:g}) is reached before warning ({:g})", *gauge.critical, *gauge.warning),
              gauge.above ? "with above, critical is the larger one" : "with below, critical is the smaller one");
  }
  if (!std::isfinite(gauge.hysteresis) || gauge.hysteresis < 0) {
    check.add("gauge.hysteresis", "hysteresis is a number of at least 0", "it is a distance from the threshold");
  }
}

void check_severity(Level severity, const std::string& field, Checker& check) {
  if (severity == Level::kWarning || severity == Level::kCritical) return;
  check.add(field, "severity is warning or critical", "");
}

void check_binary(Compiled& rule, const BinarySpec& binary, Checker& check) {
  compile_expression(rule, binary.expr, "binary.expr", check);
  if (binary.failures < 1 || binary.failures > kMaxCount) {
    check.add("binary.failures", fmt::format("failures is 1 to {}", kMaxCount), "");
  }
  check_severity(binary.severity, "binary.severity", check);
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

void check_tailable(Compiled& rule, const TailableSpec& tailable, Checker& check) {
  rule.mode = Mode::kLines;
  const auto match = trimmed(tailable.match);
  if (!match.starts_with('{') || !match.ends_with('}')) {
    check.add("tailable.match", "match is a selector of log streams in braces",
              R"(write e.g. {file="/var/log/app.log"})");
  } else if (auto parsed = promql::parse(tailable.match); !parsed) {
    check.add("tailable.match", std::move(parsed).error());
  } else {
    rule.selectors = promql::selectors(**parsed);
    if (rule.selectors.size() != 1) check.add("tailable.match", "match is one selector in braces", "");
  }
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(kPatternMemory);
  auto pattern = std::make_shared<re2::RE2>(tailable.pattern, options);
  if (!pattern->ok()) {
    check.add("tailable.pattern", "bad regular expression: " + pattern->error(),
              pattern->error_code() == re2::RE2::ErrorPatternTooLarge
                  ? "make it smaller: repetition counts multiply its cost"
                  : "the syntax is RE2's (https://github.com/google/re2/wiki/Syntax)");
  }
  rule.pattern = std::move(pattern);
  if (tailable.count < 1 || tailable.count > kMaxCount) {
    check.add("tailable.count", fmt::format("count is 1 to {}", kMaxCount), "");
  }
  if (tailable.within <= Duration{0}) check.add("tailable.within", "within is longer than 0", "e.g. 5m");
  check_severity(tailable.severity, "tailable.severity", check);
}

bool is_label_name(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  for (const char c : name) {
    if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_') return false;
  }
  return true;
}

void check_common(const RuleSpec& spec, Checker& check) {
  if (spec.for_duration < Duration{0}) check.add("for", "for is not negative", "");
  if (spec.no_data && *spec.no_data <= Duration{0}) {
    check.add("no_data", "no_data is longer than 0", "write never to switch it off");
  }
  for (const auto& [name, value] : spec.labels) {
    if (!is_label_name(name)) {
      check.add("labels." + name, fmt::format("'{}' is not a label name", name), "letters, digits and _ only");
    } else if (name == "alertname" || name.starts_with("__")) {
      check.add("labels." + name, fmt::format("the label {} is not yours to set", name), "choose another name");
    }
  }
}

}  // namespace

std::optional<Compiled> compile(RuleSpec spec, std::vector<RuleProblem>& problems) {
  Compiled rule;
  Checker check(problems);
  check_common(spec, check);
  if (const auto* gauge = std::get_if<GaugeSpec>(&spec.threshold)) check_gauge(rule, *gauge, check);
  if (const auto* binary = std::get_if<BinarySpec>(&spec.threshold)) check_binary(rule, *binary, check);
  if (const auto* tailable = std::get_if<TailableSpec>(&spec.threshold)) check_tailable(rule, *tailable, check);
  if (!check.good()) return std::nullopt;
  rule.spec = std::move(spec);
  return rule;
}

}  // namespace atalaya::rules
