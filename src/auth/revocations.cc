#include "auth/revocations.h"

#include <mutex>

namespace atalaya::auth {
namespace {

std::string key(const TenantId& tenant, Revoked what, const std::string& id) {
  constexpr char kLetter[] = {'t', 's', 'u'};
  return tenant.value() + '/' + kLetter[static_cast<std::size_t>(what)] + '/' + id;
}

}  // namespace

Status Revocations::store(db::Session& session, const Revocation& revocation) {
  AT_TRY(
      session.execute("INSERT INTO auth_revocations(tenant, what, id, forget) VALUES(?, ?, ?, ?) "
                      "ON CONFLICT(tenant, what, id) DO UPDATE SET forget=excluded.forget",
                      {revocation.tenant.value(), static_cast<std::int64_t>(revocation.what), revocation.id,
                       to_ms(revocation.forget)}));
  return {};
}

void Revocations::add(const Revocation& revocation) {
  const std::unique_lock lock(mutex_);
  revoked_.insert_or_assign(key(revocation.tenant, revocation.what, revocation.id), revocation.forget);
}

Status Revocations::load(db::Session& session) {
  AT_TRY(auto rows, session.query("SELECT tenant, what, id, forget FROM auth_revocations"));
  for (const auto& row : rows) {
    const auto what = row.integer(1);
    if (what < 0 || what > 2) continue;  // of a later version
    add({TenantId{row.text(0)}, static_cast<Revoked>(what), row.text(2), from_ms(row.integer(3))});
  }
  return {};
}

Status Revocations::forget(db::Session& session, Time now) {
  AT_TRY(session.execute("DELETE FROM auth_revocations WHERE forget < ?", {to_ms(now)}));
  const std::unique_lock lock(mutex_);
  std::erase_if(revoked_, [&](const auto& entry) { return entry.second < now; });
  return {};
}

bool Revocations::contains(const Principal& principal) const {
  const std::shared_lock lock(mutex_);
  if (revoked_.empty()) return false;
  return revoked_.contains(key(principal.tenant, Revoked::kToken, principal.jti)) ||
         (!principal.session.empty() &&
          revoked_.contains(key(principal.tenant, Revoked::kSession, principal.session))) ||
         revoked_.contains(key(principal.tenant, Revoked::kSubject, principal.subject));
}

}  // namespace atalaya::auth
