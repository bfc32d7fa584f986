#include <fmt/format.h>

#include <algorithm>

#include "alerts/alert.h"
#include "base/bytes.h"
#include "io/checksum.h"

namespace atalaya::alerts {

std::string_view name(Kind kind) {
  switch (kind) {
    case Kind::kGauge: return "gauge";
    case Kind::kBinary: return "binary";
    case Kind::kTailable: return "tailable";
    case Kind::kPosted: return "posted";
  }
  return "";
}

std::string_view name(Level level) {
  switch (level) {
    case Level::kOk: return "ok";
    case Level::kWarning: return "warning";
    case Level::kCritical: return "critical";
    case Level::kNoData: return "no_data";
    case Level::kError: return "error";
  }
  return "";
}

std::string_view name(State state) {
  switch (state) {
    case State::kPending: return "pending";
    case State::kFiring: return "firing";
    case State::kNoData: return "no_data";
    case State::kResolved: return "resolved";
  }
  return "";
}

std::string_view name(Severity severity) {
  switch (severity) {
    case Severity::kNone: return "none";
    case Severity::kWarning: return "warning";
    case Severity::kCritical: return "critical";
  }
  return "";
}

Result<State> parse_state(std::string_view text) {
  for (const auto state : {State::kPending, State::kFiring, State::kNoData, State::kResolved}) {
    if (text == name(state)) return state;
  }
  return fail(ErrorCode::kInvalidArgument, fmt::format("'{}' is not a state of an alert", text),
              "use pending, firing, no_data or resolved");
}

Result<Severity> parse_severity(std::string_view text) {
  for (const auto severity : {Severity::kNone, Severity::kWarning, Severity::kCritical}) {
    if (text == name(severity)) return severity;
  }
  return fail(ErrorCode::kInvalidArgument, fmt::format("'{}' is not a severity", text),
              "use none, warning or critical");
}

Severity severity_of_label(std::string_view text) {
  constexpr std::string_view kCritical[] = {"critical", "crit", "page", "emergency", "fatal", "disaster", "security"};
  constexpr std::string_view kNone[] = {"",     "none",          "ok",    "normal", "cleared",
                                        "info", "informational", "debug", "trace"};
  std::string lower(text);
  for (auto& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (std::ranges::find(kCritical, lower) != std::end(kCritical)) return Severity::kCritical;
  return std::ranges::find(kNone, lower) != std::end(kNone) ? Severity::kNone : Severity::kWarning;
}

Labels seen_labels(const Alert& alert) {
  if (alert.labels.has("severity")) return alert.labels;
  if (!alert.severity_word.empty()) return alert.labels.with("severity", alert.severity_word);
  if (alert.severity == Severity::kNone) return alert.labels;
  return alert.labels.with("severity", name(alert.severity));
}

bool damped(const Alert& alert, Time now) {
  return alert.flapping && alert.state == State::kResolved && !alert.closed && alert.resolved &&
         now < *alert.resolved + kCalm;
}

std::string_view trend(const Alert& alert) {
  if (!alert.severity_before || *alert.severity_before == alert.severity) return "no_change";
  return alert.severity > *alert.severity_before ? "more_severe" : "less_severe";
}

AlertId identity(const TenantId& tenant, const std::string& rule, const Labels& labels) {
  // Tenant and rule as labels with names that no label can have, and that come before all others.
  std::string packed;
  ByteWriter out(packed);
  if (!rule.empty()) {
    out.text("\x01rule");
    out.text(rule);
  }
  out.text("\x01tenant");
  out.text(tenant.value());
  out.raw(labels.packed());
  return AlertId{to_hex(io::xxh3(packed))};
}

}  // namespace atalaya::alerts
