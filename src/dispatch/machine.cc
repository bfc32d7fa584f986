#include "dispatch/machine.h"

#include <fmt/format.h>

#include "dispatch/rows.h"
#include "dispatch/tenant.h"
#include "telemetry/log.h"

namespace atalaya::dispatch {
namespace {

Result<routing::ConfigPtr> parse(const StoredConfiguration& stored) {
  config::Errors errors, warnings;
  auto config = routing::read_config_text(stored.text, stored.file, errors, warnings);
  if (!config) return std::unexpected(errors.front());
  return acting(config);
}

}  // namespace

std::string channel_of(const routing::Target& target) {
  return fmt::format("alertmanager/{}/{}/{}", target.receiver, target.type, target.index);
}

routing::ConfigPtr acting(const routing::ConfigPtr& config) {
  auto out = std::make_shared<routing::Config>(*config);
  for (auto& [name, receiver] : out->receivers) {
    std::erase_if(receiver.integrations, [](const auto& one) { return !one.carried_out; });
  }
  return out;
}

Machine::Machine(notify::Outbox& outbox, notify::OutboxOptions options)
    : outbox_(outbox), options_(std::move(options)) {}
Machine::~Machine() = default;

std::vector<db::Migration> Machine::migrations() { return dispatch::migrations(); }

Status Machine::restore(db::Database& database, Time now) {
  const std::lock_guard lock(mutex_);
  return database.read([&](db::Session& session) -> Status {
    AT_TRY(const auto tenants, configured_tenants(session));
    for (const auto& tenant : tenants) AT_TRY(tenant_for(tenant, now, session));
    return {};
  });
}

Result<Machine::Tenant*> Machine::tenant_for(const TenantId& tenant, Time now, db::Session& session) {
  const auto found = tenants_.find(tenant);
  if (found != tenants_.end()) return found->second.get();
  AT_TRY(auto loaded, load(tenant, now, session));
  return tenants_.emplace(tenant, std::move(loaded)).first->second.get();
}

Result<std::unique_ptr<Machine::Tenant>> Machine::load(const TenantId& tenant, Time now, db::Session& session) const {
  auto out = std::make_unique<Tenant>();
  AT_TRY(auto stored, load_configuration(session, tenant));
  if (!stored) return out;
  auto config = parse(*stored);
  if (!config) {
    // Of another version: until it is given again, or another, the built-in route acts.
    telemetry::log_error("dispatch", "the stored configuration does not hold",
                         {{"tenant", tenant.value()}, {"reason", to_string(config.error())}});
    return out;
  }
  out->stored = std::move(*stored);
  out->config = std::move(*config);
  auto state = load_state(session, tenant, out->changes);
  if (!state && state.error().code != ErrorCode::kCorruption) return std::unexpected(state.error());
  const bool damaged = !state;
  if (damaged) {
    // Better told twice than never.
    telemetry::log_error("dispatch", "routing begins anew", {{"reason", to_string(state.error())}});
    state = StoredState{};
    AT_TRY(state->state.flushes, load_flushes(session, tenant));
  }
  AT_TRY(const auto alerts, load_open_alerts(session, tenant));
  for (std::size_t i = 0; i < state->ids.size(); ++i) {
    out->behind[state->state.alerts[i].alert.labels].last = state->ids[i];
  }
  AT_TRY(auto silences, load_routing_silences(session, tenant));
  for (const auto& alert : alerts) {
    out->note_shelf(alert);
    out->note_withheld(alert);
    out->note_acknowledged(alert);
    if (alert.state == alerts::State::kResolved || damaged) continue;
    const auto behind = out->behind.find(alert.labels);
    if (behind != out->behind.end()) behind->second.open.push_back(alert.id);
  }
  for (const auto& [id, silence] : out->shelved) silences.push_back(silence);
  for (const auto& [id, silence] : out->withheld) silences.push_back(silence);
  for (const auto& row : state->state.log) {
    if (!row.pending) continue;
    const routing::NotificationKey key{row.group, row.target, row.pending->flush};
    out->awaited.emplace(to_string(key), key);
  }
  out->machine = routing::Machine::load(out->config, state->state, std::move(silences));
  if (damaged) {
    for (const auto& alert : alerts) out->note(alert, now);
  }
  return out;
}

void Machine::forget(std::set<TenantId>& touched) {
  const std::lock_guard lock(mutex_);
  for (const auto& tenant : touched) tenants_.erase(tenant);
  touched.clear();
}

void Machine::on_boundary(control::Boundary boundary) {
  switch (boundary) {
    case control::Boundary::kEventKept: return touched_in_step_.merge(touched_in_event_), touched_in_event_.clear();
    case control::Boundary::kEventUndone: return forget(touched_in_event_);
    case control::Boundary::kStepKept: return touched_in_step_.clear();
    case control::Boundary::kStepUndone: forget(touched_in_event_); return forget(touched_in_step_);
  }
}

std::vector<std::type_index> Machine::handles() const { return {typeid(Configure)}; }

Status Machine::handle(const control::Event& event, Time now, db::Session& session, control::Effects& effects) {
  const auto* configure = std::any_cast<Configure>(&event.body);
  if (configure == nullptr) return fail(ErrorCode::kInternal, "dispatch: an event of another machine");
  const std::lock_guard lock(mutex_);
  AT_TRY(auto* tenant, tenant_for(event.tenant, now, session));
  return Step(*this, event.tenant, *tenant, now, session, effects).configure(*configure);
}

Status Machine::on_timer(const TenantId& id, std::string_view, Time, Time now, db::Session& session,
                         control::Effects& effects) {
  const std::lock_guard lock(mutex_);
  AT_TRY(auto* tenant, tenant_for(id, now, session));
  if (!tenant->config) return {};
  touch(id);
  tenant->timer.reset();
  tenant->timer_known = true;
  return Step(*this, id, *tenant, now, session, effects).advance();
}

Status Machine::on_transition(const TenantId& id, const alerts::Transition& transition, Time now, db::Session& session,
                              control::Effects& effects) {
  {
    const std::lock_guard lock(mutex_);
    AT_TRY(const auto* tenant, tenant_for(id, now, session));
    if (tenant->config) return {};
  }
  return outbox_.on_transition(id, transition, now, session, effects);
}

Status Machine::on_alert(const TenantId& id, const alerts::Alert& alert, Time now, db::Session& session,
                         control::Effects&) {
  const std::lock_guard lock(mutex_);
  AT_TRY(auto* tenant, tenant_for(id, now, session));
  if (!tenant->config) return {};
  touch(id);
  tenant->note(alert, now);
  return {};
}

Status Machine::on_silences(const TenantId& id, Time now, db::Session& session, control::Effects&) {
  const std::lock_guard lock(mutex_);
  AT_TRY(auto* tenant, tenant_for(id, now, session));
  if (!tenant->config) return {};
  touch(id);
  tenant->silences_differ = true;
  return {};
}

Status Machine::on_end(const TenantId& id, Time now, db::Session& session, control::Effects& effects) {
  const std::lock_guard lock(mutex_);
  AT_TRY(auto* tenant, tenant_for(id, now, session));
  if (!tenant->config || (tenant->gathered.empty() && !tenant->silences_differ)) return {};
  touch(id);
  auto own = effects.of(name());
  return Step(*this, id, *tenant, now, session, own).act();
}

Status Machine::on_end_of(const TenantId& id, const std::string& key, bool sent, Time now, db::Session& session,
                          control::Effects& effects) {
  const std::lock_guard lock(mutex_);
  AT_TRY(auto* tenant, tenant_for(id, now, session));
  const auto awaited = tenant->awaited.find(key);
  if (!tenant->config || awaited == tenant->awaited.end()) return {};
  touch(id);
  const auto notification = awaited->second;
  tenant->awaited.erase(awaited);
  auto own = effects.of(name());
  return Step(*this, id, *tenant, now, session, own).answered(notification, sent);
}

routing::ConfigPtr Machine::config(const TenantId& tenant) const {
  const std::lock_guard lock(mutex_);
  const auto found = tenants_.find(tenant);
  return found == tenants_.end() ? nullptr : found->second->config;
}

Configure Machine::configuration(const TenantId& tenant) const {
  const std::lock_guard lock(mutex_);
  const auto found = tenants_.find(tenant);
  if (found == tenants_.end() || !found->second->config) return {};
  return {found->second->stored.text, found->second->stored.file};
}

routing::MuteState Machine::mutes(const TenantId& tenant, const Labels& seen, Time now) const {
  const std::lock_guard lock(mutex_);
  const auto found = tenants_.find(tenant);
  if (found == tenants_.end() || !found->second->config) return {};
  routing::Alert alert;
  alert.labels = seen;
  return found->second->machine->mutes(alert, now);
}

std::vector<Machine::GroupSeen> Machine::groups(const TenantId& tenant, Time now) const {
  const std::lock_guard lock(mutex_);
  std::vector<GroupSeen> out;
  const auto found = tenants_.find(tenant);
  if (found == tenants_.end() || !found->second->config) return out;
  for (const auto& group : found->second->machine->groups()) {
    GroupSeen seen{group.route->options.receiver, group.labels, {}};
    for (const auto* alert : group.alerts) {
      if (alert->firing_at(now)) seen.alerts.push_back(alert->labels);
    }
    if (!seen.alerts.empty()) out.push_back(std::move(seen));
  }
  return out;
}

}  // namespace atalaya::dispatch
