// Passive results of Nagios' checks: NRDP at /nrdp, lines of external commands at /nagios/cmd. They are alerts, and
// their performance data are series (docs/formats/nagios.md).
#pragma once

#include "api/doors.h"
#include "control/runner.h"
#include "storage/series.h"

namespace atalaya::api {

struct NagiosServices {
  control::Runner& control;
  storage::SeriesAppender& series;
  net::WorkerPool& senders;  ///< threads on which results wait for their commit
  const Clock& clock;
};

void add_nagios_routes(Doors& doors, NagiosServices services);

}  // namespace atalaya::api
