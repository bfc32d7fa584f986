// Sign-in, refresh, sign-out, links and one's own password.
#include "auth/digest.h"
#include "auth/links.h"
#include "auth/names.h"
#include "auth/password.h"
#include "auth/service_impl.h"
#include "base/random.h"
#include "telemetry/log.h"

namespace atalaya::auth {
namespace {

std::unexpected<Error> refuse_sign_in() {
  return refuse_credential("the user name or the password is wrong", "check both, or ask an admin for a sign-in link");
}

std::unexpected<Error> refuse_session() { return refuse_credential("the session has ended", "sign in again"); }

std::string user_key(const TenantId& tenant, const std::string& name) { return tenant.value() + '/' + name; }

// Gives a waiting place back on every path.
template <typename Semaphore>
struct Place {
  explicit Place(Semaphore& s) : semaphore(s) { semaphore.acquire(); }
  ~Place() { semaphore.release(); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  Semaphore& semaphore;
};

}  // namespace

bool Service::Impl::matches(const std::string& phc, std::string_view password) {
  const auto place = ::atalaya::auth::Place(hashing);
  return verify_password(phc, password);
}

Result<std::string> Service::Impl::hash(std::string_view password) {
  const auto place = ::atalaya::auth::Place(hashing);
  return hash_password(password);
}

SignedIn Service::Impl::signed_in(const TenantId& tenant, User user, const std::string& session_id,
                                  std::string refresh_token) const {
  Principal principal;
  principal.tenant = tenant;
  principal.subject = user.id.value();
  principal.name = user.name;
  principal.role = user.role;
  principal.kind = Kind::kUser;
  principal.jti = random_uuid();
  principal.session = session_id;
  principal.issued = now();
  principal.expires = principal.issued + lifetimes.access;
  return {jwt.mint(principal), std::move(refresh_token), lifetimes.access, tenant, std::move(user)};
}

Result<SignedIn> Service::Impl::start_session(db::Session& session, const TenantId& tenant, User user, Time at) const {
  AT_TRY(auto started, sessions::start(session, tenant, user.id, at, lifetimes.refresh));
  AT_TRY(users::seen(session, tenant, user.id, at));
  user.last_seen = at;
  return signed_in(tenant, std::move(user), started.id, std::move(started.refresh_token));
}

Result<SignedIn> Service::sign_in(const TenantId& tenant, std::string_view user, std::string_view password,
                                  std::string_view address) {
  const std::string peer(address);
  const auto name = normal_user_name(user);
  // Names that nobody can have share one bucket, so that they cannot crowd out those of people.
  const auto key = user_key(tenant, name.value_or("?"));
  const auto steady = impl_->clock.steady();
  AT_TRY(impl_->by_address.take(peer, steady));
  AT_TRY(impl_->by_user.take(key, steady));

  AT_TRY(auto row,
         impl_->read([&](db::Session& session) { return users::find_by_name(session, tenant, name.value_or("?")); }));
  const bool ok = impl_->matches(row ? row->password : std::string(), password);
  if (!row || !ok) {
    telemetry::log_warn("auth", "sign-in failed",
                        {{"tenant", tenant.value()}, {"user", row ? row->user.name : "unknown"}, {"address", peer}});
    return refuse_sign_in();
  }
  impl_->by_address.give_back(peer);
  impl_->by_user.forgive(key);

  std::string better;
  if (needs_rehash(row->password)) {
    AT_TRY(better, impl_->hash(password));
  }
  return impl_->write([&](db::Session& session) -> Result<SignedIn> {
    // It may have been deleted, or its password changed, while the hash was computed.
    AT_TRY(auto again, users::find(session, tenant, row->user.id));
    if (!again || again->password != row->password) return refuse_sign_in();
    if (!better.empty()) AT_TRY(users::set_password(session, tenant, row->user.id, better));
    return impl_->start_session(session, tenant, again->user, impl_->now());
  });
}

Result<SignedIn> Service::refresh(std::string_view refresh_token) {
  const auto now = impl_->now();
  std::optional<SignedIn> in;
  const auto status = impl_->revoking([&](db::Session& session, std::vector<Revocation>& made) -> Status {
    AT_TRY(auto rotation, sessions::rotate(session, refresh_token, now, impl_->lifetimes.refresh));
    if (!rotation) return {};
    const auto& of = rotation->session;
    if (rotation->reused) {
      telemetry::log_warn("auth", "a refresh token was used twice; its session ends",
                          {{"tenant", of.tenant.value()}, {"user", of.user.value()}, {"session", of.id}});
      made.push_back(impl_->revocation(of.tenant, Revoked::kSession, of.id));
      return {};  // and commit: the session is gone
    }
    AT_TRY(auto row, users::get(session, of.tenant, of.user));
    AT_TRY(users::seen(session, of.tenant, of.user, now));
    row.user.last_seen = now;
    in = impl_->signed_in(of.tenant, std::move(row.user), of.id, std::move(rotation->refresh_token));
    return {};
  });
  if (!status) return std::unexpected(status.error());
  if (!in) return refuse_session();
  return std::move(*in);
}

Status Service::sign_out(std::string_view refresh_token) {
  return impl_->revoking([&](db::Session& session, std::vector<Revocation>& made) -> Status {
    AT_TRY(auto found, sessions::find(session, refresh_token));
    if (!found) return {};
    made.push_back(impl_->revocation(found->tenant, Revoked::kSession, found->id));
    return sessions::end(session, *found);
  });
}

Result<std::string> Service::create_link(const TenantId& tenant, std::string_view user) {
  AT_TRY(auto name, normal_user_name(user));
  return impl_->write([&](db::Session& session) -> Result<std::string> {
    AT_TRY(auto row, users::find_by_name(session, tenant, name));
    if (!row) return fail(ErrorCode::kNotFound, "there is no such user");
    return links::create(session, tenant, row->user.id, impl_->now() + impl_->lifetimes.link);
  });
}

Result<SignedIn> Service::sign_in_with_link(std::string_view link, std::string_view address) {
  const std::string peer(address);
  AT_TRY(impl_->by_address.take(peer, impl_->clock.steady()));
  const auto now = impl_->now();
  auto answer = impl_->write([&](db::Session& session) -> Result<std::optional<SignedIn>> {
    AT_TRY(auto redeemed, links::redeem(session, link, now));
    if (!redeemed) return std::nullopt;
    AT_TRY(auto row, users::get(session, redeemed->tenant, redeemed->user));
    AT_TRY(auto in, impl_->start_session(session, redeemed->tenant, std::move(row.user), now));
    return in;
  });
  if (!answer) return std::unexpected(answer.error());
  if (!*answer) return refuse_credential("the sign-in link is unknown, used or expired", "ask for a new one");
  impl_->by_address.give_back(peer);
  return std::move(**answer);
}

Status Service::change_password(const Principal& principal, std::string_view old_password,
                                std::string_view new_password) {
  if (principal.kind != Kind::kUser) {
    return fail(ErrorCode::kPermissionDenied, "only a person who signed in has a password");
  }
  const UserId id{principal.subject};
  AT_TRY(check_password(new_password));
  AT_TRY(auto row, impl_->read([&](db::Session& session) { return users::get(session, principal.tenant, id); }));
  if (!row.password.empty()) {
    const auto key = user_key(principal.tenant, row.user.name);
    AT_TRY(impl_->by_user.take(key, impl_->clock.steady()));
    if (!impl_->matches(row.password, old_password)) {
      return fail(ErrorCode::kPermissionDenied, "the old password is wrong");
    }
    impl_->by_user.forgive(key);
  }
  AT_TRY(auto phc, impl_->hash(new_password));
  return impl_->revoking([&](db::Session& session, std::vector<Revocation>& made) -> Status {
    AT_TRY(auto stored, users::get(session, principal.tenant, id));
    if (stored.password != row.password) {
      return fail(ErrorCode::kConflict, "the password has been changed meanwhile");
    }
    AT_TRY(users::set_password(session, principal.tenant, id, phc));
    return impl_->end_sessions(session, principal.tenant, id, principal.session, made);
  });
}

}  // namespace atalaya::auth
