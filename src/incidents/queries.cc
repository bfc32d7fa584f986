#include "incidents/queries.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "alerts/annotations.h"
#include "alerts/rows.h"
#include "incidents/rows.h"

namespace atalaya::incidents {
namespace {

constexpr std::size_t kMaxPage = 1000;
constexpr std::size_t kMost = 1000;  ///< alerts and lines of one incident

/// Fixed fragments and their values; nothing from outside becomes SQL.
struct Where {
  std::string sql = " WHERE tenant_id=?";
  std::vector<db::Value> values;

  void add(std::string_view fragment, std::initializer_list<db::Value> more = {}) {
    sql += " AND ";
    sql += fragment;
    values.insert(values.end(), more);
  }
};

void add_state(Where& where, StateFilter filter) {
  switch (filter) {
    case StateFilter::kActive: return where.add("closed_ms IS NULL");
    case StateFilter::kOpen: return where.add("closed_ms IS NULL AND ack_ms IS NULL");
    case StateFilter::kAcknowledged: return where.add("closed_ms IS NULL AND ack_ms IS NOT NULL");
    case StateFilter::kClosed: return where.add("closed_ms IS NOT NULL");
    case StateFilter::kAll: return;
  }
}

void add_text(Where& where, const std::string& text) {
  std::string pattern = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  pattern += '%';
  const auto number = parse_incident_id(text);
  where.add(
      "(id=? OR lower(title) LIKE lower(?) ESCAPE '\\' OR lower(labels) LIKE lower(?) ESCAPE '\\'"
      " OR lower(owner) LIKE lower(?) ESCAPE '\\')",
      {static_cast<std::int64_t>(number ? number->value() : 0), pattern, pattern, pattern});
}

/// `<opened>.<number>` of the last one of the page before.
Status add_cursor(Where& where, std::string_view before) {
  const auto dot = before.find('.');
  std::int64_t opened = 0;
  const auto [end, failed] = std::from_chars(before.data(), before.data() + std::min(dot, before.size()), opened);
  const auto id = parse_incident_id(dot == std::string_view::npos ? "" : before.substr(dot + 1));
  if (failed != std::errc{} || end != before.data() + dot || !id) {
    return fail(ErrorCode::kInvalidArgument, "before: not a cursor of an earlier page",
                "use the value of \"next\" unchanged");
  }
  where.add("(opened_ms<? OR (opened_ms=? AND id<?))", {opened, opened, static_cast<std::int64_t>(id->value())});
  return {};
}

Status count_all(db::Session& session, const TenantId& tenant, Page& page) {
  AT_TRY(const auto rows, session.query("SELECT ack_ms IS NOT NULL, count(*) FROM incidents_incidents WHERE "
                                        "tenant_id=? AND closed_ms IS NULL GROUP BY ack_ms IS NOT NULL",
                                        {tenant.value()}));
  for (const auto& row : rows) {
    (row.integer(0) != 0 ? page.acknowledged : page.open) = static_cast<std::uint64_t>(row.integer(1));
  }
  return {};
}

/// Lines of the histories of its alerts, while they were in it.
Result<std::vector<Details::AlertLine>> load_history(db::Session& session, const TenantId& tenant, IncidentId id) {
  AT_TRY(const auto rows,
         session.query(
             "SELECT h.id, h.transition, h.episode, h.at_ms, h.data_ms, h.from_state, h.to_state, "
             "h.severity, h.value, h.text, h.by_user, h.late, h.said FROM incidents_members m JOIN alerts_history h "
             "ON h.tenant_id=m.tenant_id AND h.id=m.alert_id AND h.episode=m.episode WHERE m.tenant_id=? AND "
             "m.id=? AND h.at_ms>=m.joined_ms AND (m.left_ms IS NULL OR h.at_ms<=m.left_ms) "
             "ORDER BY h.at_ms DESC, h.id DESC, h.transition DESC LIMIT ?",
             {tenant.value(), static_cast<std::int64_t>(id.value()), static_cast<std::int64_t>(kMost)}));
  std::vector<Details::AlertLine> out;
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    out.push_back({AlertId{row->text(0)}, alerts::read_history(*row, 1)});
  }
  return out;
}

/// Open ones first, by severity, then by the time at which they joined.
bool stands_before(const Details::Alert& a, const Details::Alert& b) {
  const auto rank = [](const Details::Alert& one) {
    return std::tuple(one.member.left.has_value(), -static_cast<int>(one.alert.severity), one.member.joined,
                      one.alert.id.value());
  };
  return rank(a) < rank(b);
}

}  // namespace

