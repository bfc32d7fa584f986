// Sign-ins of people and the refresh tokens that carry them on.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "db/database.h"

namespace atalaya::auth::sessions {

/// More sign-ins of one user end the one that was used least recently.
constexpr int kMaxPerUser = 100;

struct Session {
  TenantId tenant;
  std::string id;
  UserId user;
};

struct Started {
  std::string id;
  std::string refresh_token;
};

Result<Started> start(db::Session& session, const TenantId& tenant, const UserId& user, Time now, Duration lifetime);

/// The answer to a shown refresh token.
struct Rotation {
  Session session;
  std::string refresh_token;  ///< the next one
  bool reused = false;        ///< the token was an old one: the session has been ended
};
/// Empty if the token is unknown or its session has expired.
Result<std::optional<Rotation>> rotate(db::Session& session, std::string_view refresh_token, Time now,
                                       Duration lifetime);

/// The session of a refresh token, current or old.
Result<std::optional<Session>> find(db::Session& session, std::string_view refresh_token);
Status end(db::Session& session, const Session& ended);
/// Ends all sessions of a user but `except`, and returns their ids.
Result<std::vector<std::string>> end_all(db::Session& session, const TenantId& tenant, const UserId& user,
                                         std::string_view except = {});
Status forget_expired(db::Session& session, Time now);

}  // namespace atalaya::auth::sessions
