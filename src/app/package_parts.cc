#include "app/package_parts.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "api/audit.h"
#include "api/packages.h"
#include "api/pages.h"
#include "app/package_doors.h"

namespace atalaya::app {
namespace {

constexpr Duration kOnTheWay{std::chrono::seconds{5}};  ///< beside a program's own time
constexpr std::size_t kCallers = 8;
constexpr std::size_t kWaitingCalls = 64;
constexpr std::size_t kChangers = 2;  ///< one changes packages; the other reads and checks what comes next
constexpr std::size_t kWaitingChanges = 256;

api::ProcedureServices procedure_services(const PackageNeighbours& with) {
  auto answers = package_procedures(with.packages);
  return {answers.list,
          answers.find,
          answers.check_arguments,
          [&agents = with.agents](const TenantId& tenant, const AgentId& agent, ingest::CallFrame call,
                                  Duration timeout) { return agents.call(tenant, agent, std::move(call), timeout); },
          with.hosts,
          with.audit,
          with.clock};
}

}  // namespace

PackageParts::PackageParts(PackageNeighbours neighbours)
    : with_(std::move(neighbours)),
      entities_(with_.packages, with_.hosts, with_.items),
      sections_(
          with_.packages, with_.items, with_.clock,
          [this](const TenantId& tenant, const std::string& on, ingest::CallFrame call) -> Result<ingest::CallResult> {
            AT_TRY(const auto host, reachable_host(tenant, on));
            return with_.agents.call(tenant, host, std::move(call), call.time + kOnTheWay);
          }),
      procedures_(procedure_services(with_)),
      occi_({with_.packages, with_.hosts, with_.series, with_.audit, with_.clock, with_.publishing->sealer(),
             with_.link_base,
             [this](const TenantId& tenant, const occi::Entity& entity) -> std::optional<api::SensorSight> {
               const auto seen = sensors_.sight(tenant, entity);
               if (!seen) return std::nullopt;
               return api::SensorSight{seen->state, seen->message};
             },
             with_.quota}),
      publishing_(std::move(with_.publishing)),
      sensors_(sensor_neighbours()),
      callers_(kCallers, kWaitingCalls),
      changers_(kChangers, kWaitingChanges),
      keeper_(with_.clock) {}

SensorNeighbours PackageParts::sensor_neighbours() {
  const auto connected = [this](const TenantId& tenant, const std::string& host) -> std::optional<AgentId> {
    const auto found = with_.hosts.find_by_name(tenant, host);
    if (!found || !with_.agents.is_connected(tenant, found->id)) return std::nullopt;
    return found->id;
  };
  return {[this](const TenantId& tenant) { return occi_.world(tenant); },
          [this](const TenantId& tenant, const auto& world) { return occi_.host_of(tenant, world); },
          [connected](const TenantId& tenant, const std::string& host) { return connected(tenant, host).has_value(); },
          [this, connected](const TenantId& tenant, const std::string& host) {
            if (const auto agent = connected(tenant, host)) with_.agents.push_config(tenant, *agent);
          },
          [this](const TenantId& tenant, const std::string& sensor, const sense::Part& part) {
            return publishing_->outlet(tenant, sensor, part);
          },
          [this](std::move_only_function<void()> work) { publishing_->post(std::move(work)); },
          with_.clock,
          with_.metrics,
          with_.quota,
          [this](sense::PipeSpec spec) { return publishing_->opened(std::move(spec)); },
          [this](const TenantId& tenant, const std::string& sensor, const sense::PipeSpec& spec, TakePublished take) {
            return publishing_->remote(tenant, sensor, spec, std::move(take));
          },
          [this](const TenantId& tenant) { return occi_.programs(tenant); }};
}

/// A host of this name or pattern whose agent is connected.
Result<AgentId> PackageParts::reachable_host(const TenantId& tenant, const std::string& on) const {
  for (const auto& host : with_.hosts.list(tenant)) {
    if (packages::glob_matches(on, host.name) && with_.agents.is_connected(tenant, host.id)) return host.id;
  }
  return fail(ErrorCode::kUnavailable, fmt::format("no agent of a host {} is connected", on),
              "it runs as soon as one is");
}

void PackageParts::changed(const TenantId& tenant, const std::set<std::string>& names) {
  sections_.changed(tenant, names);
  sensors_.changed(tenant);
  with_.publish(tenant, boost::json::serialize(boost::json::array(names.begin(), names.end())));
}

void PackageParts::add_routes(api::Doors& doors) {
  const api::PackageServices services{
      with_.packages,
      with_.items,
      with_.trusted_keys,
      &with_.audit,
      &with_.clock,
      [this](const TenantId& tenant, const std::string& package) { return sections_.state(tenant, package); }};
  api::add_package_routes(doors, services);
  api::add_package_change_routes(doors, services);
  api::add_item_routes(doors, services);
  api::add_page_routes(doors, {with_.auth, with_.series, with_.clock, page_directory(with_.packages, with_.items),
                               page_assets(), with_.queries});
  api::add_procedure_routes(doors, procedures_, callers_);
  api::add_audit_routes(doors, with_.audit);
  occi_.add_routes(doors, changers_);
  api::add_sensor_flow_routes(
      doors, [this](const TenantId& tenant, const std::string& sensor) { return sensors_.flow(tenant, sensor); });
}

void PackageParts::start() {
  publishing_->start();
  keeper_.add(std::chrono::seconds{1}, [this] { sections_.look(); });
  keeper_.add(std::chrono::seconds{1}, [this] { sensors_.tick(); });
  keeper_.start();
}

void PackageParts::stop() {
  with_.agents.stop();
  callers_.stop();
  changers_.stop();
  keeper_.stop();
  sensors_.stop();
  publishing_->stop();
}

}  // namespace atalaya::app
