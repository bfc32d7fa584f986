// Routes of those who run the server: health, readiness, reload, own metrics.
#pragma once

#include <functional>
#include <vector>

#include "api/doors.h"
#include "control/runner.h"
#include "telemetry/metrics.h"

namespace atalaya::api {

struct OperationServices {
  control::Runner& control;
  const telemetry::Registry& metrics;
  std::function<Status()> ready;  ///< the error says what keeps the server from its work
  /// Reads the configuration again; every error found.
  std::function<std::vector<Error>()> reload;
};

void add_operation_routes(Doors& doors, OperationServices services);

}  // namespace atalaya::api
