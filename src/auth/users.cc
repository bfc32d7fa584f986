#include "auth/users.h"

#include <fmt/format.h>

namespace atalaya::auth::users {
namespace {

constexpr std::string_view kColumns = "id, name, role, created, last_seen, password";

Result<Row> read(const db::Row& row) {
  auto role = parse_role(row.text(2));
  if (!role) return fail(ErrorCode::kCorruption, fmt::format("user {} has the role '{}'", row.text(0), row.text(2)));
  Row result;
  result.password = row.text(5);
  result.user = {UserId{row.text(0)},     row.text(1),  *role,
                 from_ms(row.integer(3)), std::nullopt, !result.password.empty()};
  if (!row.is_null(4)) result.user.last_seen = from_ms(row.integer(4));
  return result;
}

Result<std::optional<Row>> first(const Result<std::vector<db::Row>>& rows) {
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return std::nullopt;
  AT_TRY(auto row, read(rows->front()));
  return row;
}

Status refuse_last_admin(db::Session& session, const TenantId& tenant, const Row& row) {
  if (row.user.role != Role::kAdmin) return {};
  AT_TRY(auto others, session.query("SELECT count(*) FROM auth_users WHERE tenant=? AND role='admin' AND id<>?",
                                    {tenant.value(), row.user.id.value()}));
  if (!others.empty() && others.front().integer(0) > 0) return {};
  return fail(ErrorCode::kConflict, fmt::format("'{}' is the last admin", row.user.name),
              "make somebody else admin first");
}

}  // namespace

Result<std::optional<Row>> find_by_name(db::Session& session, const TenantId& tenant, const std::string& name) {
  static const std::string kSql = fmt::format("SELECT {} FROM auth_users WHERE tenant=? AND name=?", kColumns);
  return first(session.query(kSql, {tenant.value(), name}));
}

Result<std::optional<Row>> find(db::Session& session, const TenantId& tenant, const UserId& id) {
  static const std::string kSql = fmt::format("SELECT {} FROM auth_users WHERE tenant=? AND id=?", kColumns);
  return first(session.query(kSql, {tenant.value(), id.value()}));
}

Result<Row> get(db::Session& session, const TenantId& tenant, const UserId& id) {
  AT_TRY(auto row, find(session, tenant, id));
  if (!row) return fail(ErrorCode::kNotFound, "there is no such user");
  return std::move(*row);
}

Result<std::vector<User>> list(db::Session& session, const TenantId& tenant) {
  static const std::string kSql = fmt::format("SELECT {} FROM auth_users WHERE tenant=? ORDER BY name", kColumns);
  AT_TRY(auto rows, session.query(kSql, {tenant.value()}));
  std::vector<User> result;
  for (const auto& row : rows) {
    AT_TRY(auto user, read(row));
    result.push_back(std::move(user.user));
  }
  return result;
}

Result<std::int64_t> count(db::Session& session, const TenantId& tenant) {
  AT_TRY(auto rows, session.query("SELECT count(*) FROM auth_users WHERE tenant=?", {tenant.value()}));
  return rows.empty() ? 0 : rows.front().integer(0);
}

Status insert(db::Session& session, const TenantId& tenant, const Row& row) {
  AT_TRY(auto taken, find_by_name(session, tenant, row.user.name));
  if (taken) return fail(ErrorCode::kAlreadyExists, fmt::format("there is a user '{}' already", row.user.name));
  AT_TRY(session.execute("INSERT INTO auth_users(tenant, id, name, role, password, created) VALUES(?, ?, ?, ?, ?, ?)",
                         {tenant.value(), row.user.id.value(), row.user.name, std::string(name(row.user.role)),
                          row.password, to_ms(row.user.created)}));
  return {};
}

Status set_password(db::Session& session, const TenantId& tenant, const UserId& id, const std::string& phc) {
  AT_TRY(auto changed, session.execute("UPDATE auth_users SET password=? WHERE tenant=? AND id=?",
                                       {phc, tenant.value(), id.value()}));
  if (changed == 0) return fail(ErrorCode::kNotFound, "there is no such user");
  return {};
}

Status set_role(db::Session& session, const TenantId& tenant, const Row& row, Role role) {
  if (role != Role::kAdmin) AT_TRY(refuse_last_admin(session, tenant, row));
  AT_TRY(session.execute("UPDATE auth_users SET role=? WHERE tenant=? AND id=?",
                         {std::string(name(role)), tenant.value(), row.user.id.value()}));
  return {};
}

Status remove(db::Session& session, const TenantId& tenant, const Row& row) {
  AT_TRY(refuse_last_admin(session, tenant, row));
  AT_TRY(session.execute("DELETE FROM auth_users WHERE tenant=? AND id=?", {tenant.value(), row.user.id.value()}));
  return {};
}

Status seen(db::Session& session, const TenantId& tenant, const UserId& id, Time now) {
  AT_TRY(session.execute("UPDATE auth_users SET last_seen=? WHERE tenant=? AND id=?",
                         {to_ms(now), tenant.value(), id.value()}));
  return {};
}

}  // namespace atalaya::auth::users
