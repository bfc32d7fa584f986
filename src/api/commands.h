// Many events for the control loop at once.
#pragma once

#include <any>
#include <vector>

#include "control/runner.h"

namespace atalaya::api {

/// Posts them in order and returns when each was handled; the first error, if any. Never from the control thread.
Status run_all(control::Runner& control, const TenantId& tenant, std::vector<std::any> events);

}  // namespace atalaya::api
