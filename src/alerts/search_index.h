// Words of alerts that are over: an index of SQLite's FTS5 by three letters at a time
// (docs/formats/control-database.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "alerts/alert.h"
#include "base/ids.h"
#include "db/database.h"

namespace atalaya::alerts {

/// Brings up to `most` alerts that are over into the index. True if others are left.
Result<bool> index_some(db::Session& session, const TenantId& tenant, std::size_t most);
/// Before these rows go: those that resolved before, or the one.
Status unindex_before(db::Session& session, const TenantId& tenant, Time resolved);
Status unindex(db::Session& session, const TenantId& tenant, const AlertId& id);

/// What to MATCH for texts that hold this one, and some that do not; nothing for one that is too short, or that the
/// index cannot be asked for.
std::optional<std::string> match_of(const TenantId& tenant, std::string_view text);

/// Keys of the index order alerts by `started`, the newest highest. Of all that started at a time: the first, and the
/// one behind the last.
std::int64_t first_key_at(Time started);
std::int64_t end_of_keys_at(Time started);

}  // namespace atalaya::alerts
