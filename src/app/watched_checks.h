// Which series rules are to look at: those of checks only while a package declares the check.
#pragma once

#include <map>
#include <vector>

#include "base/ids.h"
#include "packages/package.h"
#include "rules/engine.h"

namespace atalaya::app {

using CollectorsOfTenants = std::map<TenantId, std::vector<packages::CollectorItem>>;

/// What has the labels of a check (`job="check"`) is watched if one of the tenant's checks makes it on
/// that host: after its removal neither the samples that an agent still brings nor the end of its
/// series speak. Everything else is watched, and everything of a tenant that is not in the map.
rules::Watched watched_checks(CollectorsOfTenants collectors);

}  // namespace atalaya::app
