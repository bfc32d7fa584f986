// What of packages needs agents, people and the audit log: sections with programs, procedures, pages, OCCI, routes.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "api/doors.h"
#include "api/occi.h"
#include "api/procedures.h"
#include "api/prometheus.h"
#include "app/entities.h"
#include "app/keeper.h"
#include "app/publishing.h"
#include "app/section_runner.h"
#include "app/sensors.h"
#include "ingest/agent_hub.h"
#include "net/worker_pool.h"
#include "packages/service.h"
#include "registry/audit.h"
#include "registry/hosts.h"
#include "registry/items.h"
#include "storage/series.h"

namespace atalaya::app {

/// All outlive the parts.
struct PackageNeighbours {
  packages::Service& packages;
  registry::Items& items;
  registry::Hosts& hosts;
  ingest::AgentHub& agents;
  registry::Audit& audit;
  auth::Service& auth;
  const storage::SeriesQuerier& series;
  const Clock& clock;
  std::vector<std::string> trusted_keys;  ///< of archives, PEM
  /// Tells every open page of the tenant: a JSON text of the topic `packages`.
  std::function<void(const TenantId&, std::string)> publish;
  api::QueryOptions queries;  ///< of widgets on pages
  std::string link_base;      ///< under which people reach the server
  telemetry::Registry& metrics;
  std::unique_ptr<Publishing> publishing;
  occi::Quota quota;
};

/// Construct, `changed` at will, `add_routes`, `start`, `stop` (idempotent). Thread-safe after construction.
class PackageParts {
 public:
  explicit PackageParts(PackageNeighbours neighbours);

  /// These packages differ: for packages::Listeners.
  void changed(const TenantId& tenant, const std::set<std::string>& names);
  void add_routes(api::Doors& doors);
  /// An agent has enrolled with this token.
  void enrolled(const TenantId& tenant, std::string_view token, const std::string& host) {
    occi_.enrolled(tenant, token, host);
    sensors_.changed(tenant);
  }
  Sensors& sensors() { return sensors_; }
  void start();
  /// Ends calls of agents, and with them those who wait.
  void stop();

 private:
  SensorNeighbours sensor_neighbours();
  Result<AgentId> reachable_host(const TenantId& tenant, const std::string& on) const;

  PackageNeighbours with_;
  Entities entities_;
  SectionRunner sections_;
  api::Procedures procedures_;
  api::Occi occi_;
  std::unique_ptr<Publishing> publishing_;
  Sensors sensors_;
  net::WorkerPool callers_;   ///< threads that wait for programs on agents
  net::WorkerPool changers_;  ///< threads that change what OCCI shows
  Keeper keeper_;             ///< another, for sections
};

}  // namespace atalaya::app
