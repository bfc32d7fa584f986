#include "alerts/ping_rows.h"

#include <fmt/format.h>

#include <algorithm>

namespace atalaya::alerts {
namespace {

constexpr std::string_view kColumns =
    "id, name, period_ms, grace_ms, labels, state, created_ms, last_ms, started_ms, took_ms, due_ms, pings, "
    "heartbeat";

std::optional<Time> read_time(const db::Row& row, std::size_t column) {
  if (row.is_null(column)) return std::nullopt;
  return from_ms(row.integer(column));
}

db::Value optional_time(const std::optional<Time>& time) {
  return time ? db::Value{std::int64_t{to_ms(*time)}} : db::Value{};
}

PingCheck read_ping(const db::Row& row) {
  PingCheck c;
  c.id = row.text(0);
  c.name = row.text(1);
  c.period = Duration{row.integer(2)};
  c.grace = Duration{row.integer(3)};
  boost::system::error_code failed;
  const auto labels = boost::json::parse(row.text(4), failed);
  if (!failed && labels.is_object()) {
    for (const auto& [key, value] : labels.get_object()) {
      if (value.is_string()) c.labels.emplace(key, value.get_string());
    }
  }
  c.state = static_cast<PingState>(std::clamp<std::int64_t>(row.integer(5), 0, 2));
  c.created = from_ms(row.integer(6));
  c.last = read_time(row, 7);
  c.started = read_time(row, 8);
  if (!row.is_null(9)) c.took = Duration{row.integer(9)};
  c.due = read_time(row, 10);
  c.pings = static_cast<std::uint64_t>(row.integer(11));
  c.heartbeat = row.text(12);
  return c;
}

boost::json::object labels_json(const std::map<std::string, std::string>& labels) {
  boost::json::object out;
  for (const auto& [key, value] : labels) out[key] = value;
  return out;
}

}  // namespace

Result<std::optional<PingCheck>> load_ping(db::Session& session, const TenantId& tenant, const std::string& id) {
  static const std::string sql = fmt::format("SELECT {} FROM alerts_pings WHERE tenant_id=? AND id=?", kColumns);
  AT_TRY(const auto rows, session.query(sql, {tenant.value(), id}));
  if (rows.empty()) return std::optional<PingCheck>{};
  return std::optional<PingCheck>{read_ping(rows.front())};
}

Status store_ping(db::Session& session, const TenantId& tenant, const PingCheck& c) {
  static const std::string sql = fmt::format(
      "INSERT INTO alerts_pings(tenant_id, {}) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(tenant_id, id) DO "
      "UPDATE "
      "SET"
      " name=excluded.name, period_ms=excluded.period_ms, grace_ms=excluded.grace_ms, labels=excluded.labels,"
      " state=excluded.state, last_ms=excluded.last_ms, started_ms=excluded.started_ms, took_ms=excluded.took_ms,"
      " due_ms=excluded.due_ms, pings=excluded.pings, heartbeat=excluded.heartbeat",
      kColumns);
  AT_TRY(session.execute(
      sql,
      {tenant.value(), c.id, c.name, std::int64_t{c.period.count()}, std::int64_t{c.grace.count()},
       boost::json::serialize(labels_json(c.labels)), static_cast<std::int64_t>(c.state), to_ms(c.created),
       optional_time(c.last), optional_time(c.started), c.took ? db::Value{std::int64_t{c.took->count()}} : db::Value{},
       optional_time(c.due), static_cast<std::int64_t>(c.pings), c.heartbeat}));
  return {};
}

Status remove_ping(db::Session& session, const TenantId& tenant, const std::string& id) {
  AT_TRY(session.execute("DELETE FROM alerts_ping_lines WHERE tenant_id=? AND id=?", {tenant.value(), id}));
  AT_TRY(session.execute("DELETE FROM alerts_pings WHERE tenant_id=? AND id=?", {tenant.value(), id}));
  return {};
}

Status add_ping_line(db::Session& session, const TenantId& tenant, const std::string& id, const PingLine& line) {
  const auto number = static_cast<std::int64_t>(line.number);
  AT_TRY(
      session.execute("INSERT INTO alerts_ping_lines(tenant_id, id, number, at_ms, kind, exit_status, body, sender)"
                      " VALUES(?,?,?,?,?,?,?,?)",
                      {tenant.value(), id, number, to_ms(line.at), static_cast<std::int64_t>(line.kind),
                       line.exit ? db::Value{std::int64_t{*line.exit}} : db::Value{}, line.body, line.from}));
  AT_TRY(session.execute("DELETE FROM alerts_ping_lines WHERE tenant_id=? AND id=? AND number<=?",
                         {tenant.value(), id, number - static_cast<std::int64_t>(kKeptPings)}));
  return {};
}

Result<std::vector<PingCheck>> PingQueries::list(const TenantId& tenant) const {
  static const std::string sql = fmt::format("SELECT {} FROM alerts_pings WHERE tenant_id=? ORDER BY name", kColumns);
  std::vector<PingCheck> out;
  AT_TRY(database_.read([&](db::Session& session) -> Status {
    AT_TRY(const auto rows, session.query(sql, {tenant.value()}));
    for (const auto& row : rows) out.push_back(read_ping(row));
    return {};
  }));
  return out;
}

Result<std::pair<PingCheck, std::vector<PingLine>>> PingQueries::get(const TenantId& tenant,
                                                                     const std::string& id) const {
  std::optional<PingCheck> check;
  std::vector<PingLine> lines;
  AT_TRY(database_.read([&](db::Session& session) -> Status {
    AT_TRY(check, load_ping(session, tenant, id));
    AT_TRY(const auto rows, session.query("SELECT number, at_ms, kind, exit_status, body, sender FROM alerts_ping_lines"
                                          " WHERE tenant_id=? AND id=? ORDER BY number DESC",
                                          {tenant.value(), id}));
    for (const auto& row : rows) {
      lines.push_back({static_cast<std::uint64_t>(row.integer(0)), from_ms(row.integer(1)),
                       static_cast<PingKind>(std::clamp<std::int64_t>(row.integer(2), 0, 3)),
                       row.is_null(3) ? std::nullopt : std::optional(static_cast<int>(row.integer(3))), row.text(4),
                       row.text(5)});
    }
    return {};
  }));
  if (!check) return fail(ErrorCode::kNotFound, "there is no such check");
  return std::pair(std::move(*check), std::move(lines));
}

Result<TenantId> PingQueries::tenant_of(const std::string& id) const {
  std::optional<TenantId> tenant;
  AT_TRY(database_.read([&](db::Session& session) -> Status {
    AT_TRY(const auto rows, session.query("SELECT tenant_id FROM alerts_pings WHERE id=?", {id}));
    if (!rows.empty()) tenant = TenantId{rows.front().text(0)};
    return {};
  }));
  if (!tenant) return fail(ErrorCode::kNotFound, "there is no such check");
  return *tenant;
}

std::string_view name(PingState state) {
  switch (state) {
    case PingState::kNew: return "new";
    case PingState::kUp: return "up";
    case PingState::kDown: return "down";
  }
  return "";
}

std::string_view name(PingKind kind) {
  switch (kind) {
    case PingKind::kSuccess: return "success";
    case PingKind::kStart: return "start";
    case PingKind::kFail: return "fail";
    case PingKind::kLog: return "log";
  }
  return "";
}

boost::json::object to_json(const PingCheck& c, Time now) {
  std::string_view state = name(c.state);
  if (c.state != PingState::kDown && c.started) {
    state = "started";
  } else if (c.state == PingState::kUp && c.last && now >= *c.last + c.period) {
    state = "late";
  }
  boost::json::object out{{"id", c.id},
                          {"name", c.name},
                          {"period", format_duration(c.period)},
                          {"grace", format_duration(c.grace)},
                          {"labels", labels_json(c.labels)},
                          {"state", state},
                          {"created", format_rfc3339(c.created)},
                          {"pings", c.pings}};
  if (c.last) out["last"] = format_rfc3339(*c.last);
  if (c.started) out["started"] = format_rfc3339(*c.started);
  if (c.took) out["took"] = format_duration(*c.took);
  if (c.due) out["due"] = format_rfc3339(*c.due);
  return out;
}

boost::json::object to_json(const PingLine& line) {
  boost::json::object out{{"number", line.number},
                          {"at", format_rfc3339(line.at)},
                          {"kind", name(line.kind)},
                          {"body", line.body},
                          {"from", line.from}};
  if (line.exit) out["exit"] = *line.exit;
  return out;
}

}  // namespace atalaya::alerts
