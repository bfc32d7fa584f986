// Deliveries as rows (docs/formats/control-database.md).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "db/database.h"
#include "notify/delivery.h"

namespace atalaya::notify {

/// Columns in the order that `read_delivery` expects; without the payload.
extern const std::string_view kDeliveryColumns;
Delivery read_delivery(const db::Row& row);

Result<std::optional<Delivery>> load_delivery(db::Session& session, const TenantId& tenant, const std::string& key);
/// False if the key was there already: then nothing changes.
Result<bool> insert_delivery(db::Session& session, const Delivery& delivery);
Result<std::vector<Attempt>> load_attempts(db::Session& session, const TenantId& tenant, const std::string& key,
                                           std::size_t limit);

}  // namespace atalaya::notify
