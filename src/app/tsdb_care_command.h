// The verbs of `tsdb` by which somebody looks after a store of series.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/options.h"

namespace atalaya::app {

std::vector<config::Command> tsdb_care_commands();
/// Nothing when `name` is no such verb; else its exit code.
std::optional<Result<int>> tsdb_care(const std::string& name, const config::Options& options);

}  // namespace atalaya::app
