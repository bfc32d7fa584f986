// Users as an administrator sees them, and tokens for scripts.
#include <fmt/format.h>

#include "auth/names.h"
#include "auth/script_tokens.h"
#include "auth/service_impl.h"
#include "base/random.h"

namespace atalaya::auth {
namespace {

users::Row new_user(std::string name, Role role, std::string phc, Time now) {
  const bool has_password = !phc.empty();
  return {{UserId{random_uuid()}, std::move(name), role, now, std::nullopt, has_password}, std::move(phc)};
}

Status check_role(Role role) {
  if (role != Role::kNone) return {};
  return fail(ErrorCode::kInvalidArgument, "a role is missing", "use viewer, operator or admin");
}

/// People read; what only writes is a program.
Status check_person_role(Role role) {
  if (role != Role::kIngest) return check_role(role);
  return fail(ErrorCode::kInvalidArgument, "the role ingest is for tokens alone", "use viewer, operator or admin");
}

}  // namespace

Result<User> Service::ensure_admin(const TenantId& tenant, std::string_view name) {
  if (!is_valid(tenant)) return fail(ErrorCode::kInvalidArgument, "that is no tenant id");
  AT_TRY(auto normal, normal_user_name(name));
  return impl_->write([&](db::Session& session) -> Result<User> {
    AT_TRY(auto all, users::list(session, tenant));
    for (auto& user : all) {
      if (user.role == Role::kAdmin) return std::move(user);
    }
    auto row = new_user(std::move(normal), Role::kAdmin, {}, impl_->now());
    AT_TRY(users::insert(session, tenant, row));
    return row.user;
  });
}

Result<std::vector<User>> Service::users(const TenantId& tenant) const {
  return impl_->read([&](db::Session& session) { return users::list(session, tenant); });
}

Result<User> Service::user(const TenantId& tenant, const UserId& id) const {
  AT_TRY(auto row, impl_->read([&](db::Session& session) { return users::get(session, tenant, id); }));
  return std::move(row.user);
}

Result<User> Service::create_user(const TenantId& tenant, std::string_view name, std::string_view password, Role role) {
  if (!is_valid(tenant)) return fail(ErrorCode::kInvalidArgument, "that is no tenant id");
  AT_TRY(check_person_role(role));
  AT_TRY(auto normal, normal_user_name(name));
  std::string phc;
  if (!password.empty()) {
    AT_TRY(phc, impl_->hash(password));
  }
  const auto row = new_user(std::move(normal), role, std::move(phc), impl_->now());
  AT_TRY(impl_->database.write([&](db::Session& session) { return users::insert(session, tenant, row); }));
  return row.user;
}

Status Service::set_role(const TenantId& tenant, const UserId& id, Role role) {
  AT_TRY(check_person_role(role));
  return impl_->revoking([&](db::Session& session, std::vector<Revocation>& made) -> Status {
    AT_TRY(auto row, users::get(session, tenant, id));
    if (row.user.role == role) return {};
    AT_TRY(users::set_role(session, tenant, row, role));
    return impl_->end_sessions(session, tenant, id, {}, made);  // their access tokens say the old role
  });
}

Status Service::set_password(const TenantId& tenant, const UserId& id, std::string_view password) {
  AT_TRY(auto phc, impl_->hash(password));
  return impl_->revoking([&](db::Session& session, std::vector<Revocation>& made) -> Status {
    AT_TRY(users::set_password(session, tenant, id, phc));
    return impl_->end_sessions(session, tenant, id, {}, made);
  });
}

Status Service::delete_user(const TenantId& tenant, const UserId& id) {
  return impl_->revoking([&](db::Session& session, std::vector<Revocation>& made) -> Status {
    AT_TRY(auto row, users::get(session, tenant, id));
    made.push_back(impl_->revocation(tenant, Revoked::kSubject, id.value()));
    return users::remove(session, tenant, row);
  });
}

Result<NewToken> Service::create_token(const TenantId& tenant, std::string_view name, Role role, Duration ttl) {
  if (!is_valid(tenant)) return fail(ErrorCode::kInvalidArgument, "that is no tenant id");
  AT_TRY(check_role(role));
  AT_TRY(check_display_name("a token", name));
  if (ttl < std::chrono::seconds(1) || ttl > impl_->lifetimes.max_token) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("a token cannot live for {}", format_duration(ttl)),
                fmt::format("use 1s to {}", format_duration(impl_->lifetimes.max_token)));
  }
  const auto now = impl_->now();
  // To whole seconds as JWT has them, so that the list and the token say the same.
  const auto expires = std::chrono::ceil<std::chrono::seconds>(now + ttl);
  NewToken made{{}, {random_uuid(), std::string(name), role, now, expires, false}};
  Principal principal;
  principal.tenant = tenant;
  principal.subject = made.info.id;
  principal.name = made.info.name;
  principal.role = role;
  principal.kind = Kind::kToken;
  principal.jti = made.info.id;
  principal.issued = now;
  principal.expires = expires;
  made.token = impl_->jwt.mint(principal);
  AT_TRY(
      impl_->database.write([&](db::Session& session) { return script_tokens::insert(session, tenant, made.info); }));
  return made;
}

Result<std::vector<TokenInfo>> Service::tokens(const TenantId& tenant) const {
  return impl_->read([&](db::Session& session) { return script_tokens::list(session, tenant, impl_->now()); });
}

Status Service::revoke_token(const TenantId& tenant, std::string_view id) {
  return impl_->revoking([&](db::Session& session, std::vector<Revocation>& made) -> Status {
    AT_TRY(auto token, script_tokens::revoke(session, tenant, id));
    made.push_back({tenant, Revoked::kToken, token.id, token.expires + 2 * kLeeway});
    return {};
  });
}

}  // namespace atalaya::auth
