// Alertmanager's routing plugged into the control loop: alerts in, deliveries out, all in one transaction.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "alerts/machine.h"
#include "control/machine.h"
#include "notify/outbox.h"
#include "routing/machine.h"

namespace atalaya::dispatch {

/// Event body: from now on this configuration acts for the tenant; with an empty text none does, and the built-in
/// route tells every channel of every change at once. The same text again changes nothing. invalid_argument where
/// routing::read_config_text finds a mistake: then the one before stays.
struct Configure {
  std::string text;
  std::string file;  ///< for messages
};

/// Published after the commit: another configuration acts, or none.
struct ConfigurationChanged {};

/// `config` without integrations that nobody carries out: an answer to those would never come.
routing::ConfigPtr acting(const routing::ConfigPtr& config);

/// One routing::Machine a tenant that has a configuration; the others' news go to the outbox as they come. The machines
/// live in memory beside their rows (docs/formats/control-database.md): whatever undoes rows throws the tenant's
/// machine away, and the next event loads it again. So does the next process, with the configuration that was stored
/// with them.
///
/// For routing an alert fires from its first firing or no_data until it resolves, whatever its door; two alerts of
/// different rules with the same labels are one. A shelved alert is silenced, and so is one that is withheld, as what
/// it depends on is down. Whoever acknowledges an alert, or its incident, has heard of it: repeats wait. Strand-bound,
/// except the views, which are thread-safe.
class Machine final : public control::Machine, public alerts::TransitionSink, public notify::DeliveryEnds {
 public:
  /// Both outlive the machine. Call `outbox.report_to(machine)`.
  Machine(notify::Outbox& outbox, notify::OutboxOptions options);
  ~Machine() override;

  static std::vector<db::Migration> migrations();
  /// Loads the tenants that have a configuration, for the views. Before the first step.
  Status restore(db::Database& database, Time now);

  std::string_view name() const override { return "dispatch"; }
  std::vector<std::type_index> handles() const override;
  Status handle(const control::Event& event, Time now, db::Session& session, control::Effects& effects) override;
  Status on_timer(const TenantId& tenant, std::string_view key, Time due, Time now, db::Session& session,
                  control::Effects& effects) override;
  void on_boundary(control::Boundary boundary) override;

  Status on_transition(const TenantId& tenant, const alerts::Transition& transition, Time now, db::Session& session,
                       control::Effects& effects) override;
  Status on_alert(const TenantId& tenant, const alerts::Alert& alert, Time now, db::Session& session,
                  control::Effects& effects) override;
  Status on_silences(const TenantId& tenant, Time now, db::Session& session, control::Effects& effects) override;
  Status on_end(const TenantId& tenant, Time now, db::Session& session, control::Effects& effects) override;
  Status on_end_of(const TenantId& tenant, const std::string& key, bool sent, Time now, db::Session& session,
                   control::Effects& effects) override;

  // Views.
  struct GroupSeen {
    std::string receiver;
    Labels labels;
    std::vector<Labels> alerts;
  };
  /// Null where the built-in route acts.
  routing::ConfigPtr config(const TenantId& tenant) const;
  /// As it was given, with secrets; empty where there is none.
  Configure configuration(const TenantId& tenant) const;
  routing::MuteState mutes(const TenantId& tenant, const Labels& seen, Time now) const;
  /// In order of route and labels, with the alerts that fire.
  std::vector<GroupSeen> groups(const TenantId& tenant, Time now) const;

 private:
  struct Tenant;
  class Step;

  Result<Tenant*> tenant_for(const TenantId& tenant, Time now, db::Session& session);
  Result<std::unique_ptr<Tenant>> load(const TenantId& tenant, Time now, db::Session& session) const;
  void touch(const TenantId& tenant) { touched_in_event_.insert(tenant); }
  void forget(std::set<TenantId>& touched);

  notify::Outbox& outbox_;
  const notify::OutboxOptions options_;
  mutable std::mutex mutex_;  ///< held by whoever changes tenants_ or looks from another thread
  std::map<TenantId, std::unique_ptr<Tenant>> tenants_;
  std::set<TenantId> touched_in_event_;
  std::set<TenantId> touched_in_step_;
};

/// Channel of an integration: `alertmanager/<receiver>/<type>/<index>`.
std::string channel_of(const routing::Target& target);

}  // namespace atalaya::dispatch
