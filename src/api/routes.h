// The tree of routing as people look at it, and who would be told of an alert.
#pragma once

#include <boost/json.hpp>

#include "alerts/queries.h"
#include "alerts/silence.h"
#include "api/alertmanager.h"
#include "api/doors.h"

namespace atalaya::api {

struct RoutingServices {
  alerts::Queries& alerts;
  alerts::SilenceQueries& silences;
  const AlertRouting& routing;
  const Clock& clock;
};

/// routes (the configuration that acts, with how many alerts each route has now) and routes/test.
void add_routing_routes(Doors& doors, RoutingServices services);

/// What one route does with an alert that ends there: receiver, group, times.
boost::json::object told_by(const routing::Route& route, const Labels& labels);

}  // namespace atalaya::api
