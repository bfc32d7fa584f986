// Alerts that others post: they follow what their senders say of their time.
#include <algorithm>
#include <limits>

#include "alerts/step.h"
#include "alerts/timers.h"
#include "routing/alert.h"

namespace atalaya::alerts {
namespace {

constexpr std::int64_t kEndsAtOnce = 256;  ///< a timer's share of a transaction

/// The text that stands for what is said of it.
std::string words_of(const std::map<std::string, std::string>& annotations) {
  for (const auto* key : {"summary", "message", "description", "title"}) {
    if (const auto it = annotations.find(key); it != annotations.end()) return it->second;
  }
  return {};
}

/// Its times, as far as they decide what becomes of two of them.
routing::Alert times_of(Time starts, Time ends, Time updated, bool timed_out) {
  routing::Alert out;
  out.starts_at = starts;
  out.ends_at = ends;
  out.updated_at = updated;
  out.timed_out = timed_out;
  return out;
}

Judgement event_of(const PostedAlert& posted, Level level) {
  Judgement out;
  out.labels = posted.labels;
  out.level = level;
  out.at = posted.received;
  out.value = std::numeric_limits<double>::quiet_NaN();
  out.text = words_of(posted.annotations);
  return out;
}

}  // namespace

Alert next_episode(const Alert* last, const AlertId& id) {
  Alert out;
  out.id = id;
  out.kind = Kind::kPosted;
  out.value = std::numeric_limits<double>::quiet_NaN();
  if (last == nullptr) return out;
  out.episode = last->episode + 1;
  out.transitions = last->transitions;
  if (last->flapping && last->told && last->told->state != State::kResolved) out.told = last->told;
  out.shelf = last->shelf;
  out.flapping = last->flapping;
  out.incident = last->incident;
  return out;
}

Status Machine::Step::posted(const Posted& posted) {
  for (const auto& alert : posted.alerts) AT_TRY(post(alert, posted.door));
  return set_ends_timer();
}

Status Machine::Step::post(const PostedAlert& posted, const std::string& door) {
  const auto id = identity(tenant_, "", posted.labels);
  AT_TRY(auto before, load_alert(session_, tenant_, id));
  const bool open = before && before->alert.state != State::kResolved;
  const bool closed = !open && before && before->alert.closed;
  auto times = times_of(posted.starts, posted.ends, posted.received, posted.timed_out);
  if (open || closed) {
    const auto& a = before->alert;
    times = routing::merged(times_of(a.started, a.ends.value_or(kMaxTime), a.updated, a.timed_out), times);
  }
  if (!times.firing_at(now_)) {
    if (closed) return forget_closing(std::move(*before));
    if (!open) return {};
    before->alert.ends = times.ends_at;
    before->alert.annotations = posted.annotations;
    return resolve(std::move(*before), times.ends_at, words_of(posted.annotations), false);
  }
  StoredAlert stored;
  if (open || closed) stored = std::move(*before);
  if (closed && times.starts_at <= stored.alert.closed->at) {
    stored.alert.ends = times.ends_at == kMaxTime ? std::nullopt : std::optional(times.ends_at);
    stored.alert.timed_out = times.timed_out;
    return stays_closed(std::move(stored));
  }
  auto& alert = stored.alert;
  if (!open) {
    auto fresh = next_episode(closed ? &alert : before ? &before->alert : nullptr, id);
    fresh.name = std::string(posted.labels.get("alertname"));
    fresh.labels = posted.labels;
    alert = std::move(fresh);
  }
  const auto from = open ? std::optional(alert.state) : std::nullopt;
  const auto severity_before = alert.severity;
  alert.severity = severity_of_label(posted.labels.get("severity"));
  alert.level = alert.severity == Severity::kCritical ? Level::kCritical : Level::kWarning;
  if (open && alert.annotations != posted.annotations) AT_TRY(add_event(event_of(posted, alert.level), id));
  alert.state = State::kFiring;
  alert.door = door;
  alert.started = times.starts_at;
  alert.ends = times.ends_at == kMaxTime ? std::nullopt : std::optional(times.ends_at);
  alert.timed_out = times.timed_out;
  alert.annotations = posted.annotations;
  alert.generator_url = posted.generator_url;
  alert.text = words_of(posted.annotations);
  ++alert.count;
  return settle(stored, from, severity_before, times.starts_at);
}

Status Machine::Step::set_ends_timer() {
  AT_TRY(const auto rows,
         session_.query("SELECT min(ends_ms) FROM alerts_alerts WHERE tenant_id=? AND ends_ms IS NOT NULL",
                        {tenant_.value()}));
  if (rows.empty() || rows.front().is_null(0)) return effects_.cancel_timer(kEndsTimer);
  return effects_.set_timer(kEndsTimer, from_ms(rows.front().integer(0)));
}

Status Machine::Step::sender_silent() {
  static const std::string sql = "SELECT " + std::string(kAlertColumns) +
                                 " FROM alerts_alerts WHERE tenant_id=? AND ends_ms<=? ORDER BY ends_ms, id LIMIT ?";
  AT_TRY(const auto rows, session_.query(sql, {tenant_.value(), to_ms(now_), kEndsAtOnce}));
  for (const auto& row : rows) {
    auto stored = read_alert(row);
    if (stored.alert.state == State::kResolved) {
      AT_TRY(forget_closing(std::move(stored)));
    } else {
      const auto ended = stored.alert.ends.value_or(now_);
      const auto text = stored.alert.text;
      AT_TRY(resolve(std::move(stored), ended, text, false));
    }
  }
  return set_ends_timer();
}

}  // namespace atalaya::alerts
