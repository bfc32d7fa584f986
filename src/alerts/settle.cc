// The end of every change: history, what people are told, flapping.
#include <cmath>

#include "alerts/silence_rows.h"
#include "alerts/step.h"
#include "alerts/timers.h"

namespace atalaya::alerts {
namespace {

/// An alert flaps that fires this often within the time, and is steady again with no more than the other number.
constexpr Duration kFlapTime{std::chrono::minutes{30}};
constexpr std::int64_t kFlapping = 4;
constexpr std::int64_t kSteady = 1;

Result<std::int64_t> firings(db::Session& session, const TenantId& tenant, const AlertId& id, Time since) {
  AT_TRY(const auto rows, session.query("SELECT count(*) FROM alerts_history WHERE tenant_id=? AND id=? AND at_ms>? "
                                        "AND to_state IN ('firing', 'no_data')",
                                        {tenant.value(), id.value(), to_ms(since)}));
  return rows.empty() ? 0 : rows.front().integer(0);
}

}  // namespace

Status Machine::Step::add_line(const Alert& alert, Time at, std::string from, std::string to, std::string text,
                               std::string by) {
  return add_history(session_, tenant_, alert.id,
                     {.transition = alert.transitions,
                      .episode = alert.episode,
                      .at = now_,
                      .data_at = at,
                      .from = std::move(from),
                      .to = std::move(to),
                      .severity = alert.severity,
                      .value = alert.value,
                      .text = std::move(text),
                      .by = std::move(by),
                      .late = alert.late,
                      .said = said_});
}

Status Machine::Step::resolve(StoredAlert stored, Time at, const std::string& text, bool late, const Words& words) {
  auto& alert = stored.alert;
  const auto from = alert.state;
  if (from == State::kPending) AT_TRY(effects_.cancel_timer(alert.id.value()));
  alert.state = State::kResolved;
  alert.resolved = alert.kind == Kind::kPosted && alert.ends && *alert.ends < now_ ? *alert.ends : now_;
  if (!alert.closed) alert.ends.reset();
  alert.text = text;
  alert.late = alert.late || late;
  AT_TRY(effects_.set_timer(kPurge, next_purge(now_)));
  AT_TRY(effects_.set_timer(kSearchTimer, next_indexing(now_)));
  return settle(stored, from, alert.severity, at, words);
}

Status Machine::Step::forget_closing(StoredAlert stored) {
  stored.alert.closed.reset();
  stored.alert.ends.reset();
  stored.alert.updated = now_;
  AT_TRY(store_alert(session_, tenant_, stored));
  effects_.publish(AlertChanged{stored.alert, false});
  return {};
}

Status Machine::Step::stays_closed(StoredAlert stored) {
  ++stored.alert.count;
  stored.alert.updated = now_;
  AT_TRY(store_alert(session_, tenant_, stored));
  effects_.publish(AlertChanged{stored.alert, false});
  return {};
}

Status Machine::Step::settle(StoredAlert& stored, std::optional<State> from, Severity severity_before, Time at,
                             const Words& words) {
  auto& alert = stored.alert;
  const bool changed = words.always || from != alert.state || severity_before != alert.severity;
  alert.updated = now_;
  if (alert.state == State::kFiring && !alert.fired) alert.fired = now_;
  if (changed) {
    ++alert.transitions;
    const std::string before(from ? alerts::name(*from) : (alert.episode > 1 ? "resolved" : ""));
    AT_TRY(add_line(alert, at, before, words.to.empty() ? std::string(alerts::name(alert.state)) : words.to, alert.text,
                    words.by));
    if (from && severity_before != alert.severity) alert.severity_before = severity_before;
    // Who takes care of a warning has not seen that it became critical.
    if (from && alert.ack && (words.worse || alert.severity > severity_before)) {
      alert.ack.reset();
      ++alert.transitions;
      AT_TRY(add_line(alert, at, std::string(alerts::name(alert.state)), "unacknowledged", "its severity rose", ""));
    }
    AT_TRY(watch_flapping(alert));
  }
  return finish(stored, from, severity_before, at, changed);
}

Status Machine::Step::finish(StoredAlert& stored, std::optional<State> from, Severity severity_before, Time at,
                             bool transition) {
  auto& alert = stored.alert;
  AT_TRY(hidden(alert));
  if (machine_.consolidation_ != nullptr) {
    const auto held = alert.held;
    AT_TRY(machine_.consolidation_->place(tenant_, alert, now_, session_));
    if (alert.held && alert.held != held) {
      AT_TRY(effects_.set_timer(std::string(kHeldTimer) + alert.id.value(), *alert.held));
    }
  }
  const bool told_before = alert.told.has_value();
  // An alert that went from no_data to pending and back is still what people last heard.
  const Alert::Told news{alert.state, alert.severity};
  const bool counts = alert.state == State::kFiring || alert.state == State::kNoData ||
                      (alert.state == State::kResolved && told_before);
  if (damped(alert, now_))
    AT_TRY(effects_.set_timer(std::string(kCalmTimer) + alert.id.value(), *alert.resolved + kCalm));
  const bool tell = counts && alert.told != news && !damped(alert, now_) && !alert.shelf && !alert.withheld() &&
                    alert.silenced_by.empty();
  if (tell) alert.told = news;
  AT_TRY(store_alert(session_, tenant_, stored));
  if (machine_.sink_ != nullptr) AT_TRY(machine_.sink_->on_alert(tenant_, alert, now_, session_, effects_));
  if (tell && machine_.sink_ != nullptr) {
    const Transition news_of{alert, from, severity_before, !told_before, at};
    AT_TRY(machine_.sink_->on_transition(tenant_, news_of, now_, session_, effects_));
  }
  effects_.publish(AlertChanged{alert, transition});
  return {};
}

Status Machine::Step::watch_flapping(Alert& alert) {
  if (alert.flapping || (alert.state != State::kFiring && alert.state != State::kNoData) ||
      alert.transitions < kFlapping) {
    return {};
  }
  AT_TRY(const auto count, firings(session_, tenant_, alert.id, now_ - kFlapTime));
  if (count < kFlapping) return {};
  alert.flapping = true;
  ++alert.transitions;
  AT_TRY(add_line(alert, now_, std::string(alerts::name(alert.state)), "flapping", "", ""));
  return effects_.set_timer(std::string(kFlapTimer) + alert.id.value(), now_ + kFlapTime);
}

Status Machine::Step::look_at_flapping(const AlertId& id) {
  AT_TRY(auto stored, load_alert(session_, tenant_, id));
  if (!stored || !stored->alert.flapping) return {};
  AT_TRY(const auto count, firings(session_, tenant_, id, now_ - kFlapTime));
  if (count > kSteady) return effects_.set_timer(std::string(kFlapTimer) + id.value(), now_ + kFlapTime);
  stored->alert.flapping = false;
  return command(*stored, "steady", "", "");
}

Status Machine::Step::hidden(Alert& alert) {
  if (!active_) {
    AT_TRY(active_, load_active_silences(session_, tenant_, now_));
  }
  alert.silenced_by = hidden_by(*active_, seen_labels(alert));
  return {};
}

/// It has not fired again: its end is told.
Status Machine::Step::calm(const AlertId& id) {
  AT_TRY(auto stored, load_alert(session_, tenant_, id));
  if (!stored || stored->alert.state != State::kResolved || damped(stored->alert, now_)) return {};
  return finish(*stored, State::kResolved, stored->alert.severity, now_, false);
}

Status Machine::Step::held_ended(const AlertId& id) {
  AT_TRY(auto stored, load_alert(session_, tenant_, id));
  // Withheld anew since, for longer.
  if (!stored || !stored->alert.held || *stored->alert.held > now_) return {};
  return finish(*stored, stored->alert.state, stored->alert.severity, now_, false);
}

Status Machine::Step::look_again(const Consolidation::Again& again) {
  static const std::string of_cause = "SELECT " + std::string(kAlertColumns) +
                                      " FROM alerts_alerts WHERE tenant_id=? AND because_id=? AND because_id<>''"
                                      " ORDER BY started_ms, id";
  static const std::string unknown = "SELECT " + std::string(kAlertColumns) +
                                     " FROM alerts_alerts WHERE tenant_id=? AND because_id<>'' ORDER BY started_ms, id";
  const auto finish_all = [&](const std::vector<db::Row>& rows) -> Status {
    for (const auto& row : rows) {
      auto stored = read_alert(row);
      AT_TRY(finish(stored, stored.alert.state, stored.alert.severity, now_, false));
    }
    return {};
  };
  for (const auto& id : again.alerts) {
    AT_TRY(auto stored, load_alert(session_, tenant_, id));
    if (!stored) continue;
    AT_TRY(finish(*stored, stored->alert.state, stored->alert.severity, now_, false));
  }
  for (const auto& parent : again.recovered) {
    AT_TRY(const auto rows, session_.query(of_cause, {tenant_.value(), parent.value()}));
    AT_TRY(finish_all(rows));
  }
  if (!again.all_unknown) return {};
  AT_TRY(const auto rows, session_.query(unknown, {tenant_.value()}));
  return finish_all(rows);
}

/// Open ones whose news people did not hear; and those that resolved meanwhile, of the last days: before there were
/// silences nothing was hidden.
Status Machine::Step::tell_uncovered() {
  static const std::string sql =
      "SELECT " + std::string(kAlertColumns) +
      " FROM alerts_alerts WHERE tenant_id=? AND indexed=0 AND state<>3 AND state IN (1, 2) AND "
      "told<>1+3*state+severity "
      "UNION ALL SELECT " +
      std::string(kAlertColumns) +
      " FROM alerts_alerts WHERE tenant_id=? AND state=3 AND resolved_ms>? AND told BETWEEN 1 AND 9 "
      "ORDER BY started_ms, id";
  static_assert(static_cast<int>(State::kFiring) == 1 && static_cast<int>(State::kNoData) == 2 &&
                static_cast<int>(State::kResolved) == 3);
  constexpr Duration kWorthTelling{std::chrono::hours{24 * 7}};
  AT_TRY(const auto rows, session_.query(sql, {tenant_.value(), tenant_.value(), to_ms(now_ - kWorthTelling)}));
  for (const auto& row : rows) {
    auto stored = read_alert(row);
    AT_TRY(finish(stored, stored.alert.state, stored.alert.severity, now_, false));
  }
  return {};
}

}  // namespace atalaya::alerts
