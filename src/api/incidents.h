// Routes of incidents.
#pragma once

#include "alerts/queries.h"
#include "api/doors.h"
#include "control/runner.h"
#include "incidents/queries.h"
#include "notify/queries.h"

namespace atalaya::api {

struct IncidentServices {
  incidents::Queries& incidents;
  notify::Queries& deliveries;
  control::Runner& control;
  const Clock& clock;
};

/// incidents: listed, one with its alerts and its timeline, and what people do about it.
void add_incident_routes(Doors& doors, IncidentServices services);

}  // namespace atalaya::api
