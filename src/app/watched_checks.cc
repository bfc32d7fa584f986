#include "app/watched_checks.h"

#include <algorithm>
#include <memory>

namespace atalaya::app {

rules::Watched watched_checks(CollectorsOfTenants collectors) {
  for (auto& [tenant, items] : collectors) {
    std::erase_if(items, [](const auto& item) { return !item.is_check(); });
  }
  auto known = std::make_shared<const CollectorsOfTenants>(std::move(collectors));
  return [known = std::move(known)](const TenantId& tenant, const Labels& labels) {
    if (labels.get("job") != "check" || !labels.has("check")) return true;
    const auto found = known->find(tenant);
    if (found == known->end()) return true;
    return std::ranges::any_of(found->second, [&](const packages::CollectorItem& item) {
      // Agents say of a check the last part of its id.
      return item.type == labels.get("type") && item.id.substr(item.id.rfind('/') + 1) == labels.get("check") &&
             item.on.matches(labels.get("instance"));
    });
  };
}

}  // namespace atalaya::app
