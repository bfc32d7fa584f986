// Incidents as rows (docs/formats/control-database.md).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "db/database.h"
#include "incidents/engine.h"

namespace atalaya::incidents {

std::vector<db::Migration> migrations();

/// Columns in the order that `read_incident` expects.
extern const std::string_view kIncidentColumns;
Incident read_incident(const db::Row& row);

Status store_changes(db::Session& session, const TenantId& tenant, const Changes& changes);
Result<std::optional<Incident>> load_incident(db::Session& session, const TenantId& tenant, IncidentId id);
/// Open ones, and those that may open again.
Result<std::vector<Incident>> load_live(db::Session& session, const TenantId& tenant, Time now);
/// Alerts that have not left, with their memberships.
Status for_each_open(db::Session& session, const TenantId& tenant,
                     const std::function<void(const alerts::Alert&, const Member&)>& take);
/// The newest, oldest first.
Result<std::vector<Line>> load_lines(db::Session& session, const TenantId& tenant, IncidentId id, std::size_t limit);
/// The newest first.
Result<std::vector<Member>> load_members(db::Session& session, const TenantId& tenant, IncidentId id,
                                         std::size_t limit);

struct StoredSettings {
  std::string text;  ///< "" for the built-in ones
  std::uint64_t last = 0;
};
Result<StoredSettings> load_settings(db::Session& session, const TenantId& tenant);
Status store_settings(db::Session& session, const TenantId& tenant, const std::string& text);
/// Incidents that closed before then; true if any are left.
Result<bool> purge(db::Session& session, const TenantId& tenant, Time before);

}  // namespace atalaya::incidents
