#include "alerts/report_queries.h"

#include <fmt/format.h>

#include <algorithm>

#include "alerts/rows.h"
#include "alerts/silence_rows.h"

namespace atalaya::alerts {
namespace {

constexpr std::size_t kShortestId = 8;

const std::string& columns() {
  static const std::string sql = fmt::format(
      "SELECT {}, (SELECT document FROM alerts_reports r WHERE r.tenant_id=alerts_alerts.tenant_id AND "
      "r.id=alerts_alerts.id) FROM alerts_alerts WHERE tenant_id=?",
      kAlertColumns);
  return sql;
}

SeenReport read_seen(const db::Row& row, const std::vector<Silence>& silences) {
  static const auto document = static_cast<std::size_t>(std::ranges::count(kAlertColumns, ',')) + 1;
  SeenReport out;
  out.alert = read_alert(row).alert;
  if (out.alert.state != State::kResolved && !silences.empty()) {
    out.alert.silenced_by = hidden_by(silences, seen_labels(out.alert));
  }
  Report kept;
  if (!row.is_null(document)) {
    boost::system::error_code failed;
    const auto value = boost::json::parse(row.text(document), failed);
    if (!failed && value.is_object()) kept = report_from_json(value.get_object());
  }
  out.report = report_of(out.alert, &kept);
  return out;
}

bool is_id(const std::string& text) {
  return text.size() >= kShortestId && text.size() <= 64 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-'; });
}

}  // namespace

Result<std::vector<SeenReport>> ReportQueries::list(const TenantId& tenant, Which which) const {
  static_assert(static_cast<int>(State::kFiring) == 1 && static_cast<int>(State::kResolved) == 3);
  constexpr std::string_view kOpen = "(state<>3 AND state IN (1, 2))";
  constexpr std::string_view kOver = "(state=3 AND (told>0 OR door IN ('alerta', 'nagios')))";
  const auto filter = which == Which::kOpen   ? std::string(kOpen)
                      : which == Which::kOver ? std::string(kOver)
                                              : fmt::format("({} OR {})", kOpen, kOver);
  std::vector<SeenReport> out;
  AT_TRY(database_.read([&](db::Session& session) -> Status {
    AT_TRY(const auto silences, load_active_silences(session, tenant, clock_.now()));
    AT_TRY(const auto rows, session.query(columns() + " AND " + filter + " ORDER BY id", {tenant.value()}));
    out.reserve(rows.size());
    for (const auto& row : rows) out.push_back(read_seen(row, silences));
    return {};
  }));
  return out;
}

Result<SeenReport> ReportQueries::get(const TenantId& tenant, const std::string& id) const {
  std::optional<SeenReport> found;
  AT_TRY(database_.read([&](db::Session& session) -> Status {
    if (!is_id(id)) return {};
    AT_TRY(const auto silences, load_active_silences(session, tenant, clock_.now()));
    // Behind every id that begins so: 'g' follows all hexadecimal digits.
    AT_TRY(auto rows,
           session.query(columns() + " AND id>=? AND id<? ORDER BY id LIMIT 1", {tenant.value(), id, id + "g"}));
    if (rows.empty()) {
      AT_TRY(const auto ids,
             session.query("SELECT id FROM alerts_reports WHERE tenant_id=? AND document LIKE ? LIMIT 1",
                           {tenant.value(), fmt::format("%\"last_received_id\":\"{}%", id)}));
      if (ids.empty()) return {};
      AT_TRY(rows, session.query(columns() + " AND id=?", {tenant.value(), ids.front().text(0)}));
    }
    if (!rows.empty()) found = read_seen(rows.front(), silences);
    return {};
  }));
  if (!found) return fail(ErrorCode::kNotFound, fmt::format("there is no alert {}", id.substr(0, 100)));
  return std::move(*found);
}

Result<std::vector<HistoryLine>> ReportQueries::history(const TenantId& tenant, const AlertId& id,
                                                        std::size_t limit) const {
  std::vector<HistoryLine> out;
  AT_TRY(database_.read([&](db::Session& session) -> Status {
    AT_TRY(out, load_history(session, tenant, id, limit));
    return {};
  }));
  std::ranges::reverse(out);
  return out;
}

Result<std::vector<std::pair<AlertId, HistoryLine>>> ReportQueries::lines(const TenantId& tenant,
                                                                          std::size_t limit) const {
  std::vector<std::pair<AlertId, HistoryLine>> out;
  AT_TRY(database_.read([&](db::Session& session) -> Status {
    AT_TRY(const auto rows,
           session.query(fmt::format("SELECT {}, id FROM alerts_history WHERE tenant_id=? ORDER BY at_ms DESC, id, "
                                     "transition DESC LIMIT ?",
                                     kHistoryColumns),
                         {tenant.value(), static_cast<std::int64_t>(limit)}));
    for (const auto& row : rows) out.emplace_back(AlertId{row.text(kHistoryWidth)}, read_history(row));
    return {};
  }));
  return out;
}

}  // namespace atalaya::alerts
