// The table of people.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "auth/service.h"

namespace atalaya::auth::users {

struct Row {
  User user;
  std::string password;  ///< PHC string, or "" for none
};

/// `name` is normal.
Result<std::optional<Row>> find_by_name(db::Session& session, const TenantId& tenant, const std::string& name);
Result<std::optional<Row>> find(db::Session& session, const TenantId& tenant, const UserId& id);
/// not_found if absent.
Result<Row> get(db::Session& session, const TenantId& tenant, const UserId& id);
Result<std::vector<User>> list(db::Session& session, const TenantId& tenant);
Result<std::int64_t> count(db::Session& session, const TenantId& tenant);
/// already_exists if the name is taken.
Status insert(db::Session& session, const TenantId& tenant, const Row& row);
Status set_password(db::Session& session, const TenantId& tenant, const UserId& id, const std::string& phc);
/// conflict if that would leave the tenant without an admin.
Status set_role(db::Session& session, const TenantId& tenant, const Row& row, Role role);
Status remove(db::Session& session, const TenantId& tenant, const Row& row);
Status seen(db::Session& session, const TenantId& tenant, const UserId& id, Time now);

}  // namespace atalaya::auth::users
