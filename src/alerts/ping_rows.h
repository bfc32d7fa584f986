// Checks that are pinged, as rows (docs/formats/control-database.md).
#pragma once

#include "alerts/ping.h"

namespace atalaya::alerts {

Result<std::optional<PingCheck>> load_ping(db::Session& session, const TenantId& tenant, const std::string& id);
/// conflict where another check has the name.
Status store_ping(db::Session& session, const TenantId& tenant, const PingCheck& check);
Status remove_ping(db::Session& session, const TenantId& tenant, const std::string& id);
/// And forgets those beyond kKeptPings.
Status add_ping_line(db::Session& session, const TenantId& tenant, const std::string& id, const PingLine& line);

}  // namespace atalaya::alerts
