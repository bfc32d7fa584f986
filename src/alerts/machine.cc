#include "alerts/machine.h"

#include <fmt/format.h>

#include <cmath>

#include "alerts/annotations.h"
#include "alerts/rows.h"

namespace atalaya::alerts {
namespace {

/// Key of the timer that deletes what is over; no alert has such an id.
constexpr std::string_view kPurge = "purge";
constexpr std::chrono::hours kDay{24};

/// The same all day, so that the timer comes although each alert that resolves sets it.
Time next_purge(Time now) { return std::chrono::floor<std::chrono::days>(now) + kDay + std::chrono::hours{3}; }

}  // namespace

Machine::Machine(TransitionSink* sink, MachineOptions options)
    : sink_(sink),
      options_(std::move(options)),
      annotations_(std::make_unique<Annotations>(options_.external_url, options_.external_labels,
                                                 options_.max_annotation_bytes)) {}

Machine::~Machine() = default;

std::vector<db::Migration> Machine::migrations() {
  return {{"alerts", 1,
           "CREATE TABLE alerts_alerts("
           " tenant_id TEXT NOT NULL, id TEXT NOT NULL, host TEXT NOT NULL, episode BIGINT NOT NULL,"
           " transitions BIGINT NOT NULL, name TEXT NOT NULL, rule TEXT NOT NULL, expr TEXT NOT NULL,"
           " kind BIGINT NOT NULL, state BIGINT NOT NULL, severity BIGINT NOT NULL, level BIGINT NOT NULL,"
           " labels TEXT NOT NULL, annotations TEXT NOT NULL, value DOUBLE PRECISION, text TEXT NOT NULL,"
           " started_ms BIGINT NOT NULL, fired_ms BIGINT, resolved_ms BIGINT, updated_ms BIGINT NOT NULL,"
           " late BIGINT NOT NULL, count BIGINT NOT NULL, told BIGINT NOT NULL,"
           " ack_by TEXT, ack_ms BIGINT, ack_note TEXT,"
           " judged_name TEXT NOT NULL, judged_position BIGINT NOT NULL,"
           " PRIMARY KEY(tenant_id, id));"
           "CREATE INDEX alerts_alerts_started ON alerts_alerts(tenant_id, started_ms, id);"
           "CREATE INDEX alerts_alerts_state ON alerts_alerts(tenant_id, state);"
           "CREATE TABLE alerts_history("
           " tenant_id TEXT NOT NULL, id TEXT NOT NULL, transition BIGINT NOT NULL, episode BIGINT NOT NULL,"
           " at_ms BIGINT NOT NULL, data_ms BIGINT NOT NULL, from_state TEXT NOT NULL, to_state TEXT NOT NULL,"
           " severity BIGINT NOT NULL, value DOUBLE PRECISION, text TEXT NOT NULL, by_user TEXT NOT NULL,"
           " late BIGINT NOT NULL, PRIMARY KEY(tenant_id, id, transition))"},
          // Ids hold the rule from here on: what is open under an id of before would never be judged again.
          {"alerts", 2,
           "UPDATE alerts_alerts SET state=3, resolved_ms=updated_ms WHERE state<>3;"
           "CREATE INDEX alerts_alerts_resolved ON alerts_alerts(tenant_id, resolved_ms);"
           "CREATE INDEX alerts_history_at ON alerts_history(tenant_id, at_ms)"}};
}

std::vector<std::type_index> Machine::handles() const {
  return {typeid(Judged), typeid(Acknowledge), typeid(Unacknowledge), typeid(Retire)};
}

/// One event or timer: the arguments that every function needs.
class Machine::Step {
 public:
  Step(Machine& machine, const TenantId& tenant, Time now, db::Session& session, control::Effects& effects)
      : machine_(machine), tenant_(tenant), now_(now), session_(session), effects_(effects) {}

