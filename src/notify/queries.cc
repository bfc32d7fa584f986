#include "notify/queries.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "notify/rows.h"

namespace atalaya::notify {
namespace {

constexpr std::size_t kMaxDeliveries = 1000;
constexpr std::size_t kMaxAttempts = 50;

Status add_attempts(db::Session& session, const TenantId& tenant, const std::vector<db::Row>& rows,
                    std::vector<DeliveryDetails>& out) {
  for (const auto& row : rows) {
    DeliveryDetails details{read_delivery(row), {}};
    AT_TRY(details.attempts, load_attempts(session, tenant, details.delivery.key, kMaxAttempts));
    out.push_back(std::move(details));
  }
  return {};
}

}  // namespace

Result<std::vector<DeliveryDetails>> Queries::list(const TenantId& tenant, std::size_t limit) const {
  static const std::string sql = fmt::format(
      "SELECT {} FROM notify_deliveries WHERE tenant_id=? ORDER BY created_ms DESC, delivery_key DESC LIMIT ?",
      kDeliveryColumns);
  std::vector<DeliveryDetails> out;
  AT_TRY(database_.read([&](db::Session& session) -> Status {
    const auto count = static_cast<std::int64_t>(std::clamp<std::size_t>(limit, 1, kMaxDeliveries));
    AT_TRY(const auto rows, session.query(sql, {tenant.value(), count}));
    return add_attempts(session, tenant, rows, out);
  }));
  return out;
}

Result<std::vector<DeliveryDetails>> Queries::of_alert(const TenantId& tenant, const AlertId& alert) const {
  static const std::string sql = fmt::format(
      "SELECT {} FROM notify_deliveries WHERE tenant_id=? AND (alert_id=? OR delivery_key IN (SELECT delivery_key FROM "
      "notify_delivery_alerts WHERE tenant_id=? AND alert_id=?)) ORDER BY created_ms DESC, transition DESC, channel "
      "DESC LIMIT ?",
      kDeliveryColumns);
  std::vector<DeliveryDetails> out;
  AT_TRY(database_.read([&](db::Session& session) -> Status {
    AT_TRY(const auto rows, session.query(sql, {tenant.value(), alert.value(), tenant.value(), alert.value(),
                                                static_cast<std::int64_t>(kMaxDeliveries)}));
    return add_attempts(session, tenant, rows, out);
  }));
  std::ranges::reverse(out);
  return out;
}

Result<std::vector<Delivery>> Queries::of_alerts(const TenantId& tenant, const std::vector<AlertId>& alerts, Time since,
                                                 std::size_t limit) const {
  static const std::string sql = fmt::format(
      "SELECT {} FROM notify_deliveries WHERE tenant_id=? AND created_ms>=? AND (alert_id=? OR delivery_key IN (SELECT "
      "delivery_key FROM notify_delivery_alerts WHERE tenant_id=? AND alert_id=?)) ORDER BY created_ms DESC, "
      "delivery_key DESC LIMIT ?",
      kDeliveryColumns);
  std::map<std::pair<Time, std::string>, Delivery> found;
  AT_TRY(database_.read([&](db::Session& session) -> Status {
    for (const auto& alert : alerts) {
      AT_TRY(const auto rows, session.query(sql, {tenant.value(), to_ms(since), alert.value(), tenant.value(),
                                                  alert.value(), static_cast<std::int64_t>(limit)}));
      for (const auto& row : rows) {
        auto delivery = read_delivery(row);
        std::pair key{delivery.created, delivery.key};
        found.insert_or_assign(std::move(key), std::move(delivery));
      }
    }
    return {};
  }));
  std::vector<Delivery> out;
  for (auto& [key, delivery] : found) out.push_back(std::move(delivery));
  if (out.size() > limit) out.erase(out.begin(), out.end() - static_cast<std::ptrdiff_t>(limit));
  return out;
}

Result<DeliveryDetails> Queries::get(const TenantId& tenant, const std::string& key) const {
  DeliveryDetails details;
  AT_TRY(database_.read([&](db::Session& session) -> Status {
    AT_TRY(auto found, load_delivery(session, tenant, key));
    if (!found) return fail(ErrorCode::kNotFound, fmt::format("there is no notification '{}'", key));
    details.delivery = std::move(*found);
    AT_TRY(details.attempts, load_attempts(session, tenant, key, kMaxAttempts));
    return {};
  }));
  return details;
}

Result<std::vector<Delivery>> Queries::unfinished() const {
  static const std::string sql = fmt::format(
      "SELECT {}, payload FROM notify_deliveries WHERE state IN (?, ?) ORDER BY created_ms, transition, delivery_key",
      kDeliveryColumns);
  const auto payload = static_cast<std::size_t>(std::ranges::count(kDeliveryColumns, ',')) + 1;
  std::vector<Delivery> out;
  AT_TRY(database_.read([&](db::Session& session) -> Status {
    AT_TRY(const auto rows, session.query(sql, {static_cast<std::int64_t>(DeliveryState::kQueued),
                                                static_cast<std::int64_t>(DeliveryState::kRetrying)}));
    for (const auto& row : rows) {
      auto delivery = read_delivery(row);
      delivery.payload = row.text(payload);
      out.push_back(std::move(delivery));
    }
    return {};
  }));
  return out;
}

boost::json::object to_json(const DeliveryDetails& details) {
  const auto& d = details.delivery;
  boost::json::object out{{"id", d.key},
                          {"alert_id", d.alert.value()},
                          {"alert_name", d.alert_name},
                          {"channel", d.channel},
                          {"type", d.type},
                          {"transition", d.change},
                          {"state", name(d.state)},
                          {"created", format_rfc3339(d.created)}};
  if (d.next_attempt) out["next_attempt"] = format_rfc3339(*d.next_attempt);
  boost::json::array attempts;
  for (const auto& a : details.attempts) {
    attempts.push_back(boost::json::object{{"number", a.number},
                                           {"at", format_rfc3339(a.at)},
                                           {"ok", a.ok},
                                           {"status", a.status},
                                           {"answer", a.answer},
                                           {"took_ms", a.took.count()}});
  }
  out["attempts"] = std::move(attempts);
  return out;
}

}  // namespace atalaya::notify
