// Sensors and collectors as packages write them, checked when those are read.
#pragma once

#include <vector>

#include "base/error.h"
#include "packages/package.h"

namespace atalaya::api {

/// What is wrong with the sensors, the collectors for sensors and the users' mixins of a package, with the places of
/// their items: mixins that are not there, attributes that belong to none, are missing or hold the wrong value, streams
/// that do not fit. What depends on other packages (a collector of another one's sensor, a mixin of somebody's own
/// scheme) is not judged here: sensors and collectors say it by their state.
std::vector<Error> check_sensor_items(const packages::Package& package);

}  // namespace atalaya::api
