// Routes of alerts and of what was told about them.
#pragma once

#include "alerts/queries.h"
#include "api/doors.h"
#include "control/runner.h"
#include "notify/channel.h"
#include "notify/queries.h"

namespace atalaya::api {

struct AlertServices {
  alerts::Queries& alerts;
  notify::Queries& deliveries;
  const notify::ChannelBook& channels;
  control::Runner& control;
};

/// alerts, their acknowledgement, notifications, channels and their test.
void add_alert_routes(Doors& doors, AlertServices services);

}  // namespace atalaya::api
