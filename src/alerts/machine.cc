#include "alerts/machine.h"

#include <fmt/format.h>

#include <cmath>

#include "alerts/annotations.h"
#include "alerts/report_rows.h"
#include "alerts/rows.h"
#include "alerts/search_index.h"
#include "alerts/step.h"
#include "alerts/timers.h"

namespace atalaya::alerts {

namespace {

/// Causes of causes: no chain of dependencies is longer.
constexpr int kMostRounds = 64;

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
           "CREATE INDEX alerts_history_at ON alerts_history(tenant_id, at_ms)"},
          {"alerts", 3,
           "ALTER TABLE alerts_alerts ADD COLUMN ack_until_ms BIGINT;"
           "ALTER TABLE alerts_alerts ADD COLUMN shelf_by TEXT;"
           "ALTER TABLE alerts_alerts ADD COLUMN shelf_ms BIGINT;"
           "ALTER TABLE alerts_alerts ADD COLUMN shelf_until_ms BIGINT;"
           "ALTER TABLE alerts_alerts ADD COLUMN shelf_note TEXT;"
           "ALTER TABLE alerts_alerts ADD COLUMN closed_by TEXT;"
           "ALTER TABLE alerts_alerts ADD COLUMN closed_ms BIGINT;"
           "ALTER TABLE alerts_alerts ADD COLUMN closed_note TEXT;"
           "ALTER TABLE alerts_alerts ADD COLUMN severity_before BIGINT;"
           "ALTER TABLE alerts_alerts ADD COLUMN flapping BIGINT NOT NULL DEFAULT 0;"
           "ALTER TABLE alerts_alerts ADD COLUMN door TEXT NOT NULL DEFAULT '';"
           "ALTER TABLE alerts_alerts ADD COLUMN generator_url TEXT NOT NULL DEFAULT '';"
           "ALTER TABLE alerts_alerts ADD COLUMN ends_ms BIGINT;"
           "ALTER TABLE alerts_alerts ADD COLUMN timed_out BIGINT NOT NULL DEFAULT 0;"
           "CREATE INDEX alerts_alerts_ends ON alerts_alerts(tenant_id, ends_ms);"
           "CREATE TABLE alerts_silences("
           " tenant_id TEXT NOT NULL, id TEXT NOT NULL, matchers TEXT NOT NULL, starts_ms BIGINT NOT NULL,"
           " ends_ms BIGINT NOT NULL, created_by TEXT NOT NULL, comment TEXT NOT NULL, annotations TEXT NOT NULL,"
           " updated_ms BIGINT NOT NULL, origin TEXT NOT NULL, PRIMARY KEY(tenant_id, id));"
           "CREATE INDEX alerts_silences_ends ON alerts_silences(tenant_id, ends_ms)"},
          {"alerts", 4,
           "ALTER TABLE alerts_silences ADD COLUMN windows TEXT NOT NULL DEFAULT '';"
           "CREATE TABLE alerts_pings("
           " tenant_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, period_ms BIGINT NOT NULL,"
           " grace_ms BIGINT NOT NULL, labels TEXT NOT NULL, state BIGINT NOT NULL, created_ms BIGINT NOT NULL,"
           " last_ms BIGINT, started_ms BIGINT, took_ms BIGINT, due_ms BIGINT, pings BIGINT NOT NULL,"
           " PRIMARY KEY(tenant_id, id));"
           "CREATE UNIQUE INDEX alerts_pings_name ON alerts_pings(tenant_id, name);"
           "CREATE UNIQUE INDEX alerts_pings_id ON alerts_pings(id);"
           "CREATE TABLE alerts_ping_lines("
           " tenant_id TEXT NOT NULL, id TEXT NOT NULL, number BIGINT NOT NULL, at_ms BIGINT NOT NULL,"
           " kind BIGINT NOT NULL, exit_status BIGINT, body TEXT NOT NULL, sender TEXT NOT NULL,"
           " PRIMARY KEY(tenant_id, id, number))"},
          {"alerts", 5,
           "ALTER TABLE alerts_alerts ADD COLUMN incident BIGINT NOT NULL DEFAULT 0;"
           "ALTER TABLE alerts_alerts ADD COLUMN because_id TEXT NOT NULL DEFAULT '';"
           "ALTER TABLE alerts_alerts ADD COLUMN because_name TEXT NOT NULL DEFAULT '';"
           "ALTER TABLE alerts_alerts ADD COLUMN because_text TEXT NOT NULL DEFAULT '';"
           "ALTER TABLE alerts_alerts ADD COLUMN held_ms BIGINT;"
           "ALTER TABLE alerts_alerts ADD COLUMN judged_with TEXT NOT NULL DEFAULT '';"
           "CREATE INDEX alerts_alerts_because ON alerts_alerts(tenant_id, because_id) WHERE because_id<>'';"
           "CREATE TABLE alerts_sources("
           " tenant_id TEXT NOT NULL, id TEXT NOT NULL, labels TEXT NOT NULL, level BIGINT NOT NULL,"
           " value DOUBLE PRECISION, text TEXT NOT NULL, at_ms BIGINT NOT NULL, sustained BIGINT NOT NULL,"
           " PRIMARY KEY(tenant_id, id, labels));"
           "CREATE TABLE alerts_events("
           " tenant_id TEXT NOT NULL, id TEXT NOT NULL, number BIGINT NOT NULL, at_ms BIGINT NOT NULL,"
           " data_ms BIGINT NOT NULL, labels TEXT NOT NULL, level BIGINT NOT NULL, value DOUBLE PRECISION,"
           " text TEXT NOT NULL, PRIMARY KEY(tenant_id, id, number))"},
          {"alerts", 6,
           "ALTER TABLE alerts_alerts ADD COLUMN severity_word TEXT NOT NULL DEFAULT '';"
           "ALTER TABLE alerts_history ADD COLUMN said TEXT NOT NULL DEFAULT '';"
           "ALTER TABLE alerts_pings ADD COLUMN heartbeat TEXT NOT NULL DEFAULT '';"
           "CREATE TABLE alerts_reports("
           " tenant_id TEXT NOT NULL, id TEXT NOT NULL, environment TEXT NOT NULL, resource TEXT NOT NULL,"
           " customer TEXT NOT NULL, reported BIGINT NOT NULL, document TEXT NOT NULL, PRIMARY KEY(tenant_id, id));"
           "CREATE INDEX alerts_reports_resource ON alerts_reports(tenant_id, resource, environment);"
           "CREATE INDEX alerts_alerts_host ON alerts_alerts(tenant_id, host, started_ms, id) WHERE host<>''"},
          {"alerts", 7, "ALTER TABLE alerts_alerts ADD COLUMN incident_acknowledged BIGINT NOT NULL DEFAULT 0"},
          // A storm of alerts writes rows of indexes only where somebody asks for them.
          {"alerts", 8,
           "DROP INDEX alerts_alerts_resolved;"
           "CREATE INDEX alerts_alerts_resolved ON alerts_alerts(tenant_id, resolved_ms) WHERE resolved_ms IS NOT NULL;"
           "DROP INDEX alerts_alerts_ends;"
           "CREATE INDEX alerts_alerts_ends ON alerts_alerts(tenant_id, ends_ms) WHERE ends_ms IS NOT NULL"},
          {"alerts", 9,
           "DROP INDEX alerts_alerts_state;"
           "ALTER TABLE alerts_alerts ADD COLUMN indexed BIGINT NOT NULL DEFAULT 0;"
           "ALTER TABLE alerts_alerts ADD COLUMN search_key BIGINT;"
           "CREATE INDEX alerts_alerts_recent ON alerts_alerts(tenant_id, started_ms, id) WHERE indexed=0;"
           "CREATE INDEX alerts_alerts_unindexed ON alerts_alerts(tenant_id, resolved_ms) WHERE indexed=0 AND state=3;"
           "CREATE VIRTUAL TABLE alerts_words USING fts5(tenant_id UNINDEXED, id UNINDEXED, words, tokenize='trigram',"
           " detail=none, columnsize=0)"}};
}

