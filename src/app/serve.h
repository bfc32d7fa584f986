// The commands `server` and `up`.
#pragma once

#include "config/options.h"

namespace atalaya::app {

/// Runs until SIGTERM or SIGINT; SIGHUP reloads. Returns the exit code.
int serve(const config::Options& options);

}  // namespace atalaya::app
