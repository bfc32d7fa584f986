// Accounts and credentials: the one door that the API, the command line and the program go through.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/credentials.h"
#include "auth/principal.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "db/database.h"
#include "io/file_system.h"

namespace atalaya::auth {

struct User {
  UserId id;
  std::string name;
  Role role = Role::kViewer;
  Time created{};
  std::optional<Time> last_seen;  ///< last sign-in or renewal
  bool has_password = false;      ///< false until the first one is set after a sign-in link
};

/// What a person gets who signed in.
struct SignedIn {
  std::string access_token;
  std::string refresh_token;
  Duration expires_in{};  ///< of the access token
  TenantId tenant;
  User user;
};

struct Ticket {
  std::string ticket;
  Duration expires_in{};
};

/// A token for scripts, without its text: that is shown once, when it is made.
struct TokenInfo {
  std::string id;  ///< also its jti
  std::string name;
  Role role = Role::kViewer;
  Time created{};
  Time expires{};
  bool revoked = false;
};

struct NewToken {
  std::string token;  ///< the JWT
  TokenInfo info;
};

struct Enrolment {
  std::string token;  ///< `<random>.<fingerprint>`
  Time expires{};
};

struct NewAgent {
  AgentId id;
  std::string secret;
  TenantId tenant;
};

struct AccessToken {
  std::string token;
  Duration expires_in{};
};

/// An enrolled agent. Its id stays when it is renamed.
struct AgentInfo {
  AgentId id;
  std::string name;
  std::string version;
  Time created{};
  std::optional<Time> last_seen;  ///< last time it asked for a token
};

/// How long things last; what a caller may set is bounded by the `max_` fields.
struct Lifetimes {
  Duration access = std::chrono::minutes(15);
  Duration refresh = std::chrono::hours(24 * 30);  ///< since the last use
  Duration agent_access = std::chrono::minutes(10);
  Duration link = std::chrono::minutes(10);
  Duration ticket = std::chrono::seconds(30);
  Duration page = std::chrono::hours(12);
  Duration enrolment = std::chrono::hours(24);
  Duration max_enrolment = std::chrono::hours(24 * 30);
  Duration max_token = std::chrono::hours(24 * 3660);
};

/// Users, roles, sessions, tokens and agents of all tenants.
///
/// Operation: state is in the database; the signing key in DATA/keys/jwt.pem. A JWT is checked
/// against the key, the clock (30 s leeway) and the revocations, without touching the database.
/// A revocation holds from the moment the call that makes it returns.
/// Concurrency: thread-safe. sign_in, create_user and the password calls hash for about 50 ms.
/// Limits: verified tokens, tickets and failed sign-ins are kept in bounded tables.
/// Errors: unauthenticated for any credential that does not hold, without saying why to the asker
/// of a password; resource_exhausted when too many sign-ins failed. No secret is ever logged.
class Service {
 public:
  /// Creates tables and, in an empty data directory, the key. All references must outlive the service.
  static Result<std::unique_ptr<Service>> open(db::Database& database, io::FileSystem& files, const Clock& clock,
                                               const std::string& data_directory, Lifetimes lifetimes = {});
  ~Service();

  // Requests.
  /// Any JWT of ours from any carrier, with the X-Scope-OrgID check.
  Result<Principal> authenticate(const RequestView& request) const;
  Result<Principal> authenticate_token(std::string_view token) const;
  /// For connections that outlive a request: unauthenticated once the credential behind the principal
  /// has been revoked (not: expired; an open WebSocket may outlive its short token).
  Status still_valid(const Principal& principal) const;