std::vector<std::type_index> Machine::handles() const {
  return {typeid(Judged),        typeid(Posted),     typeid(Retire),        typeid(Acknowledge),
          typeid(Unacknowledge), typeid(Shelve),     typeid(Unshelve),      typeid(Close),
          typeid(AddNote),       typeid(SetSilence), typeid(ExpireSilence), typeid(DeclareSilences),
          typeid(SetPing),       typeid(RemovePing), typeid(Pinged),        typeid(Reported),
          typeid(ReportAction),  typeid(EditReport), typeid(DeleteAlert)};
}

Status Machine::handle(const control::Event& event, Time now, db::Session& session, control::Effects& effects) {
  AT_TRY(act(event, now, session, effects));
  return end(event.tenant, now, session, effects);
}

/// Alerts that others changed are looked at again until none is left: each time the cause of some is another.
Status Machine::end(const TenantId& tenant, Time now, db::Session& session, control::Effects& effects) {
  if (consolidation_ != nullptr) {
    for (int round = 0; round < kMostRounds; ++round) {
      const auto again = consolidation_->take_again(tenant);
      if (again.empty()) break;
      AT_TRY(Step(*this, tenant, now, session, effects).look_again(again));
    }
    AT_TRY(consolidation_->on_end(tenant, now, session, effects));
  }
  return sink_ == nullptr ? Status{} : sink_->on_end(tenant, now, session, effects);
}

