// Hosts and routes in the registry: what owns them publishes its items itself; these have owners that know none.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "packages/service.h"
#include "registry/hosts.h"
#include "registry/items.h"

namespace atalaya::app {

/// Keeps two kinds of entities true:
///   hosts    id: the host's name; links: the collectors that run on it; origin: its agent
///   routes   id: `/p/<package>/<path>` of a page (with its group and without), `/api/atalaya/v1/rpc/<package>/<path>`
///   of a procedure; links:
///            the item; origin: that of the item
/// Subscribes when it is made, before anything is loaded; borrows all, which outlive it. Thread-safe.
class Entities {
 public:
  Entities(packages::Service& packages, registry::Hosts& hosts, registry::Items& items);

 private:
  void publish_host(const TenantId& tenant, const std::string& name,
                    const std::vector<packages::CollectorItem>& collectors);
  void publish_hosts();
  void publish_routes(const TenantId& tenant, const std::set<std::string>& packages);

  packages::Service& packages_;
  registry::Hosts& hosts_;
  registry::Items& items_;
  std::mutex mutex_;  ///< held from looking at a host to having published it
};

}  // namespace atalaya::app
