#include "app/incident_settings.h"

#include "incidents/machine.h"
#include "packages/incidents.h"
#include "telemetry/log.h"

namespace atalaya::app {

IncidentSettings::IncidentSettings(const packages::Service& packages, registry::Items& items, control::Runner& control)
    : packages_(packages), items_(items), control_(control) {
  items.subscribe([this](const registry::ItemChange& change) {
    if (change.item.kind != registry::kHosts) return;
    const std::lock_guard lock(mutex_);
    changed_.insert(change.item.tenant);
  });
}

void IncidentSettings::packages_changed(const TenantId& tenant) { apply(tenant); }

void IncidentSettings::tick() {
  std::set<TenantId> changed;
  {
    const std::lock_guard lock(mutex_);
    changed.swap(changed_);
  }
  for (const auto& tenant : changed) apply(tenant);
}

void IncidentSettings::apply(const TenantId& tenant) {
  const std::lock_guard lock(apply_mutex_);
  auto text = incidents::write_settings(packages::incident_settings(packages_, items_, tenant));
  const auto known = applied_.find(tenant);
  if (known != applied_.end() && known->second == text) return;
  auto posted = control_.post_wait({tenant, incidents::ConfigureIncidents{text}, {}, {}});
  if (!posted) {
    telemetry::log_warn("incidents", "settings are not taken",
                        {{"tenant", tenant.value()}, {"reason", to_string(posted.error())}});
    return;
  }
  applied_[tenant] = std::move(text);
}

}  // namespace atalaya::app
