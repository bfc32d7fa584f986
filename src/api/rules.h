// Groups of Prometheus' rules and their alerts, as Prometheus' HTTP API shows them.
#pragma once

#include <functional>
#include <vector>

#include "api/doors.h"
#include "rules/groups/group_run.h"

namespace atalaya::api {

/// Groups of a tenant, by file and name.
using GroupStates = std::function<std::vector<rules::GroupState>(const TenantId&)>;

/// What `rules` and `alerts` answer. Our thresholds (section `rules`) are not among them: they are no groups, and
/// stand under ~/rules and ~/alerts.
Result<net::Response> answer_rules(const std::vector<rules::GroupState>& groups, const net::Parameters& parameters);
net::Response answer_alerts(const std::vector<rules::GroupState>& groups);

/// GET /api/v1/rules, GET /api/v1/alerts.
void add_rule_routes(Doors& doors, GroupStates groups);

}  // namespace atalaya::api
