#include "app/entities.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "api/doors.h"

namespace atalaya::app {
namespace {

constexpr std::string_view kPages = "pages";

/// Where the items of a section are to be reached.
std::string address_of(std::string_view section, const std::string& package) {
  return section == kPages ? "/p/" + package : fmt::format("{}/rpc/{}", api::kPrefix, package);
}

}  // namespace

Entities::Entities(packages::Service& packages, registry::Hosts& hosts, registry::Items& items)
    : packages_(packages), hosts_(hosts), items_(items) {
  hosts.subscribe([this](const registry::HostChange& change) {
    const std::lock_guard lock(mutex_);
    publish_host(change.host.tenant, change.host.name, packages_.collectors(change.host.tenant));
  });
  packages.subscribe({.collectors = [this](std::uint64_t) { publish_hosts(); },
                      .packages = [this](const TenantId& tenant,
                                         const std::set<std::string>& names) { publish_routes(tenant, names); }});
}

/// As it is now, whatever was told: changes may overtake one another on the way here.
void Entities::publish_host(const TenantId& tenant, const std::string& name,
                            const std::vector<packages::CollectorItem>& collectors) {
  const auto host = hosts_.find_by_name(tenant, name);
  if (!host) return items_.remove(tenant, registry::kHosts, name);
  registry::Item item;
  item.id = name;
  item.tenant = tenant;
  item.kind = registry::kHosts;
  item.title = name;
  item.origin = {.kind = registry::Origin::Kind::kAgent, .who = host->id.value(), .at = host->created};
  for (const auto& collector : collectors) {
    if (collector.on.matches(name)) item.links.push_back(collector.id);
  }
  items_.put(std::move(item));
}

void Entities::publish_hosts() {
  const std::lock_guard lock(mutex_);
  std::map<TenantId, std::vector<packages::CollectorItem>> collectors;
  for (const auto& host : hosts_.all()) {
    const auto [of, is_new] = collectors.try_emplace(host.tenant);
    if (is_new) of->second = packages_.collectors(host.tenant);
    publish_host(host.tenant, host.name, of->second);
  }
}

void Entities::publish_routes(const TenantId& tenant, const std::set<std::string>& packages) {
  for (const auto section : {kPages, std::string_view("rpc")}) {
    std::map<std::string, std::vector<registry::Item>> routes;
    std::set<std::string> seen;
    for (const auto& name : packages) routes[name];
    for (const auto& found : packages_.items(tenant, section)) {
      const auto& package = found.package->name;
      const auto of = routes.find(package);
      if (of == routes.end()) continue;
      const auto path = found.item->id.substr(package.size());
      registry::Item route{.id = address_of(section, package) + path,
                           .tenant = tenant,
                           .kind = std::string(registry::kRoutes),
                           .package = package,
                           .title = found.item->title,
                           .links = {found.item->id},
                           .origin = {.place = found.item->origin}};
      of->second.push_back(route);
      // Without its group; where several groups have such a page, the first is shown there.
      route.id = address_of(section, package) + path.substr(path.find('/', 1));
      if (section == kPages && seen.insert(route.id).second) of->second.push_back(std::move(route));
    }
    for (auto& [name, list] : routes) items_.replace(tenant, address_of(section, name), std::move(list));
  }
}

}  // namespace atalaya::app
