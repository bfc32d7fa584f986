#include "routing/alert.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "routing/matchers.h"

namespace atalaya::routing {
namespace {

constexpr std::string_view kSeverity = "severity";
/// How much of a bad name is shown.
constexpr std::size_t kShown = 100;

Status check_names(const Labels& labels, std::string_view what) {
  for (const auto& [name, value] : labels) {
    if (!is_utf8(name)) return fail(ErrorCode::kInvalidArgument, fmt::format("the name of {} is not UTF-8", what));
    if (!is_utf8(value)) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("the value of {} \"{}\" is not UTF-8", what, name.substr(0, kShown)));
    }
  }
  return {};
}

}  // namespace

Alert received(Alert alert, Time now, Duration resolve_timeout) {
  alert.updated_at = now;
  alert.timed_out = alert.ends_at == kMinTime;
  if (alert.starts_at == kMinTime) alert.starts_at = alert.timed_out ? now : std::min(now, alert.ends_at);
  if (alert.timed_out) alert.ends_at = now + resolve_timeout;
  return alert;
}

Status check(const Alert& alert) {
  if (alert.labels.empty()) {
    return fail(ErrorCode::kInvalidArgument, "an alert has no labels", "give it at least alertname");
  }
  if (alert.ends_at < alert.starts_at) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("start time must be before end time: it starts at {} and ends at {}",
                            format_rfc3339(alert.starts_at), format_rfc3339(alert.ends_at)));
  }
  AT_TRY(check_names(alert.labels, "a label"));
  return check_names(alert.annotations, "an annotation");
}

Alert merged(const Alert& before, Alert next) {
  const bool ends_within = next.ends_at > before.starts_at && next.ends_at < before.ends_at;
  const bool starts_within = next.starts_at > before.starts_at && next.starts_at < before.ends_at;
  if (!ends_within && !starts_within) return next;
  next.starts_at = std::min(next.starts_at, before.starts_at);
  if (before.ends_at <= next.ends_at) return next;
  const auto now = next.updated_at;
  const bool both_over = !next.firing_at(now) && !before.firing_at(now);
  // Of two ends the later one counts, but one that was only assumed gives way to one that was said.
  const bool said = !before.timed_out && (before.ends_at != kMaxTime || next.timed_out);
  const bool explicit_end_later = next.firing_at(now) && said;
  if (both_over || explicit_end_later) {
    next.ends_at = before.ends_at;
    next.timed_out = before.timed_out;
  }
  return next;
}

Labels seen_labels(const Alert& alert) {
  if (alert.severity.empty() || alert.labels.has(kSeverity)) return alert.labels;
  return alert.labels.with(kSeverity, alert.severity);
}

std::string fingerprint(const Labels& labels) { return fmt::format("{:016x}", labels.hash()); }

}  // namespace atalaya::routing
