// Credentials that were taken back before their time.
#pragma once

#include <shared_mutex>
#include <string>
#include <unordered_map>

#include "auth/principal.h"
#include "base/time.h"
#include "db/database.h"

namespace atalaya::auth {

/// What is revoked: one token, one session, or whatever belongs to one user or agent.
enum class Revoked : std::uint8_t { kToken, kSession, kSubject };

/// One revocation; forgotten once everything that it could hit has expired.
struct Revocation {
  TenantId tenant;
  Revoked what = Revoked::kToken;
  std::string id;
  Time forget{};
};

/// The set in memory is what requests are checked against; the database keeps it over a restart and
/// carries it between processes. Order: `store` in the transaction, `add` after its commit. Thread-safe.
class Revocations {
 public:
  static Status store(db::Session& session, const Revocation& revocation);
  void add(const Revocation& revocation);
  /// Adds every stored one.
  Status load(db::Session& session);
  /// Forgets, here and in the database.
  Status forget(db::Session& session, Time now);
  bool contains(const Principal& principal) const;

 private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, Time> revoked_;
};

}  // namespace atalaya::auth
