// What flows through sensors now, for those who look at them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/doors.h"
#include "base/ids.h"
#include "base/time.h"

namespace atalaya::api {

/// The newest of everything that one sensor has heard and given out since it runs.
struct SensorFlow {
  struct Value {
    Time at{};
    double value = 0;
    std::optional<std::string> line;  ///< instead of a value: the beginning of a line of text
  };
  struct Collected {
    std::string collector;
    std::string metric;
    std::string stream;
    std::optional<Value> value;  ///< none has come yet
    std::string problem;         ///< what its agent said instead; "" if nothing
  };
  std::string state;
  std::string message;
  std::uint64_t values = 0;                         ///< that have come
  std::vector<Collected> collected;                 ///< the first kMostCollected, by collector and metric
  std::map<std::string, Value, std::less<>> given;  ///< what publishers got, by stream; none of a process of its own
  std::map<std::string, std::string> problems;      ///< of publishers that cannot deliver, by their term
};

constexpr std::size_t kMostSensorsAtOnce = 50;
constexpr std::size_t kMostCollected = 200;

/// By the sensor's id; nothing while it does not run.
using FlowOf = std::function<std::optional<SensorFlow>(const TenantId&, const std::string& sensor)>;

/// sensors/flow: asked about once a second by those who look.
void add_sensor_flow_routes(Doors& doors, FlowOf flow);

}  // namespace atalaya::api
