#include "auth/tenants.h"

namespace atalaya::auth {

Result<std::vector<TenantId>> tenants_in_use(db::Database& database) {
  std::vector<TenantId> tenants;
  AT_TRY(database.read([&](db::Session& session) -> Status {
    AT_TRY(const auto rows, session.query("SELECT tenant FROM auth_users UNION SELECT tenant FROM auth_tokens UNION "
                                          "SELECT tenant FROM auth_agents ORDER BY 1"));
    for (const auto& row : rows) tenants.push_back(TenantId{row.text(0)});
    return {};
  }));
  return tenants;
}

}  // namespace atalaya::auth
