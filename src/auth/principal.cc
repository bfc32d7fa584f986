#include "auth/principal.h"

#include <fmt/format.h>

#include <array>

namespace atalaya::auth {
namespace {

constexpr std::array<std::string_view, 5> kRoles{"none", "ingest", "viewer", "operator", "admin"};
constexpr std::array<std::string_view, 5> kKinds{"user", "token", "agent", "ticket", "page"};

}  // namespace

std::string_view name(Role role) { return kRoles[static_cast<std::size_t>(role)]; }

Result<Role> parse_role(std::string_view text) {
  for (std::size_t i = 1; i < kRoles.size(); ++i) {
    if (kRoles[i] == text) return static_cast<Role>(i);
  }
  return fail(ErrorCode::kInvalidArgument, fmt::format("'{}' is not a role", text.substr(0, 64)),
              "use ingest, viewer, operator or admin");
}

std::string_view name(Kind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

Result<Kind> parse_kind(std::string_view text) {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (kKinds[i] == text) return static_cast<Kind>(i);
  }
  return fail(ErrorCode::kInvalidArgument, fmt::format("'{}' is not a kind of credential", text.substr(0, 64)));
}

Status require(const Principal& principal, Role role) {
  if (principal.kind == Kind::kAgent) {
    return fail(ErrorCode::kPermissionDenied, "an agent's credential is for the agent's own connection only");
  }
  if (principal.role < role) {
    return fail(ErrorCode::kPermissionDenied,
                fmt::format("this needs the role {}; '{}' is {}", name(role), principal.name, name(principal.role)));
  }
  return {};
}

Status require_ingest(const Principal& principal) {
  if (principal.kind == Kind::kAgent || principal.role >= Role::kOperator) return require(principal, Role::kOperator);
  if (principal.role == Role::kIngest) return {};
  return fail(
      ErrorCode::kPermissionDenied,
      fmt::format("writing needs the role ingest, operator or admin; '{}' is {}", principal.name, name(principal.role)),
      "make a token: atalaya token create --role ingest");
}

Status require_agent(const Principal& principal) {
  if (principal.kind == Kind::kAgent) return {};
  return fail(ErrorCode::kPermissionDenied, "only an enrolled agent may do this", "enrol this machine");
}

}  // namespace atalaya::auth
