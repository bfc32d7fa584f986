// Commands that do one thing and leave. Each returns its exit code.
#pragma once

#include "config/options.h"

namespace atalaya::app {

int token(const config::Options& options);
int check(const config::Options& options);

}  // namespace atalaya::app
