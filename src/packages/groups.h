// Items of the section `groups` as groups of rules.
#pragma once

#include "packages/service.h"
#include "rules/groups/group.h"

namespace atalaya::packages {

/// Those of all packages of the tenant that run; specifications' left out.
std::vector<rules::GroupSpec> groups_of(const Service& service, const TenantId& tenant);

}  // namespace atalaya::packages
