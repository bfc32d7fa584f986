// Routing's state as rows (docs/formats/control-database.md).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "db/database.h"
#include "routing/rows.h"

namespace atalaya::dispatch {

/// Which alert of ours stands behind a label set of routing.
using AlertIdOf = std::function<AlertId(const Labels&)>;

/// The configuration that acts for a tenant, as it was given.
struct StoredConfiguration {
  std::string text;
  std::string file;  ///< for messages
};

std::vector<db::Migration> migrations();

Status store_changes(db::Session& session, const TenantId& tenant, const routing::Changes& changes,
                     const AlertIdOf& id_of);
struct StoredState {
  routing::State state;
  std::vector<AlertId> ids;  ///< of `state.alerts`, one each
};
/// corruption where a row cannot be read.
Result<StoredState> load_state(db::Session& session, const TenantId& tenant);

Status store_configuration(db::Session& session, const TenantId& tenant, const StoredConfiguration& configuration);
Result<std::optional<StoredConfiguration>> load_configuration(db::Session& session, const TenantId& tenant);
Result<std::vector<TenantId>> configured_tenants(db::Session& session);
/// The last number of a flush that the tenant had.
Result<std::uint64_t> load_flushes(db::Session& session, const TenantId& tenant);
/// All but that number.
Status erase_all(db::Session& session, const TenantId& tenant);

}  // namespace atalaya::dispatch
