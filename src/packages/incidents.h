// What packages say of incidents: policies, correlation and dependencies.
#pragma once

#include "incidents/settings.h"
#include "packages/service.h"
#include "registry/items.h"

namespace atalaya::packages {

/// Of all packages of the tenant that run: the policies of the sections `incidents` by package and name; what rules
/// say of correlation; what rules and collectors depend on; which collectors each host has.
incidents::Settings incident_settings(const Service& service, const registry::Items& items, const TenantId& tenant);

}  // namespace atalaya::packages
