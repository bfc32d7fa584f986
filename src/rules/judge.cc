#include "rules/judge.h"

#include <fmt/format.h>

#include <algorithm>

namespace atalaya::rules {
namespace {

bool crosses(const GaugeSpec& gauge, double threshold, bool held, double value) {
  const double slack = held ? gauge.hysteresis : 0;
  return gauge.above ? value > threshold - slack : value < threshold + slack;
}

}  // namespace

Level gauge_level(const GaugeSpec& gauge, Level before, double value) {
  if (gauge.critical && crosses(gauge, *gauge.critical, before == Level::kCritical, value)) return Level::kCritical;
  const bool held = before == Level::kCritical || before == Level::kWarning;
  if (gauge.warning && crosses(gauge, *gauge.warning, held, value)) return Level::kWarning;
  return Level::kOk;
}

std::optional<Level> binary_level(const BinarySpec& binary, Subject& subject, bool down, Time at) {
  // The same instant again (another input of the expression arrived): judge it in place of the first.
  if (at != subject.last_at) subject.failures_before = subject.failures;
  if (!down) {
    subject.failures = 0;
    return Level::kOk;
  }
  if (subject.failures_before == 0) subject.since = at;
  subject.failures = std::min(subject.failures_before + 1, binary.failures);
  if (subject.failures < binary.failures) return std::nullopt;
  return binary.severity;
}

bool add_hit(const TailableSpec& tailable, Subject& subject, Hit hit) {
  auto& hits = subject.hits;
  const auto where =
      std::upper_bound(hits.begin(), hits.end(), hit.at, [](Time at, const Hit& h) { return at < h.at; });
  hits.insert(where, hit);
  if (hits.size() > tailable.count) hits.erase(hits.begin());
  return hits.size() == tailable.count && hits.back().at - hits.front().at <= tailable.within;
}

bool window_passed(const TailableSpec& tailable, const Subject& subject, Time now) {
  return !subject.hits.empty() && now - subject.hits.front().arrived > tailable.within;
}

Labels verdict_labels(const RuleSpec& rule, const Labels& series) {
  LabelsBuilder builder(series);
  builder.erase(kMetricName);
  for (const auto& [name, value] : rule.labels) builder.set(name, value);
  builder.set("alertname", rule.name);
  return builder.build();
}

Labels stream_labels(const RuleSpec& rule, const Labels& stream) {
  return verdict_labels(rule, stream.without("level"));
}

namespace {

std::string describe_gauge(const GaugeSpec& gauge, double value, Level level) {
  if (level == Level::kOk) return fmt::format("{:.6g} is back to normal", value);
  const auto& threshold = level == Level::kCritical ? gauge.critical : gauge.warning;
  const auto* side = gauge.above ? "above" : "below";
  if (!threshold) return fmt::format("{:.6g}", value);
  const bool beyond = gauge.above ? value > *threshold : value < *threshold;
  if (!beyond) return fmt::format("{:.6g} has not come back far enough from {:g}", value, *threshold);
  return fmt::format("{:.6g} is {} {:g}", value, side, *threshold);
}

std::string describe_lines(const TailableSpec& tailable, const Subject& subject, Level level) {
  if (tailable.absent) {
    if (level == Level::kOk) return subject.line;
    return fmt::format("no line matching /{}/ for {}", tailable.pattern, format_duration(tailable.within));
  }
  if (level != Level::kOk) return subject.line;
  if (tailable.count == 1) return fmt::format("no further matching line for {}", format_duration(tailable.within));
  return fmt::format("fewer than {} matching lines within {}", tailable.count, format_duration(tailable.within));
}

}  // namespace

std::string describe(const Compiled& rule, const Subject& subject, Level level, std::string_view check_text) {
  if (level == Level::kNoData) {
    if (subject.ended) return fmt::format("the series has ended; its last value was {:.6g}", subject.value);
    const auto silence = rule.spec.no_data ? format_duration(*rule.spec.no_data) : std::string("a while");
    if (!subject.judged) return fmt::format("no samples for {}", silence);
    return fmt::format("no samples for {}; the last value was {:.6g}", silence, subject.value);
  }
  if (const auto* gauge = rule.gauge()) return describe_gauge(*gauge, subject.value, level);
  if (const auto* tailable = rule.tailable()) return describe_lines(*tailable, subject, level);
  std::string text = level == Level::kOk ? "up" : "down";
  if (level != Level::kOk && subject.failures > 1) text += fmt::format(" ({} times in a row)", subject.failures);
  if (!check_text.empty()) text += fmt::format(": {}", check_text);
  return text;
}

int badness(Level level) {
  switch (level) {
    case Level::kOk: return 0;
    case Level::kNoData: return 1;
    case Level::kWarning: return 2;
    case Level::kCritical: return 3;
    case Level::kError: return 4;
  }
  return 4;
}

}  // namespace atalaya::rules
