// The hosts of all tenants: who is enrolled, who is up.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "db/database.h"
#include "registry/host.h"

namespace atalaya::registry {

struct HostsOptions {
  /// Silence after which a host is down.
  Duration down_after{std::chrono::seconds{15}};
  /// How often `last_seen` is written to the database; a crash forgets at most this much of it.
  Duration flush_every{std::chrono::seconds{30}};
};

struct HostChange {
  enum class What : std::uint8_t { kAdded, kChanged, kRemoved };
  std::uint64_t revision = 0;  ///< grows by one a change
  What what = What::kChanged;
  Host host;
};
using HostListener = std::function<void(const HostChange&)>;

/// Index of hosts in memory over a table of the database. A change is in the database before it is
/// told, except `last_seen` and what follows from it (up, down), which are flushed lazily.
/// Thread-safe; listeners are called on the changing thread, one at a time, in order of revision, and
/// must not call back into changing functions.
class Hosts {
 public:
  /// Reads the table (made if absent). Everybody heard of before starts as down.
  static Result<std::unique_ptr<Hosts>> open(db::Database& database, HostsOptions options = {});

  /// A new agent has its credential. A host of that name is taken over: it keeps its history of
  /// being created, gets the new id, and the id that it replaces is returned in `replaced`.
  struct Enrolled {
    Host host;
    std::optional<AgentId> replaced;
  };
  Result<Enrolled> enrolled(const TenantId& tenant, const AgentId& id, const std::string& host_name,
                            const std::string& version, Time now);
  /// The agent said hello. not_found when it was removed meanwhile: refuse the connection.
  Status connected(const AgentId& id, const std::string& version, std::map<std::string, std::string> facts, Time now);
  /// Something durable arrived from it. Cheap: no database. Unknown ids are ignored.
  void seen(const AgentId& id, Time now);
  /// not_found if it is not (any more) a host of this tenant.
  Status remove(const TenantId& tenant, const AgentId& id);

  /// Notices silence and flushes. Call about once a second.
  Status tick(Time now);
  /// Writes every `last_seen` now: before the process ends.
  Status flush();

  std::vector<Host> list(const TenantId& tenant) const;  ///< by name
  std::vector<Host> all() const;
  std::optional<Host> find(const AgentId& id) const;
  std::optional<Host> find_by_name(const TenantId& tenant, std::string_view host_name) const;

  void subscribe(HostListener listener);

 private:
  Hosts(db::Database& database, HostsOptions options) : database_(database), options_(options) {}
  Status load();
  void tell(HostChange::What what, const Host& host);

  db::Database& database_;
  const HostsOptions options_;

  // Guarded by mutex_.
  struct Entry {
    Host host;
    bool unflushed = false;
  };
  std::unordered_map<AgentId, Entry> hosts_;
  std::vector<HostListener> listeners_;
  std::uint64_t revision_ = 0;
  Time last_flush_ = kMinTime;
  mutable std::mutex mutex_;

  /// Held by who changes, so that the database, memory and listeners see changes in one order. Taken
  /// before mutex_.
  std::mutex change_mutex_;
};

}  // namespace atalaya::registry
