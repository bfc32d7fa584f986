// What the control loop publishes, as topics of the live socket.
#pragma once

#include "api/live_hub.h"
#include "control/loop.h"

namespace atalaya::app {

/// Alerts, incidents, silences, routes. `live` outlives the loop's steps.
void tell_browsers(control::Loop& loop, api::LiveHub& live);

}  // namespace atalaya::app
