// The program's own metrics as JSON.
#pragma once

#include <boost/json/array.hpp>

#include <string_view>

#include "api/doors.h"
#include "base/result.h"
#include "model/matcher.h"
#include "telemetry/metrics.h"

namespace atalaya::api {

/// What /metrics says, as the JSON of Prometheus' `MetricFamily` messages (io.prometheus.client, in ProtoJSON: 64-bit
/// integers are strings, so are values that are no finite number). Only families whose name `names` matches.
Result<boost::json::array> metric_families(std::string_view exposition, const Matcher& names);

/// GET /api/v1/status/self_metrics, with `metric_name_pattern`; for who may read /metrics.
void add_self_metrics_route(Doors& doors, const telemetry::Registry& metrics);

}  // namespace atalaya::api
