// Routing's state as rows (docs/formats/control-database.md).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "db/database.h"
#include "dispatch/change_log.h"
#include "routing/rows.h"

namespace atalaya::dispatch {

/// The configuration that acts for a tenant, as it was given.
struct StoredConfiguration {
  std::string text;
  std::string file;  ///< for messages
};

std::vector<db::Migration> migrations();

/// What receivers were told, and the number of flushes.
Status store_log(db::Session& session, const TenantId& tenant, const routing::Changes& changes);
/// corruption where a row cannot be read. `changes` goes on from there.
Result<StoredState> load_state(db::Session& session, const TenantId& tenant, ChangeLog& changes);

Status store_configuration(db::Session& session, const TenantId& tenant, const StoredConfiguration& configuration);
Result<std::optional<StoredConfiguration>> load_configuration(db::Session& session, const TenantId& tenant);
Result<std::vector<TenantId>> configured_tenants(db::Session& session);
/// The last number of a flush that the tenant had.
Result<std::uint64_t> load_flushes(db::Session& session, const TenantId& tenant);
/// All but that number.
Status erase_all(db::Session& session, const TenantId& tenant);

}  // namespace atalaya::dispatch
