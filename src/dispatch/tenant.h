// What a tenant's routing remembers: for the library's own sources.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "dispatch/machine.h"
#include "dispatch/rows.h"

namespace atalaya::dispatch {

struct Machine::Tenant {
  /// Alerts of ours with one label set.
  struct Behind {
    std::vector<AlertId> open;
    AlertId last;  ///< when none is open: the one that ended last
  };

  StoredConfiguration stored;
  routing::ConfigPtr config;  ///< null: the built-in route acts, and nothing below is used
  std::optional<routing::Machine> machine;
  ChangeLog changes;
  std::unordered_map<Labels, Behind> behind;
  std::map<std::string, routing::NotificationKey> awaited;  ///< by the delivery's key
  std::map<AlertId, routing::Silence> shelved;
  std::map<AlertId, routing::Silence> withheld;  ///< what they depend on is down, or may be
  std::set<AlertId> acknowledged;                ///< open ones, or their incident is
  std::optional<Time> timer;                     ///< as it stands in its row
  bool timer_known = false;

  // Of the event under way.
  std::vector<routing::Alert> gathered;
  std::unordered_map<Labels, std::size_t> gathered_at;
  bool silences_differ = false;

  AlertId id_of(const Labels& labels) const;
  /// As routing will know it; null for an unknown one.
  const routing::Alert* known(const Labels& labels) const;
  void gather(routing::Alert alert);
  /// False if nothing became different.
  bool note_shelf(const alerts::Alert& alert);
  bool note_withheld(const alerts::Alert& alert);
  void note_acknowledged(const alerts::Alert& alert);
  void note(const alerts::Alert& alert, Time now);
};

/// Alerts that routing must know of, and those that are shelved or withheld.
Result<std::vector<alerts::Alert>> load_open_alerts(db::Session& session, const TenantId& tenant);
/// The silences of the tenant's rows as routing takes them.
Result<std::vector<routing::Silence>> load_routing_silences(db::Session& session, const TenantId& tenant);

/// An event of one tenant's routing. Holds the arguments that every function needs; lives as long as the call.
class Machine::Step {
 public:
  Step(Machine& machine, const TenantId& id, Tenant& tenant, Time now, db::Session& session, control::Effects& effects)
      : machine_(machine), id_(id), tenant_(tenant), now_(now), session_(session), effects_(effects) {}

  Status configure(const Configure& configure);
  /// Gives routing what was gathered.
  Status act();
  Status advance();
  Status answered(const routing::NotificationKey& key, bool sent);

 private:
  Status start(StoredConfiguration stored, routing::ConfigPtr config);
  Status stop();
  Result<std::vector<routing::Silence>> silences();
  /// Rows, timer, deliveries.
  Status store(std::vector<routing::Notification> notifications);
  Status set_timer();
  Status deliver(const routing::Notification& notification);
  Result<alerts::Alert> alert_behind(const Labels& labels);

  Machine& machine_;
  const TenantId& id_;
  Tenant& tenant_;
  Time now_;
  db::Session& session_;
  control::Effects& effects_;
  std::map<AlertId, alerts::Alert> read_;
};

}  // namespace atalaya::dispatch