  Status judged(const Judged& judged, const std::optional<control::Cursor>& cursor);
  Status acknowledge(const Acknowledge& command);
  Status unacknowledge(const Unacknowledge& command);
  Status retire(const Retire& command);
  Status held(const AlertId& id, Time due);
  Status purge();

 private:
  Status breach(std::optional<StoredAlert> before, const Judgement& j, const AlertId& id,
                const std::optional<control::Cursor>& cursor);
  Status resolve(StoredAlert stored, Time at, const std::string& text, bool late);
  /// Stores, writes history and tells the sink when state or severity differ from before.
  Status settle(StoredAlert& stored, std::optional<State> from, Severity severity_before, Time at);
  Result<StoredAlert> open_alert(const AlertId& id);
  Status command(StoredAlert& stored, std::string to, const std::string& user, const std::string& note);

  Machine& machine_;
  const TenantId& tenant_;
  Time now_;
  db::Session& session_;
  control::Effects& effects_;
};

Status Machine::handle(const control::Event& event, Time now, db::Session& session, control::Effects& effects) {
  Step step(*this, event.tenant, now, session, effects);
  if (const auto* judged = std::any_cast<Judged>(&event.body)) return step.judged(*judged, event.cursor);
  if (const auto* ack = std::any_cast<Acknowledge>(&event.body)) return step.acknowledge(*ack);
  if (const auto* unack = std::any_cast<Unacknowledge>(&event.body)) return step.unacknowledge(*unack);
  if (const auto* retire = std::any_cast<Retire>(&event.body)) return step.retire(*retire);
  return fail(ErrorCode::kInternal, "alerts: an event of another machine");
}

Status Machine::on_timer(const TenantId& tenant, std::string_view key, Time due, Time now, db::Session& session,
                         control::Effects& effects) {
  Step step(*this, tenant, now, session, effects);
  return key == kPurge ? step.purge() : step.held(AlertId{std::string(key)}, due);
}

Status Machine::Step::judged(const Judged& judged, const std::optional<control::Cursor>& cursor) {
  std::set<AlertId> seen;
  for (const auto& j : judged.judgements) {
    const auto id = identity(tenant_, j.rule, j.labels);
    AT_TRY(auto stored, load_alert(session_, tenant_, id));
    const bool first = seen.insert(id).second;
    // A batch judged again after a crash: its whole event is stored, or nothing of it.
    if (cursor && first && stored && stored->judged_name == cursor->name &&
        stored->judged_position >= cursor->position) {
      seen.erase(id);
      continue;
    }
    if (j.level != Level::kOk) {
      AT_TRY(breach(std::move(stored), j, id, cursor));
    } else if (stored && stored->alert.state != State::kResolved) {
      if (cursor) {
        stored->judged_name = cursor->name;
        stored->judged_position = cursor->position;
      }
      stored->alert.level = Level::kOk;
      stored->alert.value = j.value;
      AT_TRY(resolve(std::move(*stored), j.at, j.text, j.late));
    }
  }
  return {};
}

namespace {

State next_state(const Alert& alert, bool open, const Judgement& j) {
  if (j.level == Level::kNoData) return State::kNoData;
  if (j.level == Level::kError || j.hold <= Duration::zero() || j.sustained) return State::kFiring;
  return open && alert.fired ? State::kFiring : State::kPending;
}

Severity next_severity(const Alert& alert, const Judgement& j) {
  switch (j.level) {
    case Level::kWarning:
    case Level::kError: return Severity::kWarning;
    case Level::kCritical: return Severity::kCritical;
    default: return alert.severity;
  }
}

Alert new_episode(const std::optional<StoredAlert>& before, const Judgement& j, const AlertId& id) {
  Alert alert;
  alert.id = id;
  alert.episode = before ? before->alert.episode + 1 : 1;
  alert.transitions = before ? before->alert.transitions : 0;
  alert.name = std::string(j.labels.get("alertname"));
  alert.labels = j.labels;
  alert.started = j.at;
  alert.value = j.value;
  return alert;
}

}  // namespace

Status Machine::Step::breach(std::optional<StoredAlert> before, const Judgement& j, const AlertId& id,
                             const std::optional<control::Cursor>& cursor) {
  const bool open = before && before->alert.state != State::kResolved;
  StoredAlert stored;
  if (open) {
    stored = *before;
  } else {
    stored.alert = new_episode(before, j, id);
  }
  auto& alert = stored.alert;
  const auto from = open ? std::optional(alert.state) : std::nullopt;
  const auto severity_before = alert.severity;
  alert.rule = j.rule;
  alert.expr = j.expr;
  alert.kind = j.kind;
  alert.level = j.level;
  alert.text = j.text;
  alert.severity = next_severity(alert, j);
  alert.state = next_state(alert, open, j);
  alert.late = alert.late || (j.late && from != alert.state);
  ++alert.count;
  // Without data there is no value: the last one and its words stay.
  if (!open || j.level != Level::kNoData) {
    alert.value = j.value;
    alert.annotations = j.rendered ? j.annotations : machine_.annotations_->render(j.annotations, j.labels, j.value);
  }
  stored.judged_name = cursor ? cursor->name : "";
  stored.judged_position = cursor ? cursor->position : 0;
  if (alert.state == State::kPending && from != State::kPending && !j.times_itself) {
    AT_TRY(effects_.set_timer(id.value(), (j.late ? now_ : j.at) + j.hold));
  } else if (alert.state != State::kPending && from == State::kPending) {
    AT_TRY(effects_.cancel_timer(id.value()));
  }
  return settle(stored, from, severity_before, j.at);
}

Status Machine::Step::resolve(StoredAlert stored, Time at, const std::string& text, bool late) {
  auto& alert = stored.alert;
  const auto from = alert.state;
  if (from == State::kPending) AT_TRY(effects_.cancel_timer(alert.id.value()));
  alert.state = State::kResolved;
  alert.resolved = now_;
  alert.text = text;
  alert.late = alert.late || late;
  AT_TRY(effects_.set_timer(kPurge, next_purge(now_)));
  return settle(stored, from, alert.severity, at);
}

Status Machine::Step::settle(StoredAlert& stored, std::optional<State> from, Severity severity_before, Time at) {
  auto& alert = stored.alert;
  const bool changed = from != alert.state || severity_before != alert.severity;
  alert.updated = now_;
  if (alert.state == State::kFiring && !alert.fired) alert.fired = now_;
  const bool told_before = alert.told.has_value();
  bool tell = false;
  if (changed) {
    ++alert.transitions;
    // An alert that went from no_data to pending and back is still what people last heard.
    const Alert::Told news{alert.state, alert.severity};
    const bool counts = alert.state == State::kFiring || alert.state == State::kNoData ||
                        (alert.state == State::kResolved && told_before);
    tell = counts && alert.told != news;
    if (tell) alert.told = news;
    AT_TRY(add_history(session_, tenant_, alert.id,
                       {.transition = alert.transitions,
                        .episode = alert.episode,
                        .at = now_,
                        .data_at = at,
                        .from = from ? std::string(alerts::name(*from)) : (alert.episode > 1 ? "resolved" : ""),
                        .to = std::string(alerts::name(alert.state)),
                        .severity = alert.severity,
                        .value = alert.value,
                        .text = alert.text,
                        .by = {},
                        .late = alert.late}));
  }
  AT_TRY(store_alert(session_, tenant_, stored));
  if (tell && machine_.sink_ != nullptr) {
    const Transition transition{alert, from, severity_before, !told_before, at};
    AT_TRY(machine_.sink_->on_transition(tenant_, transition, now_, session_, effects_));
  }
  effects_.publish(AlertChanged{alert, changed});
  return {};
}

Status Machine::Step::held(const AlertId& id, Time due) {
  AT_TRY(auto stored, load_alert(session_, tenant_, id));
  if (!stored || stored->alert.state != State::kPending) return {};
  stored->alert.state = State::kFiring;
  return settle(*stored, State::kPending, stored->alert.severity, due);
}

Status Machine::Step::purge() {
  const auto resolved = static_cast<std::int64_t>(State::kResolved);
  const auto before = to_ms(now_ - machine_.options_.keep);
  AT_TRY(session_.execute("DELETE FROM alerts_alerts WHERE tenant_id=? AND state=? AND resolved_ms<?",
                          {tenant_.value(), resolved, before}));
  // An open episode keeps its lines, however long it lasts.
  AT_TRY(
      session_.execute("DELETE FROM alerts_history WHERE tenant_id=? AND at_ms<? AND NOT EXISTS (SELECT 1 FROM "
                       "alerts_alerts a WHERE a.tenant_id=alerts_history.tenant_id AND a.id=alerts_history.id AND "
                       "a.state<>? AND a.episode=alerts_history.episode)",
                       {tenant_.value(), before, resolved}));
  AT_TRY(const auto left, session_.query("SELECT 1 FROM alerts_alerts WHERE tenant_id=? LIMIT 1", {tenant_.value()}));
  if (left.empty()) return {};
  return effects_.set_timer(kPurge, next_purge(now_));
}

Result<StoredAlert> Machine::Step::open_alert(const AlertId& id) {
  AT_TRY(auto stored, load_alert(session_, tenant_, id));
  if (!stored) return fail(ErrorCode::kNotFound, fmt::format("there is no alert {}", id.value()));
  if (stored->alert.state == State::kResolved) {
    return fail(ErrorCode::kConflict, fmt::format("alert {} is resolved", id.value()));
  }
  return std::move(*stored);
}

Status Machine::Step::acknowledge(const Acknowledge& command_in) {
  AT_TRY(auto stored, open_alert(command_in.id));
  auto& ack = stored.alert.ack;
  if (ack && ack->by == command_in.user && ack->note == command_in.note) return {};
  ack = Acknowledgement{command_in.user, now_, command_in.note};
  return command(stored, "acknowledged", command_in.user, command_in.note);
}

Status Machine::Step::unacknowledge(const Unacknowledge& command_in) {
  AT_TRY(auto stored, open_alert(command_in.id));
  if (!stored.alert.ack) return {};
  stored.alert.ack.reset();
  return command(stored, "unacknowledged", command_in.user, "");
}

Status Machine::Step::command(StoredAlert& stored, std::string to, const std::string& user, const std::string& note) {
  auto& alert = stored.alert;
  ++alert.transitions;
  alert.updated = now_;
  AT_TRY(add_history(session_, tenant_, alert.id,
                     {.transition = alert.transitions,
                      .episode = alert.episode,
                      .at = now_,
                      .data_at = now_,
                      .from = std::string(alerts::name(alert.state)),
                      .to = std::move(to),
                      .severity = alert.severity,
                      .value = alert.value,
                      .text = note,
                      .by = user,
                      .late = false}));
  AT_TRY(store_alert(session_, tenant_, stored));
  effects_.publish(AlertChanged{alert, true});
  return {};
}

Status Machine::Step::retire(const Retire& command_in) {
  static const std::string sql = "SELECT " + std::string(kAlertColumns) +
                                 " FROM alerts_alerts WHERE tenant_id=? AND state<>? ORDER BY started_ms, id";
  AT_TRY(const auto rows, session_.query(sql, {tenant_.value(), static_cast<std::int64_t>(State::kResolved)}));
  for (const auto& row : rows) {
    auto stored = read_alert(row);
    const bool rule_gone = command_in.known_rules && !command_in.known_rules->contains(stored.alert.rule);
    const bool host_gone = !command_in.host.empty() && stored.alert.labels.get("instance") == command_in.host;
    if (rule_gone || host_gone) AT_TRY(resolve(std::move(stored), now_, command_in.reason, false));
  }
  return {};
}

}  // namespace atalaya::alerts
