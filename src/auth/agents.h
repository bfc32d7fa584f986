// Enrolment of agents, and the credentials that they get by it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/service.h"

namespace atalaya::auth::agents {

/// Returns the random part of the enrolment's text.
Result<std::string> create_enrolment(db::Session& session, const TenantId& tenant, Time expires, int uses);
/// Takes one use. Empty if the enrolment is unknown, used up or expired.
Result<std::optional<TenantId>> use_enrolment(db::Session& session, std::string_view random, Time now);
Status forget_expired_enrolments(db::Session& session, Time now);

/// Makes the credential; the secret is returned once and kept hashed.
Result<NewAgent> create(db::Session& session, const TenantId& tenant, std::string_view name, std::string_view version,
                        Time now);

struct Found {
  TenantId tenant;
  std::string name;
  std::string secret_hash;
};
Result<std::optional<Found>> find(db::Session& session, const AgentId& id);
Result<std::vector<AgentInfo>> list(db::Session& session, const TenantId& tenant);
Status seen(db::Session& session, const TenantId& tenant, const AgentId& id, Time now);
/// Both: not_found if the tenant has no such agent.
Status rename(db::Session& session, const TenantId& tenant, const AgentId& id, std::string_view name);
Status remove(db::Session& session, const TenantId& tenant, const AgentId& id);

}  // namespace atalaya::auth::agents
