// Routes of nodes: enrolment, the agents' own doors, the list of hosts, checks.
#pragma once

#include <functional>
#include <string>

#include "alerts/queries.h"
#include "api/doors.h"
#include "ingest/agent_hub.h"
#include "packages/service.h"
#include "registry/hosts.h"
#include "storage/logs.h"
#include "storage/series.h"

namespace atalaya::api {

struct HostServices {
  auth::Service& auth;
  registry::Hosts& hosts;
  ingest::AgentHub& agents;
  packages::Service& packages;
  alerts::Queries& alerts;
  const storage::SeriesQuerier& series;
  const storage::LogQuerier& logs;
  const Clock& clock;
  /// Fingerprint of the server's certificate, "-" without TLS.
  std::function<std::string()> fingerprint;
  /// Called after a host was removed: whoever judges or shows it lets it go.
  std::function<void(const TenantId&, const registry::Host&)> removed;
  /// Called after an agent has enrolled with this token.
  std::function<void(const TenantId&, std::string_view token, const std::string& host)> enrolled;
};

void add_host_routes(Doors& doors, HostServices services);

/// `Host` as the API shows it, without the counts of its alerts.
boost::json::object to_json(const registry::Host& host);

}  // namespace atalaya::api
