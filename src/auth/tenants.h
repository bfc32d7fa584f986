// Which tenants there are: those that somebody or something may sign in to.
#pragma once

#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "db/database.h"

namespace atalaya::auth {

/// Tenants with a user, a token or an agent, sorted. After Service::open, which makes the tables.
Result<std::vector<TenantId>> tenants_in_use(db::Database& database);

}  // namespace atalaya::auth
