// What packages and hosts say of incidents, handed to the control loop.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>

#include "control/runner.h"
#include "packages/service.h"
#include "registry/items.h"

namespace atalaya::app {

/// Looks anew at a tenant when its packages change, and within a second of a change of its hosts. Thread-safe.
class IncidentSettings {
 public:
  /// All outlive it.
  IncidentSettings(const packages::Service& packages, registry::Items& items, control::Runner& control);

  void packages_changed(const TenantId& tenant);
  /// To be called about every second.
  void tick();

 private:
  void apply(const TenantId& tenant);

  const packages::Service& packages_;
  const registry::Items& items_;
  control::Runner& control_;
  std::mutex mutex_;
  std::set<TenantId> changed_;               ///< guarded by mutex_
  std::mutex apply_mutex_;                   ///< held from looking to having posted
  std::map<TenantId, std::string> applied_;  ///< guarded by apply_mutex_
};

}  // namespace atalaya::app
