#include "auth/agents.h"

#include "auth/digest.h"
#include "base/random.h"

namespace atalaya::auth::agents {
namespace {

Status found(const Result<std::int64_t>& changed) {
  if (!changed) return std::unexpected(changed.error());
  if (*changed == 0) return fail(ErrorCode::kNotFound, "there is no such agent");
  return {};
}

}  // namespace

Result<std::string> create_enrolment(db::Session& session, const TenantId& tenant, Time expires, int uses) {
  auto random = random_token();
  AT_TRY(session.execute("INSERT INTO auth_enrolments(tenant, hash, expires, uses_left) VALUES(?, ?, ?, ?)",
                         {tenant.value(), hash_secret(random), to_ms(expires), std::int64_t{uses}}));
  return random;
}

Result<std::optional<TenantId>> use_enrolment(db::Session& session, std::string_view random, Time now) {
  const auto hash = hash_secret(random);
  AT_TRY(auto rows, session.query("SELECT tenant, expires, uses_left FROM auth_enrolments WHERE hash=?", {hash}));
  if (rows.empty() || from_ms(rows.front().integer(1)) <= now || rows.front().integer(2) <= 0) return std::nullopt;
  AT_TRY(session.execute("UPDATE auth_enrolments SET uses_left=uses_left-1 WHERE tenant=? AND hash=?",
                         {rows.front().text(0), hash}));
  return TenantId{rows.front().text(0)};
}

Status forget_expired_enrolments(db::Session& session, Time now) {
  AT_TRY(session.execute("DELETE FROM auth_enrolments WHERE expires <= ? OR uses_left <= 0", {to_ms(now)}));
  return {};
}

Result<NewAgent> create(db::Session& session, const TenantId& tenant, std::string_view name, std::string_view version,
                        Time now) {
  NewAgent agent{AgentId{random_uuid()}, random_token(), tenant};
  AT_TRY(session.execute("INSERT INTO auth_agents(tenant, id, name, version, secret, created) VALUES(?, ?, ?, ?, ?, ?)",
                         {tenant.value(), agent.id.value(), std::string(name), std::string(version),
                          hash_secret(agent.secret), to_ms(now)}));
  return agent;
}

Result<std::optional<Found>> find(db::Session& session, const AgentId& id) {
  AT_TRY(auto rows, session.query("SELECT tenant, name, secret FROM auth_agents WHERE id=?", {id.value()}));
  if (rows.empty()) return std::nullopt;
  return Found{TenantId{rows.front().text(0)}, rows.front().text(1), rows.front().text(2)};
}

Result<std::vector<AgentInfo>> list(db::Session& session, const TenantId& tenant) {
  AT_TRY(auto rows, session.query("SELECT id, name, version, created, last_seen FROM auth_agents "
                                  "WHERE tenant=? ORDER BY name, id",
                                  {tenant.value()}));
  std::vector<AgentInfo> agents;
  for (const auto& row : rows) {
    agents.push_back({AgentId{row.text(0)}, row.text(1), row.text(2), from_ms(row.integer(3)), std::nullopt});
    if (!row.is_null(4)) agents.back().last_seen = from_ms(row.integer(4));
  }
  return agents;
}

Status seen(db::Session& session, const TenantId& tenant, const AgentId& id, Time now) {
  return found(session.execute("UPDATE auth_agents SET last_seen=? WHERE tenant=? AND id=?",
                               {to_ms(now), tenant.value(), id.value()}));
}

Status rename(db::Session& session, const TenantId& tenant, const AgentId& id, std::string_view name) {
  return found(session.execute("UPDATE auth_agents SET name=? WHERE tenant=? AND id=?",
                               {std::string(name), tenant.value(), id.value()}));
}

Status remove(db::Session& session, const TenantId& tenant, const AgentId& id) {
  return found(session.execute("DELETE FROM auth_agents WHERE tenant=? AND id=?", {tenant.value(), id.value()}));
}

}  // namespace atalaya::auth::agents
