// Routes of packages: what there is, why it is so, and every change to it.
#pragma once

#include <functional>

#include "api/doors.h"
#include "api/json.h"
#include "base/time.h"
#include "packages/service.h"
#include "registry/audit.h"
#include "registry/items.h"

namespace atalaya::api {

struct PackageServices {
  packages::Service& packages;
  registry::Items& items;
  /// Public keys (PEM) whose archives are taken; empty: unsigned ones are taken too.
  std::vector<std::string> trusted_keys = {};
  /// Where changes are noted, and by which clock; null: nowhere.
  registry::Audit* audit = nullptr;
  const Clock* clock = nullptr;
  /// How the programs of the package's own sections fared: [{section, state, at, entities, error}].
  std::function<json::array(const TenantId&, const std::string& package)> processed = {};
};

void add_package_routes(Doors& doors, PackageServices services);
/// Changes, drafts, history, archives.
void add_package_change_routes(Doors& doors, PackageServices services);
/// GET ~/dashboards, ~/dashboards/{id…}, ~/items, ~/schemas.
void add_item_routes(Doors& doors, PackageServices services);

}  // namespace atalaya::api
