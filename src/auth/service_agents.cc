// Enrolment and credentials of agents.
#include <fmt/format.h>

#include "auth/agents.h"
#include "auth/digest.h"
#include "auth/names.h"
#include "auth/service_impl.h"
#include "base/random.h"
#include "telemetry/log.h"

namespace atalaya::auth {
namespace {

constexpr int kMaxUses = 100000;

}  // namespace

Result<Enrolment> Service::create_enrolment(const TenantId& tenant, std::string_view fingerprint,
                                            std::optional<Duration> ttl, int uses) {
  if (!is_valid(tenant)) return fail(ErrorCode::kInvalidArgument, "that is no tenant id");
  const auto lifetime = ttl.value_or(impl_->lifetimes.enrolment);
  if (lifetime < std::chrono::seconds(1) || lifetime > impl_->lifetimes.max_enrolment) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("an enrolment cannot last {}", format_duration(lifetime)),
                fmt::format("use 1s to {}", format_duration(impl_->lifetimes.max_enrolment)));
  }
  if (uses < 1 || uses > kMaxUses) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("an enrolment cannot have {} uses", uses),
                fmt::format("use 1 to {}", kMaxUses));
  }
  const auto expires = impl_->now() + lifetime;
  AT_TRY(auto random,
         impl_->write([&](db::Session& session) { return agents::create_enrolment(session, tenant, expires, uses); }));
  return Enrolment{fmt::format("{}.{}", random, fingerprint), expires};
}

Result<NewAgent> Service::enroll_agent(std::string_view enrolment, std::string_view name, std::string_view version,
                                       std::string_view address, const AdmitAgent& admit) {
  AT_TRY(check_host_name(name));
  if (!version.empty()) AT_TRY(check_display_name("an agent's version", version));
  const std::string peer(address);
  AT_TRY(impl_->by_address.take(peer, impl_->clock.steady()));
  const auto random = enrolment.substr(0, enrolment.find('.'));
  const auto now = impl_->now();
  auto made = impl_->write([&](db::Session& session) -> Result<std::optional<NewAgent>> {
    AT_TRY(auto tenant, agents::use_enrolment(session, random, now));
    if (!tenant) return std::nullopt;
    if (admit) {
      if (auto admitted = admit(*tenant); !admitted) {
        impl_->by_address.give_back(peer);
        return std::unexpected(admitted.error());
      }
    }
    AT_TRY(auto agent, agents::create(session, *tenant, name, version, now));
    return agent;
  });
  if (!made) return std::unexpected(made.error());
  if (!*made) {
    return refuse_credential("the enrolment token is unknown, used or expired", "create a new one on the server");
  }
  impl_->by_address.give_back(peer);
  const NewAgent& agent = **made;
  telemetry::log_info("auth", "agent enrolled",
                      {{"tenant", agent.tenant.value()}, {"agent", agent.id.value()}, {"name", name}});
  return agent;
}

Result<AccessToken> Service::agent_token(const AgentId& id, std::string_view secret, std::string_view address) {
  const std::string peer(address);
  AT_TRY(impl_->by_address.take(peer, impl_->clock.steady()));
  AT_TRY(auto found, impl_->read([&](db::Session& session) { return agents::find(session, id); }));
  if (!found || !equal_in_constant_time(found->secret_hash, hash_secret(secret))) {
    return refuse_credential("the agent's credential is unknown or was deleted", "enrol the agent again");
  }
  impl_->by_address.give_back(peer);
  const auto now = impl_->now();
  // Fails if the agent was deleted since it was read: then no token may come out.
  auto seen =
      impl_->database.write([&](db::Session& session) { return agents::seen(session, found->tenant, id, now); });
  if (!seen) return std::unexpected(seen.error());
  Principal principal;
  principal.tenant = found->tenant;
  principal.subject = id.value();
  principal.name = found->name;
  principal.kind = Kind::kAgent;
  principal.jti = random_uuid();
  principal.issued = now;
  principal.expires = now + impl_->lifetimes.agent_access;
  return AccessToken{impl_->jwt.mint(principal), impl_->lifetimes.agent_access};
}

Result<std::vector<AgentInfo>> Service::agents(const TenantId& tenant) const {
  return impl_->read([&](db::Session& session) { return agents::list(session, tenant); });
}

Status Service::rename_agent(const TenantId& tenant, const AgentId& id, std::string_view name) {
  AT_TRY(check_host_name(name));
  return impl_->database.write([&](db::Session& session) { return agents::rename(session, tenant, id, name); });
}

Status Service::delete_agent(const TenantId& tenant, const AgentId& id) {
  return impl_->revoking([&](db::Session& session, std::vector<Revocation>& made) -> Status {
    made.push_back(impl_->revocation(tenant, Revoked::kSubject, id.value()));
    return agents::remove(session, tenant, id);
  });
}

}  // namespace atalaya::auth
