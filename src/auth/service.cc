#include "auth/service.h"

#include <fmt/format.h>

#include <algorithm>

#include "auth/agents.h"
#include "auth/digest.h"
#include "auth/links.h"
#include "auth/schema.h"
#include "auth/script_tokens.h"
#include "auth/service_impl.h"
#include "base/random.h"

namespace atalaya::auth {

std::unexpected<Error> refuse_credential(std::string message, std::string remedy) {
  return fail(ErrorCode::kUnauthenticated, std::move(message), std::move(remedy));
}

Revocation Service::Impl::revocation(const TenantId& tenant, Revoked what, std::string id) const {
  const auto longest = std::max({lifetimes.access, lifetimes.agent_access, lifetimes.page});
  return {tenant, what, std::move(id), now() + longest + 2 * kLeeway};
}

Status Service::Impl::revoking(const Revoking& work) {
  std::vector<Revocation> made;
  const auto status = database.write([&](db::Session& session) -> Status {
    AT_TRY(work(session, made));
    for (const auto& one : made) AT_TRY(Revocations::store(session, one));
    return {};
  });
  if (!status) return status;
  for (const auto& one : made) revocations.add(one);
  return {};
}

Status Service::Impl::end_sessions(db::Session& session, const TenantId& tenant, const UserId& user,
                                   std::string_view except, std::vector<Revocation>& made) const {
  AT_TRY(auto ids, sessions::end_all(session, tenant, user, except));
  for (auto& id : ids) made.push_back(revocation(tenant, Revoked::kSession, std::move(id)));
  return {};
}

Service::Service(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Service::~Service() = default;

Result<std::unique_ptr<Service>> Service::open(db::Database& database, io::FileSystem& files, const Clock& clock,
                                               const std::string& data_directory, Lifetimes lifetimes) {
  AT_TRY(database.migrate(migrations()));
  AT_TRY(auto key, SigningKey::load_or_create(files, data_directory + "/keys/jwt.pem"));
  auto impl = std::make_unique<Impl>(database, clock, lifetimes, std::move(key));
  std::unique_ptr<Service> service(new Service(std::move(impl)));
  AT_TRY(service->maintain());
  return service;
}

Result<Principal> Service::authenticate(const RequestView& request) const {
  AT_TRY(auto token, extract_token(request));
  AT_TRY(auto principal, authenticate_token(token));
  AT_TRY(check_tenant_header(request, principal));
  return principal;
}

Result<Principal> Service::authenticate_token(std::string_view token) const {
  const auto hash = sha256(token);
  const auto now = impl_->now();
  if (const auto known = impl_->verified.find(hash)) {
    AT_TRY(check_times(*known, now));
    AT_TRY(still_valid(*known));
    return *known;
  }
  AT_TRY(auto principal, impl_->jwt.verify(token, now));
  AT_TRY(still_valid(principal));
  impl_->verified.put(hash, principal);
  return principal;
}

Status Service::still_valid(const Principal& principal) const {
  if (!impl_->revocations.contains(principal)) return {};
  return refuse_credential("the credential has been revoked", "sign in again, or create a new token");
}

Result<Ticket> Service::create_ticket(const Principal& principal) {
  if (principal.kind != Kind::kUser && principal.kind != Kind::kToken) {
    return fail(ErrorCode::kPermissionDenied, "only a person or a script may ask for a WebSocket ticket");
  }
  AT_TRY(auto ticket, impl_->tickets.create(principal, impl_->clock.steady()));
  return Ticket{std::move(ticket), impl_->lifetimes.ticket};
}

Result<AccessToken> Service::create_page_token(const Principal& principal) const {
  if (principal.kind != Kind::kUser || principal.session.empty()) {
    return fail(ErrorCode::kPermissionDenied, "only a person who signed in may open pages in a browser");
  }
  auto viewer = principal;
  viewer.kind = Kind::kPage;
  viewer.role = Role::kViewer;
  viewer.jti = random_uuid();
  viewer.issued = impl_->now();
  viewer.expires = viewer.issued + impl_->lifetimes.page;
  return AccessToken{impl_->jwt.mint(viewer), impl_->lifetimes.page};
}

Result<Principal> Service::authenticate_page(std::string_view token) const {
  AT_TRY(auto principal, impl_->jwt.verify(token, impl_->now(), kPageAudience));
  AT_TRY(still_valid(principal));
  return principal;
}

Result<Principal> Service::redeem_ticket(std::string_view ticket) {
  AT_TRY(auto principal, impl_->tickets.redeem(ticket, impl_->clock.steady()));
  AT_TRY(still_valid(principal));
  return principal;
}

std::string Service::jwks() const { return fmt::format(R"({{"keys":[{}]}})", impl_->jwt.key().public_jwk()); }

Status Service::maintain() {
  const auto now = impl_->now();
  AT_TRY(impl_->database.read([&](db::Session& session) { return impl_->revocations.load(session); }));
  // A transaction that finds nothing to delete costs no sync.
  return impl_->database.write([&](db::Session& session) -> Status {
    AT_TRY(sessions::forget_expired(session, now));
    AT_TRY(links::forget_expired(session, now));
    AT_TRY(script_tokens::forget_expired(session, now - kLeeway));
    AT_TRY(agents::forget_expired_enrolments(session, now));
    return impl_->revocations.forget(session, now);
  });
}

Principal everybody_is_admin(const TenantId& tenant) {
  Principal principal;
  principal.tenant = tenant;
  principal.subject = "anonymous";
  principal.name = "anonymous";
  principal.role = Role::kAdmin;
  principal.kind = Kind::kUser;
  principal.jti = "anonymous";
  principal.expires = kMaxTime;
  return principal;
}

}  // namespace atalaya::auth
