// Reading time intervals alone, where others than routes have them: silences that recur.
#pragma once

#include <vector>

#include "calendar/time_interval.h"
#include "config/reader.h"
#include "config/yaml.h"

namespace atalaya::routing {

/// A list of intervals: one entry of `time_intervals` without its name.
std::vector<calendar::TimeInterval> read_intervals(const config::Node& list, config::Errors& errors);

}  // namespace atalaya::routing
