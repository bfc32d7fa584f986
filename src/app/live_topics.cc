#include "app/live_topics.h"

#include "alerts/machine.h"
#include "alerts/queries.h"
#include "alerts/silence.h"
#include "dispatch/machine.h"
#include "incidents/machine.h"
#include "incidents/queries.h"

namespace atalaya::app {

void tell_browsers(control::Loop& loop, api::LiveHub& live) {
  loop.listen<alerts::AlertChanged>([&live](const TenantId& tenant, const alerts::AlertChanged& changed) {
    if (!live.has_listeners(tenant, "alerts")) return;
    live.publish(tenant, "alerts", "alert", boost::json::serialize(alerts::to_json(changed.alert)));
  });
  loop.listen<incidents::IncidentChanged>([&live](const TenantId& tenant, const incidents::IncidentChanged& changed) {
    if (!live.has_listeners(tenant, "incidents")) return;
    live.publish(tenant, "incidents", "incident", boost::json::serialize(incidents::to_json(changed.incident)));
  });
  loop.listen<alerts::SilencesChanged>([&live](const TenantId& tenant, const alerts::SilencesChanged&) {
    live.publish(tenant, "silences", "silences", "true");
  });
  loop.listen<dispatch::ConfigurationChanged>([&live](const TenantId& tenant, const dispatch::ConfigurationChanged&) {
    live.publish(tenant, "routes", "routes", "true");
  });
}

}  // namespace atalaya::app
