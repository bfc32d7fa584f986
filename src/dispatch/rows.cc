#include "dispatch/rows.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <charconv>
#include <map>

namespace atalaya::dispatch {
namespace {

namespace json = boost::json;
using routing::LogRow;

json::object labels_of(const Labels& labels) {
  json::object out;
  for (const auto& [name, value] : labels) out[name] = value;
  return out;
}

Labels to_labels(const json::value& value) {
  LabelsBuilder out;
  for (const auto& [name, text] : value.as_object()) out.set(name, text.as_string());
  return out.build();
}

/// Hashes fill 64 bits, which not every reader of JSON keeps: hexadecimal.
std::string write_hashes(const std::vector<std::uint64_t>& hashes) {
  std::string out;
  for (const auto hash : hashes) fmt::format_to(std::back_inserter(out), "{}{:x}", out.empty() ? "" : " ", hash);
  return out;
}

std::vector<std::uint64_t> read_hashes(const json::value& value) {
  std::vector<std::uint64_t> out;
  const auto& text = value.as_string();
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    std::uint64_t hash = 0;
    const auto [next, failed] = std::from_chars(at, end, hash, 16);
    if (failed != std::errc{} || next == at) throw std::invalid_argument("a hash");
    out.push_back(hash);
    at = next != end && *next == ' ' ? next + 1 : next;
  }
  return out;
}

json::object write_sets(const LogRow::Sets& sets) {
  return {{"firing", write_hashes(sets.firing)}, {"resolved", write_hashes(sets.resolved)}};
}

LogRow::Sets read_sets(const json::value& value) {
  return {read_hashes(value.at("firing")), read_hashes(value.at("resolved"))};
}

Time time_at(const json::value& value, std::string_view key) { return from_ms(value.at(key).as_int64()); }

std::string write_alert(const routing::AlertRow& row) {
  json::array groups;
  for (const auto& one : row.groups) {
    json::object group{{"group", one.group}, {"severity", one.heard.severity}, {"flushed_end", one.flushed_end}};
    if (one.heard.no_data) group["no_data"] = true;
    if (one.left) group["left"] = to_ms(*one.left);
    groups.push_back(std::move(group));
  }
  const auto& alert = row.alert;
  json::object out{{"severity", alert.severity},
                   {"starts", to_ms(alert.starts_at)},
                   {"ends", to_ms(alert.ends_at)},
                   {"updated", to_ms(alert.updated_at)},
                   {"groups", std::move(groups)}};
  if (alert.no_data) out["no_data"] = true;
  if (alert.acknowledged) out["acknowledged"] = true;
  return json::serialize(out);
}

std::string text_at(const json::value& value, std::string_view key) { return std::string(value.at(key).as_string()); }

routing::AlertRow read_alert(const std::string& labels, const std::string& body) {
  routing::AlertRow row;
  const auto value = json::parse(body);
  row.alert.labels = to_labels(json::parse(labels));
  row.alert.severity = text_at(value, "severity");
  row.alert.starts_at = time_at(value, "starts");
  row.alert.ends_at = time_at(value, "ends");
  row.alert.updated_at = time_at(value, "updated");
  row.alert.no_data = value.as_object().contains("no_data");
  row.alert.acknowledged = value.as_object().contains("acknowledged");
  for (const auto& one : value.at("groups").as_array()) {
    routing::Membership membership{text_at(one, "group"),
                                   std::nullopt,
                                   {text_at(one, "severity"), one.as_object().contains("no_data")},
                                   one.at("flushed_end").as_bool()};
    if (one.as_object().contains("left")) membership.left = time_at(one, "left");
    row.groups.push_back(std::move(membership));
  }
  return row;
}

std::string write_group(const routing::GroupRow& row) {
  return json::serialize(json::object{{"route", row.route},
                                      {"labels", labels_of(row.labels)},
                                      {"next_flush", to_ms(row.next_flush)},
                                      {"flushed", row.flushed},
                                      {"dirty", row.dirty}});
}

routing::GroupRow read_group(const std::string& id, const std::string& body) {
  const auto value = json::parse(body);
  return {id,
          text_at(value, "route"),
          to_labels(value.at("labels")),
          time_at(value, "next_flush"),
          value.at("flushed").as_bool(),
          value.at("dirty").as_bool()};
}

std::string write_log(const LogRow& row) {
  json::object out{
      {"told", row.told}, {"at", to_ms(row.at)}, {"sets", write_sets(row.sets)}, {"expires", to_ms(row.expires)}};
  if (row.pending) {
    out["pending"] = json::object{{"flush", fmt::format("{}", row.pending->flush)},
                                  {"at", to_ms(row.pending->at)},
                                  {"deadline", to_ms(row.pending->deadline)},
                                  {"sets", write_sets(row.pending->sets)},
                                  {"missed", row.pending->missed}};
  }
  return json::serialize(out);
}

LogRow read_log(const db::Row& row) {
  LogRow out;
  out.group = row.text(0);
  out.target = {row.text(1), row.text(2), static_cast<std::size_t>(row.integer(3))};
  const auto value = json::parse(row.text(4));
  out.told = value.at("told").as_bool();
  out.at = time_at(value, "at");
  out.sets = read_sets(value.at("sets"));
  out.expires = time_at(value, "expires");
  const auto* pending = value.as_object().if_contains("pending");
  if (pending == nullptr) return out;
  out.pending.emplace();
  out.pending->flush = std::stoull(text_at(*pending, "flush"));
  out.pending->at = time_at(*pending, "at");
  out.pending->deadline = time_at(*pending, "deadline");
  out.pending->sets = read_sets(pending->at("sets"));
  out.pending->missed = pending->at("missed").as_bool();
  return out;
}

std::string key_of(const Labels& labels) { return json::serialize(labels_of(labels)); }

Status store_log(db::Session& session, const TenantId& tenant, const routing::Changes& changes) {
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

}  // namespace

std::vector<db::Migration> migrations() {
  return {{"dispatch", 1,
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
           "DROP TABLE dispatch_groups_1"}};
}

Status store_changes(db::Session& session, const TenantId& tenant, const routing::Changes& changes,
                     const AlertIdOf& id_of) {
  for (const auto& row : changes.alerts) {
    AT_TRY(
        session.execute("INSERT INTO dispatch_alerts(tenant_id, labels, alert_id, body) VALUES(?,?,?,?) ON "
                        "CONFLICT(tenant_id, labels) DO UPDATE SET alert_id=excluded.alert_id, body=excluded.body",
                        {tenant.value(), key_of(row.alert.labels), id_of(row.alert.labels).value(), write_alert(row)}));
  }
  for (const auto& labels : changes.gone_alerts) {
    AT_TRY(session.execute("DELETE FROM dispatch_alerts WHERE tenant_id=? AND labels=?",
                           {tenant.value(), key_of(labels)}));
  }
  for (const auto& row : changes.groups) {
    AT_TRY(
        session.execute("INSERT INTO dispatch_groups(tenant_id, id, body) VALUES(?,?,?) ON CONFLICT(tenant_id, id) "
                        "DO UPDATE SET body=excluded.body",
                        {tenant.value(), row.id, write_group(row)}));
  }
  for (const auto& id : changes.gone_groups) {
    AT_TRY(session.execute("DELETE FROM dispatch_groups WHERE tenant_id=? AND id=?", {tenant.value(), id}));
  }
  if (changes.flushes) {
    AT_TRY(session.execute("UPDATE dispatch_configurations SET flushes=? WHERE tenant_id=?",
                           {static_cast<std::int64_t>(*changes.flushes), tenant.value()}));
  }
  return store_log(session, tenant, changes);
}

Result<std::uint64_t> load_flushes(db::Session& session, const TenantId& tenant) {
  AT_TRY(const auto rows,
         session.query("SELECT flushes FROM dispatch_configurations WHERE tenant_id=?", {tenant.value()}));
  return rows.empty() ? 0 : static_cast<std::uint64_t>(rows.front().integer(0));
}

Result<StoredState> load_state(db::Session& session, const TenantId& tenant) {
  StoredState out;
  AT_TRY(out.state.flushes, load_flushes(session, tenant));
  AT_TRY(const auto alerts, session.query("SELECT labels, alert_id, body FROM dispatch_alerts WHERE tenant_id=? "
                                          "ORDER BY labels",
                                          {tenant.value()}));
  AT_TRY(const auto groups,
         session.query("SELECT id, body FROM dispatch_groups WHERE tenant_id=? ORDER BY id", {tenant.value()}));
  AT_TRY(const auto log, session.query("SELECT group_key, receiver, type, number, body FROM dispatch_log WHERE "
                                       "tenant_id=? ORDER BY group_key, receiver, type, number",
                                       {tenant.value()}));
  try {
    for (const auto& row : alerts) {
      out.state.alerts.push_back(read_alert(row.text(0), row.text(2)));
      out.ids.emplace_back(row.text(1));
    }
    for (const auto& row : groups) out.state.groups.push_back(read_group(row.text(0), row.text(1)));
    for (const auto& row : log) out.state.log.push_back(read_log(row));
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
  for (const auto* table : {"dispatch_alerts", "dispatch_groups", "dispatch_log"}) {
    AT_TRY(session.execute(fmt::format("DELETE FROM {} WHERE tenant_id=?", table), {tenant.value()}));
  }
  // The row stays with its number of flushes: keys of deliveries are given once for ever.
  AT_TRY(session.execute("UPDATE dispatch_configurations SET text='', file='' WHERE tenant_id=?", {tenant.value()}));
  return {};
}

}  // namespace atalaya::dispatch
