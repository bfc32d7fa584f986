#include "dispatch/rows.h"

#include <fmt/format.h>

#include <exception>

#include "dispatch/entries.h"

namespace atalaya::dispatch {

Status store_log(db::Session& session, const TenantId& tenant, const routing::Changes& changes) {
  if (changes.flushes) {
    AT_TRY(session.execute("UPDATE dispatch_configurations SET flushes=? WHERE tenant_id=?",
                           {static_cast<std::int64_t>(*changes.flushes), tenant.value()}));
  }
  for (const auto& row : changes.log) {
    AT_TRY(session.execute(
        "INSERT INTO dispatch_log(tenant_id, group_key, receiver, type, number, body) VALUES(?,?,?,?,?,?) ON "
        "CONFLICT(tenant_id, group_key, receiver, type, number) DO UPDATE SET body=excluded.body",
        {tenant.value(), row.group, row.target.receiver, row.target.type, static_cast<std::int64_t>(row.target.index),
         write_log(row)}));
  }
  for (const auto& [group, target] : changes.gone_log) {
    AT_TRY(session.execute(
        "DELETE FROM dispatch_log WHERE tenant_id=? AND group_key=? AND receiver=? AND type=? AND number=?",
        {tenant.value(), group, target.receiver, target.type, static_cast<std::int64_t>(target.index)}));
  }
  return {};
}

std::vector<db::Migration> migrations() {
  return {
      {"dispatch", 1,
       "CREATE TABLE dispatch_configurations("
       " tenant_id TEXT NOT NULL, file TEXT NOT NULL, text TEXT NOT NULL, flushes BIGINT NOT NULL,"
       " PRIMARY KEY(tenant_id));"
       "CREATE TABLE dispatch_alerts("
       " tenant_id TEXT NOT NULL, labels TEXT NOT NULL, alert_id TEXT NOT NULL, body TEXT NOT NULL,"
       " PRIMARY KEY(tenant_id, labels));"
       "CREATE TABLE dispatch_groups("
       " tenant_id TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY(tenant_id, id));"
       "CREATE TABLE dispatch_log("
       " tenant_id TEXT NOT NULL, group_key TEXT NOT NULL, receiver TEXT NOT NULL, type TEXT NOT NULL,"
       " number BIGINT NOT NULL, body TEXT NOT NULL,"
       " PRIMARY KEY(tenant_id, group_key, receiver, type, number))"},
      // Long keys, held once: a storm writes half as much.
      {"dispatch", 2,
       "ALTER TABLE dispatch_alerts RENAME TO dispatch_alerts_1;"
       "CREATE TABLE dispatch_alerts("
       " tenant_id TEXT NOT NULL, labels TEXT NOT NULL, alert_id TEXT NOT NULL, body TEXT NOT NULL,"
       " PRIMARY KEY(tenant_id, labels)) WITHOUT ROWID;"
       "INSERT INTO dispatch_alerts SELECT tenant_id, labels, alert_id, body FROM dispatch_alerts_1;"
       "DROP TABLE dispatch_alerts_1;"
       "ALTER TABLE dispatch_groups RENAME TO dispatch_groups_1;"
       "CREATE TABLE dispatch_groups("
       " tenant_id TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY(tenant_id, id)) WITHOUT ROWID;"
       "INSERT INTO dispatch_groups SELECT tenant_id, id, body FROM dispatch_groups_1;"
       "DROP TABLE dispatch_groups_1"},
      // Rows that are appended, not sought.
      {"dispatch", 3,
       "CREATE TABLE dispatch_changes("
       " tenant_id TEXT NOT NULL, number BIGINT NOT NULL, entries BIGINT NOT NULL, body TEXT NOT NULL,"
       " PRIMARY KEY(tenant_id, number)) WITHOUT ROWID;"
       "INSERT INTO dispatch_changes SELECT tenant_id, row_number() OVER (PARTITION BY tenant_id ORDER BY labels), 1,"
       " '{\"labels\":' || labels || ',\"id\":\"' || alert_id || '\",\"alert\":' || body || '}' FROM dispatch_alerts;"
       "INSERT INTO dispatch_changes SELECT tenant_id, 1000000000 + row_number() OVER (PARTITION BY tenant_id ORDER BY"
       " id), 1, '{\"id\":' || json_quote(id) || ',\"group\":' || body || '}' FROM dispatch_groups;"
       "DROP TABLE dispatch_alerts;"
       "DROP TABLE dispatch_groups"}};
}

Result<std::uint64_t> load_flushes(db::Session& session, const TenantId& tenant) {
  AT_TRY(const auto rows,
         session.query("SELECT flushes FROM dispatch_configurations WHERE tenant_id=?", {tenant.value()}));
  return rows.empty() ? 0 : static_cast<std::uint64_t>(rows.front().integer(0));
}

Result<StoredState> load_state(db::Session& session, const TenantId& tenant, ChangeLog& changes) {
  StoredState out;
  AT_TRY(out.state.flushes, load_flushes(session, tenant));
  try {
    AT_TRY(changes.load(session, tenant, out));
    AT_TRY(const auto log, session.query("SELECT group_key, receiver, type, number, body FROM dispatch_log WHERE "
                                         "tenant_id=? ORDER BY group_key, receiver, type, number",
                                         {tenant.value()}));
    for (const auto& row : log) {
      auto& one = out.state.log.emplace_back();
      one.group = row.text(0);
      one.target = {row.text(1), row.text(2), static_cast<std::size_t>(row.integer(3))};
      read_log(row.text(4), one);
    }
  } catch (const std::exception& damage) {
    return fail(ErrorCode::kCorruption, fmt::format("routing's rows of tenant {}: {}", tenant.value(), damage.what()));
  }
  return out;
}

Status store_configuration(db::Session& session, const TenantId& tenant, const StoredConfiguration& configuration) {
  AT_TRY(
      session.execute("INSERT INTO dispatch_configurations(tenant_id, file, text, flushes) VALUES(?,?,?,0) ON "
                      "CONFLICT(tenant_id) DO UPDATE SET file=excluded.file, text=excluded.text",
                      {tenant.value(), configuration.file, configuration.text}));
  return {};
}

Result<std::optional<StoredConfiguration>> load_configuration(db::Session& session, const TenantId& tenant) {
  AT_TRY(const auto rows,
         session.query("SELECT text, file FROM dispatch_configurations WHERE tenant_id=?", {tenant.value()}));
  if (rows.empty() || rows.front().text(0).empty()) return std::optional<StoredConfiguration>{};
  return std::optional(StoredConfiguration{rows.front().text(0), rows.front().text(1)});
}

Result<std::vector<TenantId>> configured_tenants(db::Session& session) {
  AT_TRY(const auto rows, session.query("SELECT tenant_id FROM dispatch_configurations WHERE text<>'' ORDER BY 1"));
  std::vector<TenantId> out;
  for (const auto& row : rows) out.emplace_back(row.text(0));
  return out;
}

Status erase_all(db::Session& session, const TenantId& tenant) {
  for (const auto* table : {"dispatch_changes", "dispatch_log"}) {
    AT_TRY(session.execute(fmt::format("DELETE FROM {} WHERE tenant_id=?", table), {tenant.value()}));
  }
  // The row stays with its number of flushes: keys of deliveries are given once for ever.
  AT_TRY(session.execute("UPDATE dispatch_configurations SET text='', file='' WHERE tenant_id=?", {tenant.value()}));
  return {};
}

}  // namespace atalaya::dispatch
