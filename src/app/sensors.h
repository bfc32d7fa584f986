// The sensors of all tenants, as they run in this server.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/sensor_flow.h"
#include "base/ids.h"
#include "base/time.h"
#include "ingest/agent_session.h"
#include "occi/monitoring.h"
#include "telemetry/metrics.h"

namespace atalaya::app {

/// Where one publisher of a sensor hands its values to. Made, called and destroyed by what `post` runs. It never
/// blocks: what waits has a bound.
class Outlet {
 public:
  virtual ~Outlet() = default;
  virtual void publish(std::string_view stream, const sense::Record& record) = 0;
  /// What keeps it from delivering now; "" if nothing.
  virtual std::string problem() const = 0;
};

/// A sensor's pipe as a process of its own. Made, called and destroyed by what `post` runs; never blocks.
class RemotePipe {
 public:
  virtual ~RemotePipe() = default;
  virtual void push(std::string_view stream, const sense::Record& record) = 0;
  virtual std::string problem() const = 0;  ///< "" if nothing
};
/// What goes to a publisher that only this server can do, by its place in the pipe; in what `post` runs.
using TakePublished =
    std::function<void(std::uint32_t publisher, std::string_view stream, const sense::Record& record)>;

struct SensorNeighbours {
  std::function<std::shared_ptr<const occi::World>(const TenantId&)> world;
  /// The host whose agent watches a compute; "" : none yet. One plan asks one function again and again.
  std::function<std::function<std::string(const occi::Entity& compute)>(const TenantId&,
                                                                        const std::shared_ptr<const occi::World>&)>
      host_of;
  std::function<bool(const TenantId&, const std::string& host)> is_connected;
  /// Asks `orders` again for this host and tells its agent, where it is connected.
  std::function<void(const TenantId&, const std::string& host)> tell;
  std::function<Result<std::unique_ptr<Outlet>>(const TenantId&, const std::string& sensor, const sense::Part&)> outlet;
  /// Runs work soon, one after the other, in order; what it has not run when this is destroyed it never runs.
  std::function<void(std::move_only_function<void()>)> post;
  const Clock& clock;
  telemetry::Registry& metrics;
  occi::Quota quota = {};
  /// The pipe with what is sealed in it opened. Null: nothing is sealed.
  std::function<Result<sense::PipeSpec>(sense::PipeSpec)> opened = nullptr;
  /// Null: no sensor may run as a process of its own.
  std::function<Result<std::unique_ptr<RemotePipe>>(const TenantId&, const std::string& sensor, const sense::PipeSpec&,
                                                    TakePublished)>
      remote = nullptr;
  /// Reads programs of the tenant's packages. Null: there are none.
  std::function<occi::ReadProgram(const TenantId&)> programs = nullptr;
};

constexpr std::size_t kMostWaiting = 100'000;

/// Makes of each tenant's entities what runs: pipes with their publishers here, orders for the agents of the computes.
/// What differs from before is started, changed or ended; the rest is not touched. Pipes run by `post`. Nothing of it
/// is kept on disk: entities say what runs, and agents keep their orders. Thread-safe; `tell` is called without a lock
/// that `orders` or `measured` would wait for.
class Sensors {
 public:
  explicit Sensors(SensorNeighbours neighbours);
  ~Sensors();

  /// The tenant's entities, or the hosts of its computes, have changed.
  void changed(const TenantId& tenant);
  /// Begins and ends windows, and gives pipes their time. Call it about once a second.
  void tick();
  /// Ends all that runs; `post` must run what it is given once more. Idempotent.
  void stop();

  struct Orders {
    std::uint64_t revision = 0;  ///< differs where the texts do
    std::string text;            ///< JSON objects with commas between them; "" : none
  };
  /// As many as fit into `most_bytes`; the others show that they wait.
  Orders orders(const TenantId& tenant, const std::string& host, std::size_t most_bytes);
  /// As ingest::AgentDirectory::measured. Beyond kMostWaiting values that wait for their turn new ones are dropped.
  void measured(const TenantId& tenant, const std::string& source, std::uint64_t sequence,
                std::vector<ingest::SensorValue> values);
  /// An agent has said what it can do.
  void agent_says(const TenantId& tenant, const std::string& host, bool measures_for_sensors);

  /// How a sensor or collector is; nothing for other entities.
  struct Sight {
    std::string state;
    std::string message;
  };
  std::optional<Sight> sight(const TenantId& tenant, const occi::Entity& entity) const;
  /// Nothing while the sensor does not run.
  std::optional<api::SensorFlow> flow(const TenantId& tenant, const std::string& sensor) const;

 private:
  struct Running;
  struct Tenant;
  using Sensing = std::map<std::string, std::shared_ptr<Running>, std::less<>>;

  void take_orders(const TenantId& tenant, std::vector<occi::Order> orders, std::set<std::string>& hosts);

  std::vector<occi::Order> with_pipes(const std::vector<occi::SensorPlan>& plans,
                                      std::vector<occi::Order> orders) const;
  Result<sense::PipeSpec> pipe_spec(const occi::SensorPlan& plan) const;

  // What `post` runs.
  void apply(const TenantId& tenant, std::vector<occi::SensorPlan> plans);
  std::shared_ptr<Running> started(const TenantId& tenant, occi::SensorPlan plan,
                                   const std::shared_ptr<Running>& before) const;
  Status give_pipe(const TenantId& tenant, const std::shared_ptr<Running>& running) const;
  std::vector<std::shared_ptr<Outlet>> outlets_of(const TenantId& tenant, Running& running,
                                                  const std::shared_ptr<Running>& before) const;
  void take(const TenantId& tenant, const std::vector<ingest::SensorValue>& values);
  void push(Running& running, const ingest::SensorValue& value, Time now);
  void hear(Running& running, const ingest::SensorValue& value);
  void tick_pipes();

  Sight sensor_sight(const TenantId& id, const Tenant& tenant, const std::string& sensor) const;
  Sight sight_in_agents(const TenantId& id, const Tenant& tenant, const Running& running) const;
  Sight collector_sight(const TenantId& id, const Tenant& tenant, const std::string& collector) const;

  const SensorNeighbours with_;
  telemetry::Gauge& running_;
  telemetry::Counter& values_;
  telemetry::Counter& published_;
  telemetry::Counter& unwanted_;
  telemetry::Counter& repeated_;
  telemetry::Counter& dropped_;
  std::atomic<std::size_t> waiting_{0};  ///< values that `post` holds

  std::mutex plan_mutex_;  ///< one plan at a time; taken before mutex_

  mutable std::mutex mutex_;  ///< guards the rest
  std::map<TenantId, Tenant> tenants_;
  std::uint64_t revision_ = 0;
  bool stopped_ = false;
};

}  // namespace atalaya::app
