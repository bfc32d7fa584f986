#include "auth/links.h"

#include "auth/digest.h"
#include "base/random.h"

namespace atalaya::auth::links {

Result<std::string> create(db::Session& session, const TenantId& tenant, const UserId& user, Time expires) {
  auto link = random_token();
  AT_TRY(session.execute("INSERT INTO auth_links(tenant, hash, user_id, expires) VALUES(?, ?, ?, ?)",
                         {tenant.value(), hash_secret(link), user.value(), to_ms(expires)}));
  return link;
}

Result<std::optional<Redeemed>> redeem(db::Session& session, std::string_view link, Time now) {
  const auto hash = hash_secret(link);
  AT_TRY(auto rows, session.query("SELECT tenant, user_id, expires FROM auth_links WHERE hash=?", {hash}));
  if (rows.empty()) return std::nullopt;
  AT_TRY(session.execute("DELETE FROM auth_links WHERE tenant=? AND hash=?", {rows.front().text(0), hash}));
  if (from_ms(rows.front().integer(2)) <= now) return std::nullopt;
  return Redeemed{TenantId{rows.front().text(0)}, UserId{rows.front().text(1)}};
}

Status forget_expired(db::Session& session, Time now) {
  AT_TRY(session.execute("DELETE FROM auth_links WHERE expires <= ?", {to_ms(now)}));
  return {};
}

}  // namespace atalaya::auth::links
