// Routes of alerts and of what was told about them.
#pragma once

#include "alerts/ping.h"
#include "alerts/queries.h"
#include "alerts/silence.h"
#include "api/doors.h"
#include "control/runner.h"
#include "notify/channel.h"
#include "notify/queries.h"

namespace atalaya::api {

class Fields;

struct AlertServices {
  alerts::Queries& alerts;
  notify::Queries& deliveries;
  const notify::ChannelBook& channels;
  control::Runner& control;
  alerts::SilenceQueries& silences;
  const Clock& clock;
  alerts::PingQueries& pings;
  std::string external_url;
};

/// alerts and what people do with them, notifications, channels and their test.
void add_alert_routes(Doors& doors, AlertServices services);
/// Dead-man switches: /ping/<uuid>[/start|/fail|/log|/<exit status>] without a credential, and their keeping.
void add_ping_routes(Doors& doors, AlertServices services);
/// silences: listed with what they hide now, made, ended.
void add_silence_routes(Doors& doors, AlertServices services);
/// `until` (a time) or `for` (a duration from `now` on) of a body; nothing where it has neither.
std::optional<Time> read_until(Fields& body, Time now, Status& status);

}  // namespace atalaya::api
