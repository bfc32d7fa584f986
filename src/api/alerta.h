// Alerta's API under /alerta: its clients report and handle our alerts, heartbeats are our dead-man switches, and
// blackouts our silences (docs/formats/alerta.md).
#pragma once

#include <string>

#include "alerts/ping.h"
#include "alerts/report_queries.h"
#include "alerts/silence.h"
#include "api/doors.h"
#include "control/runner.h"

namespace atalaya::api {

struct AlertaServices {
  alerts::ReportQueries& alerts;
  alerts::SilenceQueries& silences;
  alerts::PingQueries& pings;
  auth::Service& accounts;
  control::Runner& control;
  net::WorkerPool& senders;  ///< threads on which posts and bulk changes wait for their commit
  const Clock& clock;
  std::string external_url;
  std::string version;  ///< of Atalaya
  Time started{};
  Duration alert_timeout = std::chrono::hours{24};  ///< of an alert that names none
  bool anonymous = false;                           ///< authentication is switched off: nobody has a name
};

void add_alerta_routes(Doors& doors, AlertaServices services);

}  // namespace atalaya::api