  // Sessions of people. `address` is the peer's, for the limit on failures.
  Result<SignedIn> sign_in(const TenantId& tenant, std::string_view user, std::string_view password,
                           std::string_view address);
  /// Each refresh token works once. Using an old one ends the whole session: somebody else has a copy.
  Result<SignedIn> refresh(std::string_view refresh_token);
  /// Ends the session, its access tokens included. Unknown tokens are no error.
  Status sign_out(std::string_view refresh_token);
  /// One-time sign-in link for an existing user: the secret part of `/#/sign-in?link=…`.
  Result<std::string> create_link(const TenantId& tenant, std::string_view user);
  Result<SignedIn> sign_in_with_link(std::string_view link, std::string_view address);
  /// Single use, for a browser's WebSocket; for principals of kind user or token.
  Result<Ticket> create_ticket(const Principal& principal);
  Result<Principal> redeem_ticket(std::string_view ticket);
  /// For a browser's cookie under /p/: the pages of packages, as a viewer, and nothing else. Of a person who
  /// signed in; ends with that sign-in.
  Result<AccessToken> create_page_token(const Principal& principal) const;
  /// A token of create_page_token; `authenticate` refuses it, as this refuses every other.
  Result<Principal> authenticate_page(std::string_view token) const;
  /// The principal's own. `old_password` is ignored while none has been set. Other sessions end.
  Status change_password(const Principal& principal, std::string_view old_password, std::string_view new_password);

  // Users.
  /// If the tenant has no user yet, makes an admin called `name` who has no password: sign-in by link.
  Result<User> ensure_admin(const TenantId& tenant, std::string_view name = "admin");
  Result<std::vector<User>> users(const TenantId& tenant) const;  ///< by name
  Result<User> user(const TenantId& tenant, const UserId& id) const;
  /// already_exists if the name is taken. An empty password means: by link only.
  Result<User> create_user(const TenantId& tenant, std::string_view name, std::string_view password, Role role);
  Status set_role(const TenantId& tenant, const UserId& id, Role role);
  /// An administrator's reset; ends the user's sessions.
  Status set_password(const TenantId& tenant, const UserId& id, std::string_view password);
  /// conflict for the last admin of a tenant.
  Status delete_user(const TenantId& tenant, const UserId& id);

  // Tokens for scripts.
  Result<NewToken> create_token(const TenantId& tenant, std::string_view name, Role role, Duration ttl);
  Result<std::vector<TokenInfo>> tokens(const TenantId& tenant) const;  ///< newest first, expired ones left out
  Status revoke_token(const TenantId& tenant, std::string_view id);     ///< not_found if unknown

  // Agents.
  /// `fingerprint`: SHA-256 of the server's certificate in base64url, or "-" without TLS.
  Result<Enrolment> create_enrolment(const TenantId& tenant, std::string_view fingerprint,
                                     std::optional<Duration> ttl = std::nullopt, int uses = 1);
  /// Asked whether this tenant takes the agent, once the enrolment is known to hold; an error leaves the
  /// enrolment unused. Short: it runs within a transaction.
  using AdmitAgent = std::function<Status(const TenantId&)>;
  /// `enrolment` is the whole text or its part before the dot; `name` is that of a host.
  Result<NewAgent> enroll_agent(std::string_view enrolment, std::string_view name, std::string_view version,
                                std::string_view address, const AdmitAgent& admit = {});
  Result<AccessToken> agent_token(const AgentId& id, std::string_view secret, std::string_view address);
  Result<std::vector<AgentInfo>> agents(const TenantId& tenant) const;  ///< by name
  Status rename_agent(const TenantId& tenant, const AgentId& id, std::string_view name);
  /// Its credential and its tokens stop working at once.
  Status delete_agent(const TenantId& tenant, const AgentId& id);

  /// Public keys as a JWK set, for `token verify --jwks` and other verifiers.
  std::string jwks() const;
  /// Call every few seconds: forgets what has expired and picks up revocations made by another process
  /// on the same data directory (`atalaya token revoke`).
  Status maintain();

 private:
  struct Impl;
  explicit Service(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The principal of every request when `--insecure-no-auth` was given.
Principal everybody_is_admin(const TenantId& tenant);

}  // namespace atalaya::auth
