// The route of the audit log.
#pragma once

#include "api/doors.h"
#include "registry/audit.h"

namespace atalaya::api {

/// How the log names a caller: "ana", "token ci".
std::string audited_name(const auth::Principal& who);

/// GET ~/audit?limit&before, for administrators: the newest entries first, at most 1000.
void add_audit_routes(Doors& doors, registry::Audit& audit);

}  // namespace atalaya::api