Status Machine::close_all(const TenantId& tenant, const std::vector<AlertId>& alerts, const std::string& user,
                          const std::string& note, Time now, db::Session& session, control::Effects& effects) {
  auto own = effects.of(name());
  for (const auto& id : alerts) AT_TRY(Step(*this, tenant, now, session, own).close({id, user, note}));
  return end(tenant, now, session, own);
}

Status Machine::look_again(const TenantId& tenant, Time now, db::Session& session, control::Effects& effects) {
  auto own = effects.of(name());
  return end(tenant, now, session, own);
}

Status Machine::act(const control::Event& event, Time now, db::Session& session, control::Effects& effects) {
  Step step(*this, event.tenant, now, session, effects);
  if (const auto* judged = std::any_cast<Judged>(&event.body)) return step.judged(*judged, event.cursor);
  if (const auto* posted = std::any_cast<Posted>(&event.body)) return step.posted(*posted);
  if (const auto* retire = std::any_cast<Retire>(&event.body)) return step.retire(*retire);
  if (const auto* c = std::any_cast<Acknowledge>(&event.body)) return step.acknowledge(*c);
  if (const auto* c = std::any_cast<Unacknowledge>(&event.body)) return step.unacknowledge(*c);
  if (const auto* c = std::any_cast<Shelve>(&event.body)) return step.shelve(*c);
  if (const auto* c = std::any_cast<Unshelve>(&event.body)) return step.unshelve(*c);
  if (const auto* c = std::any_cast<Close>(&event.body)) return step.close(*c);
  if (const auto* c = std::any_cast<AddNote>(&event.body)) return step.add_note(*c);
  if (const auto* c = std::any_cast<SetSilence>(&event.body)) return step.set_silence(*c);
  if (const auto* c = std::any_cast<ExpireSilence>(&event.body)) return step.expire_silence(*c);
  if (const auto* c = std::any_cast<DeclareSilences>(&event.body)) return step.declare_silences(*c);
  if (const auto* c = std::any_cast<SetPing>(&event.body)) return step.set_ping(*c);
  if (const auto* c = std::any_cast<RemovePing>(&event.body)) return step.remove_ping(*c);
  if (const auto* c = std::any_cast<Pinged>(&event.body)) return step.pinged(*c);
  if (const auto* c = std::any_cast<Reported>(&event.body)) return step.reported(*c);
  if (const auto* c = std::any_cast<ReportAction>(&event.body)) return step.report_action(*c);
  if (const auto* c = std::any_cast<EditReport>(&event.body)) return step.edit_report(*c);
  if (const auto* c = std::any_cast<DeleteAlert>(&event.body)) return step.delete_alert(*c);
  return fail(ErrorCode::kInternal, "alerts: an event of another machine");
}

