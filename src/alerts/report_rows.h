// Reports as rows (docs/formats/control-database.md).
#pragma once

#include <optional>

#include "alerts/report.h"
#include "db/database.h"

namespace atalaya::alerts {

Result<std::optional<Report>> load_report(db::Session& session, const TenantId& tenant, const AlertId& id);
/// The one of the door that this post is about: the same event before one that names it in `correlate`, and of those
/// the same severity first.
Result<std::optional<Report>> find_report(db::Session& session, const TenantId& tenant, const Report& posted);
/// `reported`: it identifies the alert, which came by the door of reports.
Status store_report(db::Session& session, const TenantId& tenant, const Report& report, bool reported);
Status delete_alert(db::Session& session, const TenantId& tenant, const AlertId& id);
/// Of alerts that are gone.
Status delete_orphaned_reports(db::Session& session, const TenantId& tenant);

}  // namespace atalaya::alerts
