#include "app/alert_doors.h"

#include "alerts/machine.h"
#include "api/alerta.h"
#include "api/alertmanager.h"
#include "api/alerts.h"
#include "api/incidents.h"
#include "api/nagios.h"
#include "api/routes.h"
#include "app/version.h"
#include "packages/silences.h"
#include "telemetry/log.h"

namespace atalaya::app {
namespace {

constexpr std::size_t kSenders = 4;
constexpr std::size_t kWaitingSenders = 256;

}  // namespace

AlertDoors::AlertDoors(AlertNeighbours neighbours)
    : with_(std::move(neighbours)),
      silences_(with_.database),
      pings_(with_.database),
      incidents_(with_.database),
      reports_(with_.database, with_.clock),
      routing_(with_.channels, with_.dispatch, with_.clock, with_.origin_of),
      senders_(kSenders, kWaitingSenders),
      started_(with_.clock.now()) {}

void AlertDoors::add_routes(api::Doors& doors) {
  const api::AlertServices services{with_.alerts, with_.deliveries, with_.channels, with_.control,
                                    silences_,    with_.clock,      pings_,         with_.external_url};
  api::add_alert_routes(doors, services);
  api::add_silence_routes(doors, services);
  api::add_ping_routes(doors, services);
  api::add_incident_routes(doors, {incidents_, with_.deliveries, with_.control, with_.clock});
  api::add_routing_routes(doors, {with_.alerts, silences_, routing_, with_.clock});
  api::add_alertmanager_routes(doors, {with_.alerts, silences_, routing_, with_.control, senders_, with_.clock,
                                       with_.external_url, std::string(kVersion), kRevision, started_});
  api::add_alerta_routes(doors, {.alerts = reports_,
                                 .silences = silences_,
                                 .pings = pings_,
                                 .accounts = with_.accounts,
                                 .control = with_.control,
                                 .senders = senders_,
                                 .clock = with_.clock,
                                 .external_url = with_.external_url,
                                 .version = std::string(kVersion),
                                 .started = started_,
                                 .alert_timeout = with_.alert_timeout,
                                 .anonymous = doors.everybody().has_value()});
  api::add_nagios_routes(doors, {with_.control, with_.series, senders_, with_.clock});
}

void AlertDoors::packages_changed(const packages::Service& packages, const TenantId& tenant) {
  auto posted =
      with_.control.post_wait({tenant, alerts::DeclareSilences{packages::silences_of(packages, tenant)}, {}, {}});
  if (!posted) {
    telemetry::log_warn("alerts", "silences of packages not taken",
                        {{"tenant", tenant.value()}, {"reason", to_string(posted.error())}});
  }
}

}  // namespace atalaya::app
