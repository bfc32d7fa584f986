#include "incidents/rows.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "alerts/rows.h"
#include "model/json_text.h"

namespace atalaya::incidents {

const std::string_view kIncidentColumns =
    "id, title, severity, worst, severity_before, opened_ms, updated_ms, closed_ms, owner, ack_by, ack_ms, ack_note, "
    "ack_until_ms, closed_by, closed_by_ms, closed_note, reopened, join_key, labels, reopen_within_ms, joinable_ms, "
    "cause_id, cause_name, cause_text, critical, warning, no_data, unknown, total, merged_into, lines";

std::vector<db::Migration> migrations() {
  return {{"incidents", 1,
           "CREATE TABLE incidents_incidents("
           " tenant_id TEXT NOT NULL, id BIGINT NOT NULL, title TEXT NOT NULL, severity BIGINT NOT NULL,"
           " worst BIGINT NOT NULL, severity_before BIGINT, opened_ms BIGINT NOT NULL, updated_ms BIGINT NOT NULL,"
           " closed_ms BIGINT, owner TEXT NOT NULL, ack_by TEXT, ack_ms BIGINT, ack_note TEXT, ack_until_ms BIGINT,"
           " closed_by TEXT, closed_by_ms BIGINT, closed_note TEXT, reopened BIGINT NOT NULL, join_key TEXT NOT NULL,"
           " labels TEXT NOT NULL, reopen_within_ms BIGINT NOT NULL, joinable_ms BIGINT NOT NULL,"
           " cause_id TEXT NOT NULL, cause_name TEXT NOT NULL, cause_text TEXT NOT NULL, critical BIGINT NOT NULL,"
           " warning BIGINT NOT NULL, no_data BIGINT NOT NULL, unknown BIGINT NOT NULL, total BIGINT NOT NULL,"
           " merged_into BIGINT, lines BIGINT NOT NULL, PRIMARY KEY(tenant_id, id));"
           "CREATE INDEX incidents_incidents_opened ON incidents_incidents(tenant_id, opened_ms, id);"
           "CREATE INDEX incidents_incidents_closed ON incidents_incidents(tenant_id, closed_ms);"
           "CREATE TABLE incidents_lines("
           " tenant_id TEXT NOT NULL, id BIGINT NOT NULL, number BIGINT NOT NULL, at_ms BIGINT NOT NULL,"
           " kind TEXT NOT NULL, text TEXT NOT NULL, by_user TEXT NOT NULL, severity BIGINT NOT NULL,"
           " PRIMARY KEY(tenant_id, id, number));"
           "CREATE TABLE incidents_members("
           " tenant_id TEXT NOT NULL, id BIGINT NOT NULL, alert_id TEXT NOT NULL, episode BIGINT NOT NULL,"
           " joined_by BIGINT NOT NULL, joined_ms BIGINT NOT NULL, left_ms BIGINT,"
           " PRIMARY KEY(tenant_id, id, alert_id, episode));"
           "CREATE INDEX incidents_members_open ON incidents_members(tenant_id, alert_id) WHERE left_ms IS NULL;"
           "CREATE TABLE incidents_settings("
           " tenant_id TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL, last BIGINT NOT NULL)"},
          // Little beside the key, held once.
          {"incidents", 2,
           "ALTER TABLE incidents_members RENAME TO incidents_members_1;"
           "DROP INDEX incidents_members_open;"
           "CREATE TABLE incidents_members("
           " tenant_id TEXT NOT NULL, id BIGINT NOT NULL, alert_id TEXT NOT NULL, episode BIGINT NOT NULL,"
           " joined_by BIGINT NOT NULL, joined_ms BIGINT NOT NULL, left_ms BIGINT,"
           " PRIMARY KEY(tenant_id, id, alert_id, episode)) WITHOUT ROWID;"
           "CREATE INDEX incidents_members_open ON incidents_members(tenant_id, alert_id) WHERE left_ms IS NULL;"
           "INSERT INTO incidents_members SELECT tenant_id, id, alert_id, episode, joined_by, joined_ms, left_ms FROM"
           " incidents_members_1;"
           "DROP TABLE incidents_members_1"}};
}

namespace {

using alerts::Severity;

db::Value number(auto n) { return static_cast<std::int64_t>(n); }
db::Value optional_time(const std::optional<Time>& time) { return time ? db::Value{to_ms(*time)} : db::Value{}; }
db::Value optional_text(bool has, const std::string& text) { return has ? db::Value{text} : db::Value{}; }

std::optional<Time> read_time(const db::Row& row, std::size_t column) {
  if (row.is_null(column)) return std::nullopt;
  return from_ms(row.integer(column));
}

Severity read_severity(const db::Row& row, std::size_t column) {
  return static_cast<Severity>(std::clamp<std::int64_t>(row.integer(column), 0, 2));
}

std::string labels_text(const Labels& labels) {
  std::string out;
  append_json(out, labels);
  return out;
}

Labels read_labels(const std::string& text) {
  LabelsBuilder out;
  boost::system::error_code failed;
  const auto value = boost::json::parse(text, failed);
  if (failed || !value.is_object()) return {};
  for (const auto& [name, item] : value.get_object()) {
    if (item.is_string()) out.set(name, std::string_view(item.get_string()));
  }
  return out.build();
}

std::string store_statement() {
  std::string marks = "?";
  std::string updates;
  for (std::string_view left = kIncidentColumns; !left.empty();) {
    const auto column = left.substr(0, left.find(','));
    left.remove_prefix(std::min(column.size() + 2, left.size()));
    marks += ",?";
    if (column != "id") updates += fmt::format("{}{}=excluded.{}", updates.empty() ? "" : ", ", column, column);
  }
  return fmt::format(
      "INSERT INTO incidents_incidents(tenant_id, {}) VALUES({}) ON CONFLICT(tenant_id, id) DO UPDATE SET {}",
      kIncidentColumns, marks, updates);
}

Status store_incident(db::Session& session, const TenantId& tenant, const Incident& i) {
  static const std::string sql = store_statement();
  const auto ack = i.ack.value_or(alerts::Acknowledgement{});
  const auto closed = i.closed_by.value_or(alerts::Closing{});
  AT_TRY(session.execute(sql, {tenant.value(),
                               number(i.id.value()),
                               i.title,
                               number(i.severity),
                               number(i.worst),
                               i.severity_before ? number(*i.severity_before) : db::Value{},
                               to_ms(i.opened),
                               to_ms(i.updated),
                               optional_time(i.closed),
                               i.owner,
                               optional_text(i.ack.has_value(), ack.by),
                               optional_time(i.ack ? std::optional(ack.at) : std::nullopt),
                               optional_text(i.ack.has_value(), ack.note),
                               optional_time(ack.until),
                               optional_text(i.closed_by.has_value(), closed.by),
                               optional_time(i.closed_by ? std::optional(closed.at) : std::nullopt),
                               optional_text(i.closed_by.has_value(), closed.note),
                               number(i.reopened),
                               i.key,
                               labels_text(i.labels),
                               number(i.reopen_within.count()),
                               to_ms(i.joinable),
                               i.cause.alert.value(),
                               i.cause.name,
                               i.cause.text,
                               number(i.counts.critical),
                               number(i.counts.warning),
                               number(i.counts.no_data),
                               number(i.counts.unknown),
                               number(i.counts.total),
                               i.merged_into ? number(i.merged_into->value()) : db::Value{},
                               number(i.lines)}));
  return {};
}

Status store_member(db::Session& session, const TenantId& tenant, const Member& member) {
  if (member.left) {
    AT_TRY(session.execute(
        "UPDATE incidents_members SET left_ms=? WHERE tenant_id=? AND id=? AND alert_id=? AND episode=?",
        {to_ms(*member.left), tenant.value(), number(member.incident.value()), member.alert.value(),
         number(member.episode)}));
    return {};
  }
  AT_TRY(session.execute(
      "INSERT INTO incidents_members(tenant_id, id, alert_id, episode, joined_by, joined_ms, left_ms)"
      " VALUES(?,?,?,?,?,?,NULL) ON CONFLICT(tenant_id, id, alert_id, episode) DO UPDATE SET left_ms=NULL",
      {tenant.value(), number(member.incident.value()), member.alert.value(), number(member.episode), number(member.by),
       to_ms(member.joined)}));
  return {};
}

Member read_member(const db::Row& row) {
  Member out;
  out.incident = IncidentId{static_cast<std::uint64_t>(row.integer(0))};
  out.alert = AlertId{row.text(1)};
  out.episode = static_cast<std::uint32_t>(row.integer(2));
  out.by = static_cast<JoinedBy>(std::clamp<std::int64_t>(row.integer(3), 0, 4));
  out.joined = from_ms(row.integer(4));
  out.left = read_time(row, 5);
  return out;
}

}  // namespace

Incident read_incident(const db::Row& row) {
  Incident i;
  i.id = IncidentId{static_cast<std::uint64_t>(row.integer(0))};
  i.title = row.text(1);
  i.severity = read_severity(row, 2);
  i.worst = read_severity(row, 3);
  if (!row.is_null(4)) i.severity_before = read_severity(row, 4);
  i.opened = from_ms(row.integer(5));
  i.updated = from_ms(row.integer(6));
  i.closed = read_time(row, 7);
  i.owner = row.text(8);
  if (!row.is_null(10)) {
    i.ack = alerts::Acknowledgement{row.text(9), from_ms(row.integer(10)), row.text(11), read_time(row, 12)};
  }
  if (!row.is_null(14)) i.closed_by = alerts::Closing{row.text(13), from_ms(row.integer(14)), row.text(15)};
  i.reopened = static_cast<std::uint32_t>(row.integer(16));
  i.key = row.text(17);
  i.labels = read_labels(row.text(18));
  i.reopen_within = Duration{row.integer(19)};
  i.joinable = from_ms(row.integer(20));
  i.cause = {AlertId{row.text(21)}, row.text(22), row.text(23)};
  i.counts = {static_cast<std::uint32_t>(row.integer(24)), static_cast<std::uint32_t>(row.integer(25)),
              static_cast<std::uint32_t>(row.integer(26)), static_cast<std::uint32_t>(row.integer(27)),
              static_cast<std::uint32_t>(row.integer(28))};
  if (!row.is_null(29)) i.merged_into = IncidentId{static_cast<std::uint64_t>(row.integer(29))};
  i.lines = static_cast<std::uint32_t>(row.integer(30));
  return i;
}

Status store_changes(db::Session& session, const TenantId& tenant, const Changes& changes) {
  for (const auto& incident : changes.incidents) AT_TRY(store_incident(session, tenant, incident));
  for (const auto& line : changes.lines) {
    AT_TRY(
        session.execute("INSERT INTO incidents_lines(tenant_id, id, number, at_ms, kind, text, by_user, severity)"
                        " VALUES(?,?,?,?,?,?,?,?)",
                        {tenant.value(), number(line.incident.value()), number(line.number), to_ms(line.at), line.kind,
                         line.text, line.by, number(line.severity)}));
  }
  for (const auto& member : changes.members) AT_TRY(store_member(session, tenant, member));
  if (!changes.last) return {};
  AT_TRY(session.execute(
      "INSERT INTO incidents_settings(tenant_id, text, last) VALUES(?,'',?) ON CONFLICT(tenant_id) DO UPDATE SET "
      "last=excluded.last",
      {tenant.value(), number(*changes.last)}));
  return {};
}

Result<std::optional<Incident>> load_incident(db::Session& session, const TenantId& tenant, IncidentId id) {
  static const std::string sql =
      fmt::format("SELECT {} FROM incidents_incidents WHERE tenant_id=? AND id=?", kIncidentColumns);
  AT_TRY(const auto rows, session.query(sql, {tenant.value(), number(id.value())}));
  if (rows.empty()) return std::optional<Incident>{};
  return std::optional<Incident>{read_incident(rows.front())};
}

Result<std::vector<Incident>> load_live(db::Session& session, const TenantId& tenant, Time now) {
  static const std::string sql = fmt::format(
      "SELECT {} FROM incidents_incidents WHERE tenant_id=? AND (closed_ms IS NULL OR joinable_ms>=?) ORDER BY id",
      kIncidentColumns);
  AT_TRY(const auto rows, session.query(sql, {tenant.value(), to_ms(now)}));
  std::vector<Incident> out;
  for (const auto& row : rows) out.push_back(read_incident(row));
  return out;
}

Status for_each_open(db::Session& session, const TenantId& tenant,
                     const std::function<void(const alerts::Alert&, const Member&)>& take) {
  constexpr std::int64_t kAtOnce = 1000;  // all of a storm at once would take much room
  static const std::string alerts_sql = fmt::format(
      "SELECT {} FROM alerts_alerts WHERE tenant_id=? AND id IN (SELECT alert_id FROM incidents_members WHERE "
      "tenant_id=? AND left_ms IS NULL AND alert_id>? ORDER BY alert_id LIMIT ?)",
      alerts::kAlertColumns);
  std::string after;
  for (;;) {
    AT_TRY(const auto members, session.query("SELECT id, alert_id, episode, joined_by, joined_ms, left_ms FROM "
                                             "incidents_members WHERE tenant_id=? AND left_ms IS NULL AND alert_id>? "
                                             "ORDER BY alert_id LIMIT ?",
                                             {tenant.value(), after, kAtOnce}));
    if (members.empty()) return {};
    AT_TRY(const auto rows, session.query(alerts_sql, {tenant.value(), tenant.value(), after, kAtOnce}));
    std::unordered_map<std::string, alerts::Alert> found;
    for (const auto& row : rows) {
      auto alert = alerts::read_alert(row).alert;
      auto id = alert.id.value();
      found.emplace(std::move(id), std::move(alert));
    }
    for (const auto& row : members) {
      const auto member = read_member(row);
      after = member.alert.value();
      const auto alert = found.find(after);
      if (alert != found.end()) take(alert->second, member);
    }
  }
}

Result<std::vector<Line>> load_lines(db::Session& session, const TenantId& tenant, IncidentId id, std::size_t limit) {
  AT_TRY(const auto rows,
         session.query("SELECT number, at_ms, kind, text, by_user, severity FROM incidents_lines WHERE tenant_id=? AND "
                       "id=? ORDER BY number DESC LIMIT ?",
                       {tenant.value(), number(id.value()), number(limit)}));
  std::vector<Line> out;
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    out.push_back({id, static_cast<std::uint32_t>(row->integer(0)), from_ms(row->integer(1)), row->text(2),
                   row->text(3), row->text(4), read_severity(*row, 5)});
  }
  return out;
}

