// One-time sign-in links.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/time.h"
#include "db/database.h"

namespace atalaya::auth::links {

struct Redeemed {
  TenantId tenant;
  UserId user;
};

Result<std::string> create(db::Session& session, const TenantId& tenant, const UserId& user, Time expires);
/// Uses the link up. Empty if it is unknown, used or expired.
Result<std::optional<Redeemed>> redeem(db::Session& session, std::string_view link, Time now);
Status forget_expired(db::Session& session, Time now);

}  // namespace atalaya::auth::links
