// The list of tokens made for scripts; their text is not kept.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auth/service.h"

namespace atalaya::auth::script_tokens {

Status insert(db::Session& session, const TenantId& tenant, const TokenInfo& token);
Result<std::vector<TokenInfo>> list(db::Session& session, const TenantId& tenant, Time now);
/// Marks it; not_found if unknown.
Result<TokenInfo> revoke(db::Session& session, const TenantId& tenant, std::string_view id);
Status forget_expired(db::Session& session, Time now);

}  // namespace atalaya::auth::script_tokens
