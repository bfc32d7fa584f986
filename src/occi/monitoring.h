// Sensors and collectors among the entities: their window, their wiring, and what it takes to run them. Pure.
#pragma once

#include <boost/json/object.hpp>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "occi/engine.h"
#include "sense/pipe.h"

namespace atalaya::occi {

constexpr std::string_view kSensor = "http://schemas.ogf.org/occi/monitoring#sensor";
constexpr std::string_view kCollector = "http://schemas.ogf.org/occi/monitoring#collector";
constexpr std::string_view kMetric = "http://schemas.ogf.org/occi/monitoring#metric";
constexpr std::string_view kAggregator = "http://schemas.ogf.org/occi/monitoring#aggregator";
constexpr std::string_view kPublisher = "http://schemas.ogf.org/occi/monitoring#publisher";
constexpr std::string_view kSensorState = "occi.sensor.state";
constexpr std::string_view kCollectorState = "occi.collector.state";

/// When a sensor runs, by its timebase, timestart and timestop.
struct Window {
  Time begin = kMinTime;
  Time end = kMaxTime;
  bool has(Time at) const { return begin <= at && at < end; }
  bool operator==(const Window&) const = default;
};
/// All of time where it says nothing, and where it was over before the sensor was made.
Window window_of(const Entity& sensor);

/// For Behaviour::check of sensors: a window that ends before it begins is an error; one that is over when the sensor
/// is made is ignored with a warning; what counts from no timebase counts from `now`.
Status check_sensor(Entity& sensor, const Entity* before, Time now, std::vector<std::string>& warnings);

/// For Rules::whole: each collector joins a sensor and another resource, in whichever direction, and what it measures
/// flows into a stream that the sensor reads; the parts of a sensor are wired without fault (sense::check). A sensor
/// that comes with its collectors is complete: a stream that nothing makes is an error then, else a warning.
/// invalid_argument names the mixin and the stream.
Status check_wiring(const World& world, Change& change);

/// What one tenant may have.
struct Quota {
  std::size_t sensors = 1'000;
  std::size_t collectors = 20'000;
  double values_per_second = 20'000;  ///< that its collectors measure, as their periods say
};
/// resource_exhausted where the change brings the tenant beyond it, with the number that is allowed. Less of what is
/// too much already is taken.
Status check_quota(const World& world, const Change& change, const Quota& quota);

/// Makes a metric of a mixin that a user defines: what the program (`<package>/<file>`) prints, with the attributes
/// `com.example.occi.monitoring.<term>.out`, `.series` and `.timeout`. invalid_argument for a term that is no part of
/// an attribute's name.
Status bind_program(Category& mixin, const std::string& program);
/// The program that this metric of the collector runs; "" of metrics without one.
std::string program_of(const Model& model, const Category& mixin, const Entity& collector);
/// The text of a program, by `<package>/<file>`.
using ReadProgram = std::function<Result<std::string>(const std::string& program)>;
/// not_found: a program of the collectors that are made or changed is not there.
Status check_programs(const World& world, const Change& change, const ReadProgram& read);

/// One metric of a collector.
struct MetricOfCollector {
  const Category* mixin = nullptr;
  std::string stream;
};
std::vector<MetricOfCollector> metrics_of(const Model& model, const Entity& collector);
/// The ends of a collector; null where there is none of the sort.
struct Ends {
  const Entity* sensor = nullptr;
  const Entity* resource = nullptr;
};
using FindEntity = std::function<const Entity*(std::string_view id)>;
Ends ends_of(const Model& model, const Entity& collector, const FindEntity& find);
/// Seconds from one measurement of a collector to the next; `sensor` may be null.
std::int64_t period_of(const Entity& collector, const Entity* sensor);
/// Values that it measures per second.
double rate_of(const Model& model, const Entity& collector, const FindEntity& find);
/// The streams that aggregators and publishers read.
std::set<std::string> streams_read(const sense::PipeSpec& pipe);
sense::PipeSpec pipe_of(const Model& model, const Entity& sensor, const std::vector<const Entity*>& collectors);

constexpr std::string_view kPlacement = "atalaya.sensor.placement";
constexpr std::string_view kInAgent = "agent";
/// Of metrics, in whose place an agent's pipe says how it is.
constexpr std::string_view kPipeMetric = "pipe";

/// What an agent is told to measure: a collector of its configuration (docs/formats/agent-protocol.md).
struct Order {
  std::string collector;  ///< ids of the entities; of a sensor's pipe the sensor's
  std::string sensor;
  std::string host;
  boost::json::object text;
  bool operator==(const Order&) const = default;
};

struct SensorPlan {
  std::string id;
  std::string placement = "server";  ///< or "process", "agent"
  sense::PipeSpec pipe;
  Window window;
  std::string idle;  ///< why it does not run now; "" : it does
  /// `<collector>/<metric>` to the stream that its values flow into.
  std::map<std::string, std::string, std::less<>> streams;
  std::set<std::string, std::less<>> hosts;  ///< whose agents measure for it
  bool operator==(const SensorPlan&) const = default;
};

/// All that a tenant's entities ask for at one instant.
struct Deployment {
  std::map<std::string, SensorPlan, std::less<>> sensors;
  std::vector<Order> orders;                             ///< of sensors that run now; by collector and metric
  std::map<std::string, std::string, std::less<>> idle;  ///< collectors that nobody is told of, and why
  std::set<std::string, std::less<>> faulty;             ///< those of them that should run and cannot
  Time until = kMaxTime;                                 ///< the next edge of a window
};
/// `host_of`: the host whose agent watches a compute; "" for none yet. What is beyond the quota does not run. Without
/// `read` no program is found.
Deployment deployment_of(const World& world, const std::function<std::string(const Entity& compute)>& host_of, Time now,
                         const Quota& quota = {}, const ReadProgram& read = nullptr);

}  // namespace atalaya::occi
