#include "notify/rows.h"

#include <algorithm>

namespace atalaya::notify {

const std::string_view kDeliveryColumns =
    "tenant_id, delivery_key, alert_id, alert_name, transition, change, channel, type, state, created_ms, next_ms, "
    "attempts, first_of_thread, deadline_ms, thread";

Delivery read_delivery(const db::Row& row) {
  Delivery d;
  d.tenant = TenantId{row.text(0)};
  d.key = row.text(1);
  d.alert = AlertId{row.text(2)};
  d.alert_name = row.text(3);
  d.transition = static_cast<std::uint32_t>(row.integer(4));
  d.change = row.text(5);
  d.channel = row.text(6);
  d.type = row.text(7);
  d.state = static_cast<DeliveryState>(std::clamp<std::int64_t>(row.integer(8), 0, 3));
  d.created = from_ms(row.integer(9));
  if (!row.is_null(10)) d.next_attempt = from_ms(row.integer(10));
  d.attempts = static_cast<std::uint32_t>(row.integer(11));
  d.first_of_thread = row.integer(12) != 0;
  if (!row.is_null(13)) d.deadline = from_ms(row.integer(13));
  d.thread = row.text(14);
  return d;
}

Result<std::optional<Delivery>> load_delivery(db::Session& session, const TenantId& tenant, const std::string& key) {
  static const std::string sql =
      "SELECT " + std::string(kDeliveryColumns) + " FROM notify_deliveries WHERE tenant_id=? AND delivery_key=?";
  AT_TRY(const auto rows, session.query(sql, {tenant.value(), key}));
  if (rows.empty()) return std::optional<Delivery>{};
  return std::optional<Delivery>{read_delivery(rows.front())};
}

Result<bool> insert_delivery(db::Session& session, const Delivery& d) {
  static const std::string sql = "INSERT INTO notify_deliveries(" + std::string(kDeliveryColumns) +
                                 ", payload) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
                                 "ON CONFLICT(tenant_id, delivery_key) DO NOTHING";
  AT_TRY(const auto inserted,
         session.execute(
             sql, {d.tenant.value(), d.key, d.alert.value(), d.alert_name, std::int64_t{d.transition}, d.change,
                   d.channel, d.type, static_cast<std::int64_t>(d.state), to_ms(d.created),
                   d.next_attempt ? db::Value{std::int64_t{to_ms(*d.next_attempt)}} : db::Value{},
                   std::int64_t{d.attempts}, std::int64_t{d.first_of_thread},
                   d.deadline ? db::Value{std::int64_t{to_ms(*d.deadline)}} : db::Value{}, d.thread, d.payload}));
  return inserted > 0;
}

Result<std::vector<Attempt>> load_attempts(db::Session& session, const TenantId& tenant, const std::string& key,
                                           std::size_t limit) {
  AT_TRY(const auto rows, session.query("SELECT number, at_ms, ok, status, answer, took_ms FROM notify_attempts "
                                        "WHERE tenant_id=? AND delivery_key=? ORDER BY number DESC LIMIT ?",
                                        {tenant.value(), key, static_cast<std::int64_t>(limit)}));
  std::vector<Attempt> attempts;
  for (auto it = rows.rbegin(); it != rows.rend(); ++it) {
    attempts.push_back({.number = static_cast<std::uint32_t>(it->integer(0)),
                        .at = from_ms(it->integer(1)),
                        .ok = it->integer(2) != 0,
                        .status = static_cast<int>(it->integer(3)),
                        .answer = it->text(4),
                        .took = Duration{it->integer(5)}});
  }
  return attempts;
}

}  // namespace atalaya::notify