Status Machine::on_timer(const TenantId& tenant, std::string_view key, Time due, Time now, db::Session& session,
                         control::Effects& effects) {
  AT_TRY(Step(*this, tenant, now, session, effects).on_timer(key, due));
  return end(tenant, now, session, effects);
}

Status Machine::Step::on_timer(std::string_view key, Time due) {
  if (key == kPurge) return purge();
  if (key == kEndsTimer) return sender_silent();
  if (key == kSilencesTimer) return silence_edge();
  if (key == kSearchTimer) return index_words();
  const auto id = [&](std::string_view prefix) { return AlertId{std::string(key.substr(prefix.size()))}; };
  if (key.starts_with(kAckTimer)) return acknowledgement_ended(id(kAckTimer));
  if (key.starts_with(kShelfTimer)) return shelf_ended(id(kShelfTimer));
  if (key.starts_with(kFlapTimer)) return look_at_flapping(id(kFlapTimer));
  if (key.starts_with(kCalmTimer)) return calm(id(kCalmTimer));
  if (key.starts_with(kHeldTimer)) return held_ended(id(kHeldTimer));
  if (key.starts_with(kPingTimer)) return ping_missed(id(kPingTimer).value());
  return held(AlertId{std::string(key)}, due);
}

Status Machine::Step::judged(const Judged& judged, const std::optional<control::Cursor>& cursor) {
  std::set<AlertId> seen;
  for (const auto& given : judged.judgements) {
    const auto id = identity(tenant_, given.rule, given.identity.empty() ? given.labels : given.identity);
    AT_TRY(auto stored, load_alert(session_, tenant_, id));
    const bool first = seen.insert(id).second;
    // A batch judged again after a crash: its whole event is stored, or nothing of it.
    if (cursor && first && stored && stored->judged_name == cursor->name &&
        stored->judged_position >= cursor->position) {
      seen.erase(id);
      continue;
    }
    AT_TRY(const auto j, consolidated(given, id));
    if (j.level != Level::kOk) {
      AT_TRY(breach(std::move(stored), j, id, cursor));
    } else if (stored && stored->alert.state == State::kResolved) {
      if (stored->alert.closed) AT_TRY(forget_closing(std::move(*stored)));
    } else if (stored) {
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

/// What comes again in the same words is counted alone. The alert keeps its value while there are no data.
bool says_more(const Alert& before, const Judgement& j) {
  const bool same_value =
      j.level == Level::kNoData || before.value == j.value || (std::isnan(before.value) && std::isnan(j.value));
  return !same_value || before.text != j.text || before.level != j.level;
}

Alert new_episode(const std::optional<StoredAlert>& before, const Judgement& j, const AlertId& id) {
  Alert alert;
  alert.id = id;
  alert.episode = before ? before->alert.episode + 1 : 1;
  alert.transitions = before ? before->alert.transitions : 0;
  alert.name = std::string(j.labels.get("alertname"));
  alert.labels = j.identity.empty() ? j.labels : j.identity;
  alert.started = j.at;
  alert.value = j.value;
  // The alert is shelved and flaps, not this episode of it.
  if (before) {
    // What flaps is not told each time: people still think that it fires.
    if (before->alert.flapping && before->alert.told && before->alert.told->state != State::kResolved) {
      alert.told = before->alert.told;
    }
    alert.shelf = before->alert.shelf;
    alert.flapping = before->alert.flapping;
    alert.incident = before->alert.incident;
  }
  return alert;
}

}  // namespace

Status Machine::Step::breach(std::optional<StoredAlert> before, const Judgement& j, const AlertId& id,
                             const std::optional<control::Cursor>& cursor) {
  const bool open = before && before->alert.state != State::kResolved;
  if (!open && before && before->alert.closed && next_severity(before->alert, j) <= before->alert.severity) {
    before->alert.level = j.level;
    before->judged_name = cursor ? cursor->name : "";
    before->judged_position = cursor ? cursor->position : 0;
    return stays_closed(std::move(*before));
  }
  StoredAlert stored;
  if (open) {
    stored = *before;
  } else {
    stored.alert = new_episode(before, j, id);
  }
  auto& alert = stored.alert;
  const auto from = open ? std::optional(alert.state) : std::nullopt;
  const auto severity_before = alert.severity;
  if (open && j.identity.empty() && says_more(alert, j)) AT_TRY(add_event(j, id));
  alert.rule = j.rule;
  alert.expr = j.expr;
  alert.kind = j.kind;
  alert.level = j.level;
  alert.text = j.text;
  alert.judged_with = j.judged_with;
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

Status Machine::Step::held(const AlertId& id, Time due) {
  AT_TRY(auto stored, load_alert(session_, tenant_, id));
  if (!stored || stored->alert.state != State::kPending) return {};
  stored->alert.state = State::kFiring;
  return settle(*stored, State::kPending, stored->alert.severity, due);
}

Status Machine::Step::purge() {
  const auto resolved = static_cast<std::int64_t>(State::kResolved);
  const auto before = to_ms(now_ - machine_.options_.keep);
  AT_TRY(unindex_before(session_, tenant_, now_ - machine_.options_.keep));
  AT_TRY(session_.execute("DELETE FROM alerts_alerts WHERE tenant_id=? AND state=? AND resolved_ms<?",
                          {tenant_.value(), resolved, before}));
  for (const auto* table :
       {"DELETE FROM alerts_sources WHERE tenant_id=? AND NOT EXISTS (SELECT 1 FROM alerts_alerts a "
        "WHERE a.tenant_id=alerts_sources.tenant_id AND a.id=alerts_sources.id)",
        "DELETE FROM alerts_events WHERE tenant_id=? AND NOT EXISTS (SELECT 1 FROM alerts_alerts a "
        "WHERE a.tenant_id=alerts_events.tenant_id AND a.id=alerts_events.id)"}) {
    AT_TRY(session_.execute(table, {tenant_.value()}));
  }
  // An open episode keeps its lines, however long it lasts.
  AT_TRY(
      session_.execute("DELETE FROM alerts_history WHERE tenant_id=? AND at_ms<? AND NOT EXISTS (SELECT 1 FROM "
                       "alerts_alerts a WHERE a.tenant_id=alerts_history.tenant_id AND a.id=alerts_history.id AND "
                       "a.state<>? AND a.episode=alerts_history.episode)",
                       {tenant_.value(), before, resolved}));
  AT_TRY(delete_orphaned_reports(session_, tenant_));
  AT_TRY(const auto left, session_.query("SELECT 1 FROM alerts_alerts WHERE tenant_id=? LIMIT 1", {tenant_.value()}));
  if (left.empty()) return {};
  AT_TRY(effects_.set_timer(kSearchTimer, next_indexing(now_)));
  return effects_.set_timer(kPurge, next_purge(now_));
}

/// A little at a time: what comes meanwhile does not wait.
Status Machine::Step::index_words() {
  constexpr std::size_t kAtOnce = 64;
  AT_TRY(const bool more, index_some(session_, tenant_, kAtOnce));
  return more ? effects_.set_timer(kSearchTimer, now_ + Duration{5}) : Status{};
}

Status Machine::Step::retire(const Retire& command_in) {
  static const std::string sql = "SELECT " + std::string(kAlertColumns) +
                                 " FROM alerts_alerts WHERE tenant_id=? AND (state<>? OR closed_ms IS NOT NULL)"
                                 " AND kind<>? ORDER BY started_ms, id";
  AT_TRY(const auto rows, session_.query(sql, {tenant_.value(), static_cast<std::int64_t>(State::kResolved),
                                               static_cast<std::int64_t>(Kind::kPosted)}));
  for (const auto& row : rows) {
    auto stored = read_alert(row);
    const bool rule_gone = command_in.known_rules && !command_in.known_rules->contains(stored.alert.rule);
    const bool host_gone = !command_in.host.empty() && stored.alert.labels.get("instance") == command_in.host;
    if (!rule_gone && !host_gone) continue;
    if (stored.alert.state == State::kResolved) {
      AT_TRY(forget_closing(std::move(stored)));
    } else {
      AT_TRY(forget_sources(stored.alert.id));
      AT_TRY(resolve(std::move(stored), now_, command_in.reason, false));
    }
  }
  return {};
}

}  // namespace atalaya::alerts