Result<StateFilter> parse_state_filter(std::string_view text) {
  if (text.empty() || text == "active") return StateFilter::kActive;
  if (text == "open") return StateFilter::kOpen;
  if (text == "acknowledged") return StateFilter::kAcknowledged;
  if (text == "closed") return StateFilter::kClosed;
  if (text == "all") return StateFilter::kAll;
  return fail(ErrorCode::kInvalidArgument, fmt::format("state: '{}' is unknown", text),
              "use active, open, acknowledged, closed or all");
}

Result<Page> Queries::list(const TenantId& tenant, const Filter& filter) const {
  Where where;
  where.values.emplace_back(tenant.value());
  add_state(where, filter.state);
  if (filter.severity) where.add("severity=?", {static_cast<std::int64_t>(*filter.severity)});
  if (!filter.owner.empty()) where.add("owner=?", {filter.owner == kNobody ? std::string() : filter.owner});
  if (!filter.text.empty()) add_text(where, filter.text);
  if (!filter.before.empty()) AT_TRY(add_cursor(where, filter.before));
  const auto limit = std::clamp<std::size_t>(filter.limit, 1, kMaxPage);
  where.values.emplace_back(static_cast<std::int64_t>(limit + 1));
  const auto sql = fmt::format("SELECT {} FROM incidents_incidents{} ORDER BY opened_ms DESC, id DESC LIMIT ?",
                               kIncidentColumns, where.sql);
  Page page;
  AT_TRY(database_.read([&](db::Session& session) -> Status {
    AT_TRY(const auto rows, session.query(sql, where.values));
    for (const auto& row : rows) page.incidents.push_back(read_incident(row));
    return count_all(session, tenant, page);
  }));
  if (page.incidents.size() > limit) {
    page.incidents.pop_back();
    const auto& last = page.incidents.back();
    page.next = fmt::format("{}.{}", to_ms(last.opened), to_string(last.id));
  }
  return page;
}

Result<Details> Queries::get(const TenantId& tenant, IncidentId id) const {
  Details details;
  AT_TRY(database_.read([&](db::Session& session) -> Status {
    AT_TRY(auto incident, load_incident(session, tenant, id));
    if (!incident) return fail(ErrorCode::kNotFound, fmt::format("there is no incident {}", to_string(id)));
    details.incident = std::move(*incident);
    AT_TRY(details.lines, load_lines(session, tenant, id, kMost));
    AT_TRY(const auto members, load_members(session, tenant, id, kMost));
    std::set<AlertId> seen;
    for (const auto& member : members) {
      if (!seen.insert(member.alert).second) continue;  // an earlier episode
      AT_TRY(auto stored, alerts::load_alert(session, tenant, member.alert));
      if (stored) details.alerts.push_back({std::move(stored->alert), member});
    }
    AT_TRY(details.history, load_history(session, tenant, id));
    return {};
  }));
  std::ranges::sort(details.alerts, stands_before);
  return details;
}

boost::json::object to_json(const Incident& incident) {
  namespace json = boost::json;
  const auto word = [](const std::string& by, Time at, const std::string& note) {
    return json::object{{"by", by}, {"at", format_rfc3339(at)}, {"note", note}};
  };
  const auto& counts = incident.counts;
  json::object out{{"id", to_string(incident.id)},
                   {"title", incident.title},
                   {"state", name(incident.state())},
                   {"severity", alerts::name(incident.severity)},
                   {"worst", alerts::name(incident.worst)},
                   {"trend", trend(incident)},
                   {"opened", format_rfc3339(incident.opened)},
                   {"updated", format_rfc3339(incident.updated)}};
  if (incident.severity_before) out["severity_before"] = alerts::name(*incident.severity_before);
  if (incident.closed) out["closed"] = format_rfc3339(*incident.closed);
  if (!incident.owner.empty()) out["owner"] = incident.owner;
  if (incident.ack) {
    auto ack = word(incident.ack->by, incident.ack->at, incident.ack->note);
    if (incident.ack->until) ack["until"] = format_rfc3339(*incident.ack->until);
    out["ack"] = std::move(ack);
  }
  if (incident.closed_by) {
    out["closed_by"] = word(incident.closed_by->by, incident.closed_by->at, incident.closed_by->note);
  }
  out["reopened"] = incident.reopened;
  out["labels"] = alerts::labels_json(incident.labels);
  out["cause"] = json::object{
      {"alert", incident.cause.alert.value()}, {"name", incident.cause.name}, {"text", incident.cause.text}};
  out["counts"] = json::object{{"open", counts.open()},     {"critical", counts.critical}, {"warning", counts.warning},
                               {"no_data", counts.no_data}, {"unknown", counts.unknown},   {"total", counts.total}};
  if (incident.merged_into) out["merged_into"] = to_string(*incident.merged_into);
  return out;
}

}  // namespace atalaya::incidents
