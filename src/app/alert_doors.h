// Everything by which others reach alerts: our own routes, Alertmanager's API and Alerta's, silences of packages.
#pragma once

#include <string>

#include "alerts/ping.h"
#include "alerts/queries.h"
#include "alerts/report_queries.h"
#include "alerts/silence.h"
#include "api/doors.h"
#include "app/alert_routing.h"
#include "control/runner.h"
#include "incidents/queries.h"
#include "net/worker_pool.h"
#include "notify/queries.h"
#include "packages/service.h"
#include "storage/series.h"

namespace atalaya::app {

/// All outlive the doors.
struct AlertNeighbours {
  db::Database& database;
  alerts::Queries& alerts;
  notify::Queries& deliveries;
  const notify::ChannelBook& channels;
  const dispatch::Machine& dispatch;
  auth::Service& accounts;
  control::Runner& control;
  storage::SeriesAppender& series;  ///< gets the performance data of Nagios' results
  const Clock& clock;
  std::string external_url;
  ActingRouting::OriginOf origin_of;  ///< asked once routes are served
  Duration alert_timeout;             ///< of alerts that Alerta's clients report without one
};

/// Construct, `add_routes`, `stop` (idempotent). Thread-safe after construction.
class AlertDoors {
 public:
  explicit AlertDoors(AlertNeighbours neighbours);

  void add_routes(api::Doors& doors);
  /// Tells the control loop which silences the tenant's packages declare.
  void packages_changed(const packages::Service& packages, const TenantId& tenant);
  void stop() { senders_.stop(); }

 private:
  const AlertNeighbours with_;
  alerts::SilenceQueries silences_;
  alerts::PingQueries pings_;
  incidents::Queries incidents_;
  alerts::ReportQueries reports_;
  ActingRouting routing_;
  net::WorkerPool senders_;
  const Time started_;
};

}  // namespace atalaya::app
