// Reading deliveries and their attempts.
#pragma once

#include <boost/json.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "db/database.h"
#include "notify/delivery.h"

namespace atalaya::notify {

struct DeliveryDetails {
  Delivery delivery;              ///< without the payload
  std::vector<Attempt> attempts;  ///< oldest first; at most the newest 50
};

/// Sees the last commit. Thread-safe.
class Queries {
 public:
  explicit Queries(db::Database& database) : database_(database) {}

  /// Newest first, at most 1000.
  Result<std::vector<DeliveryDetails>> list(const TenantId& tenant, std::size_t limit) const;
  /// Of one alert, oldest first.
  Result<std::vector<DeliveryDetails>> of_alert(const TenantId& tenant, const AlertId& alert) const;
  /// Of several alerts since a time, without their attempts; oldest first, at most the newest `limit` of each.
  Result<std::vector<Delivery>> of_alerts(const TenantId& tenant, const std::vector<AlertId>& alerts, Time since,
                                          std::size_t limit) const;
  Result<DeliveryDetails> get(const TenantId& tenant, const std::string& key) const;  ///< not_found
  /// Everything not yet sent or given up, with payloads, of every tenant.
  Result<std::vector<Delivery>> unfinished() const;

 private:
  db::Database& database_;
};

/// As GET /notifications shows it: {id, alert_id, alert_name, channel, type, transition, state,
/// created, next_attempt?, attempts: [{at, ok, status, answer}]}.
boost::json::object to_json(const DeliveryDetails& details);

}  // namespace atalaya::notify
