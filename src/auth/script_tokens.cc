#include "auth/script_tokens.h"

#include <fmt/format.h>

namespace atalaya::auth::script_tokens {
namespace {

Result<TokenInfo> read(const db::Row& row) {
  auto role = parse_role(row.text(2));
  if (!role) return fail(ErrorCode::kCorruption, fmt::format("token {} has the role '{}'", row.text(0), row.text(2)));
  return TokenInfo{row.text(0),        row.text(1), *role, from_ms(row.integer(3)), from_ms(row.integer(4)),
                   row.integer(5) != 0};
}

}  // namespace

Status insert(db::Session& session, const TenantId& tenant, const TokenInfo& token) {
  AT_TRY(
      session.execute("INSERT INTO auth_tokens(tenant, id, name, role, created, expires, revoked) "
                      "VALUES(?, ?, ?, ?, ?, ?, 0)",
                      {tenant.value(), token.id, token.name, std::string(name(token.role)), to_ms(token.created),
                       to_ms(token.expires)}));
  return {};
}

Result<std::vector<TokenInfo>> list(db::Session& session, const TenantId& tenant, Time now) {
  AT_TRY(auto rows, session.query("SELECT id, name, role, created, expires, revoked FROM auth_tokens "
                                  "WHERE tenant=? AND expires>? ORDER BY created DESC, id",
                                  {tenant.value(), to_ms(now)}));
  std::vector<TokenInfo> tokens;
  for (const auto& row : rows) {
    AT_TRY(auto token, read(row));
    tokens.push_back(std::move(token));
  }
  return tokens;
}

Result<TokenInfo> revoke(db::Session& session, const TenantId& tenant, std::string_view id) {
  AT_TRY(
      session.execute("UPDATE auth_tokens SET revoked=1 WHERE tenant=? AND id=?", {tenant.value(), std::string(id)}));
  AT_TRY(auto rows, session.query("SELECT id, name, role, created, expires, revoked FROM auth_tokens "
                                  "WHERE tenant=? AND id=?",
                                  {tenant.value(), std::string(id)}));
  if (rows.empty()) return fail(ErrorCode::kNotFound, "there is no such token");
  return read(rows.front());
}

Status forget_expired(db::Session& session, Time now) {
  AT_TRY(session.execute("DELETE FROM auth_tokens WHERE expires <= ?", {to_ms(now)}));
  return {};
}

}  // namespace atalaya::auth::script_tokens
