// Many events for the control loop at once.
#pragma once

#include <any>
#include <vector>

#include "control/runner.h"

namespace atalaya::api {

struct Command {
  std::any body;
  std::size_t weight = 1;  ///< as control::Event has it
  bool urgent = false;     ///< only where it is alone: commands of one sender stay in order
};

/// Posts them in order and returns when each was handled; the first error, if any. Never from the control thread.
Status run_all(control::Runner& control, const TenantId& tenant, std::vector<Command> commands);

}  // namespace atalaya::api