Result<std::vector<Member>> load_members(db::Session& session, const TenantId& tenant, IncidentId id,
                                         std::size_t limit) {
  AT_TRY(const auto rows,
         session.query("SELECT id, alert_id, episode, joined_by, joined_ms, left_ms FROM incidents_members WHERE "
                       "tenant_id=? AND id=? ORDER BY left_ms IS NOT NULL, joined_ms DESC, alert_id LIMIT ?",
                       {tenant.value(), number(id.value()), number(limit)}));
  std::vector<Member> out;
  for (const auto& row : rows) out.push_back(read_member(row));
  return out;
}

Result<StoredSettings> load_settings(db::Session& session, const TenantId& tenant) {
  AT_TRY(const auto rows,
         session.query("SELECT text, last FROM incidents_settings WHERE tenant_id=?", {tenant.value()}));
  if (rows.empty()) return StoredSettings{};
  return StoredSettings{rows.front().text(0), static_cast<std::uint64_t>(rows.front().integer(1))};
}

Status store_settings(db::Session& session, const TenantId& tenant, const std::string& text) {
  AT_TRY(session.execute(
      "INSERT INTO incidents_settings(tenant_id, text, last) VALUES(?,?,0) ON CONFLICT(tenant_id) DO UPDATE SET "
      "text=excluded.text",
      {tenant.value(), text}));
  return {};
}

Result<bool> purge(db::Session& session, const TenantId& tenant, Time before) {
  for (const auto* table : {"DELETE FROM incidents_lines WHERE tenant_id=? AND id IN (SELECT id FROM "
                            "incidents_incidents WHERE tenant_id=? AND closed_ms<?)",
                            "DELETE FROM incidents_members WHERE tenant_id=? AND id IN (SELECT id FROM "
                            "incidents_incidents WHERE tenant_id=? AND closed_ms<?)"}) {
    AT_TRY(session.execute(table, {tenant.value(), tenant.value(), to_ms(before)}));
  }
  AT_TRY(session.execute("DELETE FROM incidents_incidents WHERE tenant_id=? AND closed_ms<?",
                         {tenant.value(), to_ms(before)}));
  AT_TRY(const auto left,
         session.query("SELECT 1 FROM incidents_incidents WHERE tenant_id=? LIMIT 1", {tenant.value()}));
  return !left.empty();
}

}  // namespace atalaya::incidents
