#include "alerts/report_rows.h"

#include <algorithm>

#include "alerts/search_index.h"

namespace atalaya::alerts {
namespace {

Report read_report(const std::string& id, const std::string& document) {
  Report out;
  boost::system::error_code failed;
  const auto value = boost::json::parse(document, failed);
  if (!failed && value.is_object()) out = report_from_json(value.get_object());
  out.id = AlertId{id};
  return out;
}

}  // namespace

Result<std::optional<Report>> load_report(db::Session& session, const TenantId& tenant, const AlertId& id) {
  AT_TRY(const auto rows,
         session.query("SELECT document FROM alerts_reports WHERE tenant_id=? AND id=?", {tenant.value(), id.value()}));
  if (rows.empty()) return std::optional<Report>{};
  return std::optional(read_report(id.value(), rows.front().text(0)));
}

Result<std::optional<Report>> find_report(db::Session& session, const TenantId& tenant, const Report& posted) {
  AT_TRY(const auto rows, session.query("SELECT id, document FROM alerts_reports WHERE tenant_id=? AND environment=? "
                                        "AND resource=? AND customer=? AND reported=1 ORDER BY id",
                                        {tenant.value(), posted.environment, posted.resource, posted.customer}));
  std::optional<Report> best;
  int best_worth = 0;
  for (const auto& row : rows) {
    auto one = read_report(row.text(0), row.text(1));
    const bool same = one.event == posted.event;
    const bool named = std::ranges::find(one.correlate, posted.event) != one.correlate.end();
    const int worth = same && one.severity == posted.severity ? 3 : same ? 2 : named ? 1 : 0;
    if (worth <= best_worth) continue;
    best_worth = worth;
    best = std::move(one);
  }
  return best;
}

Status store_report(db::Session& session, const TenantId& tenant, const Report& r, bool reported) {
  AT_TRY(
      session.execute("INSERT INTO alerts_reports(tenant_id, id, environment, resource, customer, reported, document) "
                      "VALUES(?,?,?,?,?,?,?) ON CONFLICT(tenant_id, id) DO UPDATE SET document=excluded.document",
                      {tenant.value(), r.id.value(), r.environment, r.resource, r.customer,
                       static_cast<std::int64_t>(reported), boost::json::serialize(to_json(r))}));
  return {};
}

Status delete_alert(db::Session& session, const TenantId& tenant, const AlertId& id) {
  AT_TRY(unindex(session, tenant, id));
  for (const auto* sql :
       {"DELETE FROM alerts_alerts WHERE tenant_id=? AND id=?", "DELETE FROM alerts_history WHERE tenant_id=? AND id=?",
        "DELETE FROM alerts_reports WHERE tenant_id=? AND id=?"}) {
    AT_TRY(session.execute(sql, {tenant.value(), id.value()}));
  }
  return {};
}

Status delete_orphaned_reports(db::Session& session, const TenantId& tenant) {
  AT_TRY(
      session.execute("DELETE FROM alerts_reports WHERE tenant_id=? AND NOT EXISTS (SELECT 1 FROM alerts_alerts a "
                      "WHERE a.tenant_id=alerts_reports.tenant_id AND a.id=alerts_reports.id)",
                      {tenant.value()}));
  return {};
}

}  // namespace atalaya::alerts
