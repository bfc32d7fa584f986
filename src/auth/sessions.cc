#include "auth/sessions.h"

#include "auth/digest.h"
#include "base/random.h"

namespace atalaya::auth::sessions {
namespace {

Result<std::string> add_refresh_token(db::Session& session, const TenantId& tenant, const std::string& id) {
  auto token = random_token();
  AT_TRY(session.execute("INSERT INTO auth_refresh(tenant, hash, session_id, used) VALUES(?, ?, ?, 0)",
                         {tenant.value(), hash_secret(token), id}));
  return token;
}

}  // namespace

Result<Started> start(db::Session& session, const TenantId& tenant, const UserId& user, Time now, Duration lifetime) {
  Started started{random_uuid(), {}};
  AT_TRY(session.execute("INSERT INTO auth_sessions(tenant, id, user_id, last_used, expires) VALUES(?, ?, ?, ?, ?)",
                         {tenant.value(), started.id, user.value(), to_ms(now), to_ms(now + lifetime)}));
  AT_TRY(
      session.execute("DELETE FROM auth_sessions WHERE tenant=? AND user_id=? AND id<>? AND id NOT IN ("
                      "SELECT id FROM auth_sessions WHERE tenant=? AND user_id=? AND id<>? "
                      "ORDER BY last_used DESC LIMIT ?)",
                      {tenant.value(), user.value(), started.id, tenant.value(), user.value(), started.id,
                       std::int64_t{kMaxPerUser - 1}}));
  AT_TRY(started.refresh_token, add_refresh_token(session, tenant, started.id));
  return started;
}

Result<std::optional<Rotation>> rotate(db::Session& session, std::string_view refresh_token, Time now,
                                       Duration lifetime) {
  AT_TRY(auto rows, session.query("SELECT r.tenant, r.session_id, s.user_id, r.used, s.expires, r.hash "
                                  "FROM auth_refresh r JOIN auth_sessions s ON s.tenant=r.tenant AND s.id=r.session_id "
                                  "WHERE r.hash=?",
                                  {hash_secret(refresh_token)}));
  if (rows.empty() || from_ms(rows.front().integer(4)) <= now) return std::nullopt;
  const auto& row = rows.front();
  Rotation rotation{{TenantId{row.text(0)}, row.text(1), UserId{row.text(2)}}, {}, row.integer(3) != 0};
  if (rotation.reused) {
    AT_TRY(end(session, rotation.session));
    return rotation;
  }
  AT_TRY(session.execute("UPDATE auth_refresh SET used=1 WHERE tenant=? AND hash=?", {row.text(0), row.text(5)}));
  AT_TRY(session.execute("UPDATE auth_sessions SET last_used=?, expires=? WHERE tenant=? AND id=?",
                         {to_ms(now), to_ms(now + lifetime), row.text(0), row.text(1)}));
  AT_TRY(rotation.refresh_token, add_refresh_token(session, rotation.session.tenant, rotation.session.id));
  return rotation;
}

Result<std::optional<Session>> find(db::Session& session, std::string_view refresh_token) {
  AT_TRY(auto rows, session.query("SELECT r.tenant, r.session_id, s.user_id "
                                  "FROM auth_refresh r JOIN auth_sessions s ON s.tenant=r.tenant AND s.id=r.session_id "
                                  "WHERE r.hash=?",
                                  {hash_secret(refresh_token)}));
  if (rows.empty()) return std::nullopt;
  const auto& row = rows.front();
  return Session{TenantId{row.text(0)}, row.text(1), UserId{row.text(2)}};
}

Status end(db::Session& session, const Session& ended) {
  AT_TRY(session.execute("DELETE FROM auth_sessions WHERE tenant=? AND id=?", {ended.tenant.value(), ended.id}));
  return {};
}

Result<std::vector<std::string>> end_all(db::Session& session, const TenantId& tenant, const UserId& user,
                                         std::string_view except) {
  const std::vector<db::Value> values{tenant.value(), user.value(), std::string(except)};
  AT_TRY(auto rows, session.query("SELECT id FROM auth_sessions WHERE tenant=? AND user_id=? AND id<>?", values));
  AT_TRY(session.execute("DELETE FROM auth_sessions WHERE tenant=? AND user_id=? AND id<>?", values));
  std::vector<std::string> ids;
  for (const auto& row : rows) ids.push_back(row.text(0));
  return ids;
}

Status forget_expired(db::Session& session, Time now) {
  AT_TRY(session.execute("DELETE FROM auth_sessions WHERE expires <= ?", {to_ms(now)}));
  return {};
}

}  // namespace atalaya::auth::sessions
