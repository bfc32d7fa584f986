#include "incidents/machine.h"

#include <fmt/format.h>

#include "incidents/rows.h"
#include "telemetry/log.h"

namespace atalaya::incidents {
namespace {

constexpr std::string_view kAckTimer = "ack:";
constexpr std::string_view kPurge = "purge";

std::string ack_timer(IncidentId id) { return std::string(kAckTimer) + to_string(id); }

/// The same all day, so that the timer comes although each incident that closes sets it.
Time next_purge(Time now) { return std::chrono::floor<std::chrono::days>(now) + std::chrono::hours{24 + 4}; }

}  // namespace

Machine::Machine(MachineOptions options) : options_(options) {}
Machine::~Machine() = default;

void Machine::work_for(alerts::Machine& alerts) {
  alerts_ = &alerts;
  alerts.consolidate(*this);
}

std::vector<db::Migration> Machine::migrations() { return incidents::migrations(); }

std::vector<std::type_index> Machine::handles() const {
  return {typeid(ConfigureIncidents), typeid(AcknowledgeIncident), typeid(UnacknowledgeIncident),
          typeid(AssignIncident),     typeid(CloseIncident),       typeid(NoteIncident),
          typeid(MergeIncident)};
}

Result<Engine*> Machine::engine_for(const TenantId& tenant, Time now, db::Session& session) {
  const auto known = engines_.find(tenant);
  if (known != engines_.end()) return known->second.get();
  AT_TRY(auto stored, load_settings(session, tenant));
  auto settings = stored.text.empty() ? built_in_settings() : SettingsPtr{};
  if (!settings) {
    auto read = read_settings(stored.text);
    if (read) {
      settings = std::move(*read);
    } else {
      // Of another version: until they are given again the built-in ones act.
      telemetry::log_error("incidents", "the stored settings do not hold",
                           {{"tenant", tenant.value()}, {"reason", to_string(read.error())}});
      settings = built_in_settings();
    }
  }
  AT_TRY(auto live, load_live(session, tenant, now));
  auto engine = std::make_unique<Engine>(std::move(settings), std::move(live), stored.last);
  const auto restore = [&](const auto& alert, const auto& member) { engine->restore(alert, member); };
  AT_TRY(for_each_open(session, tenant, restore));
  return engines_.emplace(tenant, std::move(engine)).first->second.get();
}

Result<Engine*> Machine::touch(const TenantId& tenant, Time now, db::Session& session) {
  AT_TRY(auto* engine, engine_for(tenant, now, session));
  touched_in_event_.insert(tenant);
  return engine;
}

Result<Engine*> Machine::engine_with(const TenantId& tenant, IncidentId id, Time now, db::Session& session) {
  AT_TRY(auto* engine, engine_for(tenant, now, session));
  if (!engine->knows(id)) {
    AT_TRY(auto stored, load_incident(session, tenant, id));
    if (stored) engine->remember(std::move(*stored));
  }
  return engine;
}

void Machine::forget(std::set<TenantId>& touched) {
  for (const auto& tenant : touched) engines_.erase(tenant);
  touched.clear();
}

void Machine::on_boundary(control::Boundary boundary) {
  switch (boundary) {
    case control::Boundary::kEventKept: touched_in_step_.merge(touched_in_event_); return touched_in_event_.clear();
    case control::Boundary::kEventUndone: return forget(touched_in_event_);
    case control::Boundary::kStepKept: return touched_in_step_.clear();
    case control::Boundary::kStepUndone: forget(touched_in_event_); return forget(touched_in_step_);
  }
}

Status Machine::place(const TenantId& tenant, alerts::Alert& alert, Time now, db::Session& session) {
  AT_TRY(auto* engine, touch(tenant, now, session));
  engine->place(alert, now);
  return {};
}

alerts::Consolidation::Again Machine::take_again(const TenantId& tenant) {
  const auto known = engines_.find(tenant);
  if (known == engines_.end()) return {};
  auto again = known->second->take_again();
  return {std::move(again.alerts), std::move(again.recovered), again.all_unknown};
}

Status Machine::on_end(const TenantId& tenant, Time now, db::Session& session, control::Effects& effects) {
  const auto known = engines_.find(tenant);
  if (known == engines_.end()) return {};
  const auto changes = known->second->take_changes();
  if (changes.empty()) return {};
  touched_in_event_.insert(tenant);
  AT_TRY(store_changes(session, tenant, changes));
  auto own = effects.of(name());
  for (const auto& [id, until] : changes.ack_ends) {
    AT_TRY(until ? own.set_timer(ack_timer(id), *until) : own.cancel_timer(ack_timer(id)));
  }
  for (const auto& incident : changes.incidents) {
    if (incident.closed == now) AT_TRY(own.set_timer(kPurge, next_purge(now)));
    own.publish(IncidentChanged{incident});
  }
  return {};
}

Status Machine::handle(const control::Event& event, Time now, db::Session& session, control::Effects& effects) {
  AT_TRY(act(event, now, session, effects));
  return finish(event.tenant, now, session, effects);
}

/// Alerts bear what is so of their incident.
Status Machine::finish(const TenantId& tenant, Time now, db::Session& session, control::Effects& effects) {
  if (alerts_ != nullptr) AT_TRY(alerts_->look_again(tenant, now, session, effects));
  return on_end(tenant, now, session, effects);
}

Status Machine::act(const control::Event& event, Time now, db::Session& session, control::Effects& effects) {
  const auto& tenant = event.tenant;
  const auto command = [&](IncidentId id, const auto& work) -> Status {
    AT_TRY(auto* engine, engine_with(tenant, id, now, session));
    touched_in_event_.insert(tenant);
    return work(*engine);
  };
  if (const auto* c = std::any_cast<ConfigureIncidents>(&event.body)) {
    return configure(tenant, *c, now, session);
  }
  if (const auto* c = std::any_cast<CloseIncident>(&event.body)) return close(tenant, *c, now, session, effects);
  if (const auto* c = std::any_cast<AcknowledgeIncident>(&event.body)) {
    return command(c->id, [&](Engine& engine) { return engine.acknowledge(*c, now); });
  }
  if (const auto* c = std::any_cast<UnacknowledgeIncident>(&event.body)) {
    return command(c->id, [&](Engine& engine) { return engine.unacknowledge(*c, now); });
  }
  if (const auto* c = std::any_cast<AssignIncident>(&event.body)) {
    return command(c->id, [&](Engine& engine) { return engine.assign(*c, now); });
  }
  if (const auto* c = std::any_cast<MergeIncident>(&event.body)) {
    AT_TRY(engine_with(tenant, c->into, now, session));
    return command(c->id, [&](Engine& engine) { return engine.merge(*c, now); });
  }
  if (const auto* c = std::any_cast<NoteIncident>(&event.body)) {
    return command(c->id, [&](Engine& engine) { return engine.note(*c, now); });
  }
  return fail(ErrorCode::kInternal, "incidents: an event of another machine");
}

/// The engine is made anew of its rows: what it remembers of alerts follows from the settings.
Status Machine::configure(const TenantId& tenant, const ConfigureIncidents& given, Time now, db::Session& session) {
  AT_TRY(const auto stored, load_settings(session, tenant));
  if (stored.text == given.text) return {};
  if (!given.text.empty()) AT_TRY(read_settings(given.text));
  AT_TRY(store_settings(session, tenant, given.text));
  engines_.erase(tenant);
  AT_TRY(auto* engine, touch(tenant, now, session));
  engine->reconsider();
  return {};
}

Status Machine::close(const TenantId& tenant, const CloseIncident& command, Time now, db::Session& session,
                      control::Effects& effects) {
  AT_TRY(auto* engine, engine_with(tenant, command.id, now, session));
  AT_TRY(const auto alerts, engine->close(command, now));
  touched_in_event_.insert(tenant);
  if (alerts_ == nullptr) return fail(ErrorCode::kInternal, "incidents: nobody closes alerts");
  return alerts_->close_all(tenant, alerts, command.user, command.note, now, session, effects);
}

Status Machine::on_timer(const TenantId& tenant, std::string_view key, Time, Time now, db::Session& session,
                         control::Effects& effects) {
  if (key == kPurge) {
    AT_TRY(const bool left, purge(session, tenant, now - options_.keep));
    return left ? effects.set_timer(kPurge, next_purge(now)) : Status{};
  }
  AT_TRY(const auto id, parse_incident_id(key.substr(kAckTimer.size())));
  AT_TRY(auto* engine, touch(tenant, now, session));
  engine->acknowledgement_ended(id, now);
  return finish(tenant, now, session, effects);
}

}  // namespace atalaya::incidents
