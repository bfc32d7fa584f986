// Who is asking, as every route sees it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"

namespace atalaya::auth {

/// Ordered from kViewer on: each may do what those before it may. An agent has none. kIngest, for programs alone, may
/// send samples, alerts, heartbeats and results of checks and nothing else: it reads nothing, and a viewer sends
/// nothing.
enum class Role : std::uint8_t { kNone, kIngest, kViewer, kOperator, kAdmin };

/// What sort of credential was shown.
enum class Kind : std::uint8_t {
  kUser,    ///< a person who signed in
  kToken,   ///< a program with a token made for it
  kAgent,   ///< a node's agent; may use agent routes and nothing else
  kTicket,  ///< a person's browser on a WebSocket
  kPage,    ///< a person's browser on the pages of packages; opens nothing else
};

/// `none`, `ingest`, `viewer`, `operator`, `admin`.
std::string_view name(Role role);
/// Without `none`: what a token may have.
Result<Role> parse_role(std::string_view text);
std::string_view name(Kind kind);
Result<Kind> parse_kind(std::string_view text);

/// The verified content of a credential. The tenant comes from here and from nowhere else.
struct Principal {
  TenantId tenant;
  std::string subject;  ///< id of the user, token or agent
  std::string name;     ///< for people to read
  Role role = Role::kNone;
  Kind kind = Kind::kUser;
  std::string jti;      ///< id of this very JWT
  std::string session;  ///< the sign-in it belongs to; "" for tokens and agents
  Time issued{};
  Time expires{};

  bool operator==(const Principal&) const = default;
};

/// permission_denied unless the principal is a person or program of at least `role`.
Status require(const Principal& principal, Role role);
/// permission_denied unless the principal may send samples, alerts and the like: ingest, or from operator on.
Status require_ingest(const Principal& principal);
/// permission_denied unless the principal is an agent.
Status require_agent(const Principal& principal);

}  // namespace atalaya::auth
