// Incidents plugged into the control loop: beside alerts, in the same transaction.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "alerts/machine.h"
#include "control/machine.h"
#include "incidents/engine.h"

namespace atalaya::incidents {

/// Event body: from now on alerts are joined by these settings (`write_settings`); what is joined stays. The same text
/// again changes nothing.
struct ConfigureIncidents {
  std::string text;
};

/// Published after each commit for every incident that changed: for live views.
struct IncidentChanged {
  Incident incident;
};

struct MachineOptions {
  /// Closed incidents are deleted after this; as alerts are.
  Duration keep{std::chrono::hours{24 * 90}};
};

/// One Engine a tenant, in memory beside its rows (docs/formats/control-database.md): whatever undoes rows throws the
/// engine away, and the next event loads it again; so does the next process. Strand-bound.
class Machine final : public control::Machine, public alerts::Consolidation {
 public:
  explicit Machine(MachineOptions options = {});
  ~Machine() override;

  /// Before the first event: whose alerts these are. Outlives the machine.
  void work_for(alerts::Machine& alerts);

  static std::vector<db::Migration> migrations();

  std::string_view name() const override { return "incidents"; }
  std::vector<std::type_index> handles() const override;
  Status handle(const control::Event& event, Time now, db::Session& session, control::Effects& effects) override;
  Status on_timer(const TenantId& tenant, std::string_view key, Time due, Time now, db::Session& session,
                  control::Effects& effects) override;
  void on_boundary(control::Boundary boundary) override;

  Status place(const TenantId& tenant, alerts::Alert& alert, Time now, db::Session& session) override;
  Again take_again(const TenantId& tenant) override;
  Status on_end(const TenantId& tenant, Time now, db::Session& session, control::Effects& effects) override;

 private:
  Result<Engine*> engine_for(const TenantId& tenant, Time now, db::Session& session);
  Result<Engine*> touch(const TenantId& tenant, Time now, db::Session& session);
  /// With the incident of a command, however long it is over.
  Result<Engine*> engine_with(const TenantId& tenant, IncidentId id, Time now, db::Session& session);
  Status act(const control::Event& event, Time now, db::Session& session, control::Effects& effects);
  Status configure(const TenantId& tenant, const ConfigureIncidents& given, Time now, db::Session& session);
  Status finish(const TenantId& tenant, Time now, db::Session& session, control::Effects& effects);
  Status close(const TenantId& tenant, const CloseIncident& command, Time now, db::Session& session,
               control::Effects& effects);
  void forget(std::set<TenantId>& touched);

  const MachineOptions options_;
  alerts::Machine* alerts_ = nullptr;
  std::map<TenantId, std::unique_ptr<Engine>> engines_;
  std::set<TenantId> touched_in_event_;
  std::set<TenantId> touched_in_step_;
};

}  // namespace atalaya::incidents
