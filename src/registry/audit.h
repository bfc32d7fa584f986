// Who did what: the log that people are answered from.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "db/database.h"

namespace atalaya::registry {

struct AuditOptions {
  Duration keep{std::chrono::days{365}};
  std::int64_t most = 1'000'000;  ///< entries of one tenant
  /// How many entries come between two looks at what is too old or too many.
  std::uint64_t prune_every = 500;
};

struct AuditEntry {
  std::int64_t id = 0;  ///< grows by one within a tenant
  Time at{};
  std::string who;     ///< name of the person, "token <name>", or "" for the program itself
  std::string action;  ///< "procedure.call", "package.change"
  std::string object;  ///< id of what it was done to
  std::string detail;

  bool operator==(const AuditEntry&) const = default;
};

/// A table of the database; entries are never changed, and go when they are older than a year or a tenant
/// has more than a million. Texts are cut: who 256 bytes, action 64, object 512, detail 4096. Thread-safe.
class Audit {
 public:
  /// Makes the table if it is absent.
  static Result<std::unique_ptr<Audit>> open(db::Database& database, AuditOptions options = {});

  /// Durable when it returns. `entry.id` does not matter. Returns the id.
  Result<std::int64_t> add(const TenantId& tenant, const AuditEntry& entry);
  /// The newest first; `before`: only ids below it.
  Result<std::vector<AuditEntry>> list(const TenantId& tenant, std::size_t limit,
                                       std::optional<std::int64_t> before = std::nullopt);

 private:
  Audit(db::Database& database, AuditOptions options) : database_(database), options_(options) {}
  Status prune(db::Session& session, const TenantId& tenant, Time now) const;
  bool prune_is_due();

  db::Database& database_;
  const AuditOptions options_;
  std::mutex mutex_;
  std::uint64_t added_ = 0;
};

}  // namespace atalaya::registry
