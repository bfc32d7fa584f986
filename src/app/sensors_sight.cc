// How sensors and collectors are, as those see it who look.

#include <algorithm>

#include "app/sensors_state.h"

namespace atalaya::app {

std::optional<Sensors::Sight> Sensors::sight(const TenantId& tenant, const occi::Entity& entity) const {
  const bool sensor = entity.kind == occi::kSensor;
  if (!sensor && entity.kind != occi::kCollector) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto found = tenants_.find(tenant);
  if (found == tenants_.end()) return Sight{"inactive", "it does not run yet"};
  return sensor ? sensor_sight(tenant, found->second, entity.id) : collector_sight(tenant, found->second, entity.id);
}

Sensors::Sight Sensors::sensor_sight(const TenantId& id, const Tenant& tenant, const std::string& sensor) const {
  if (const auto at = tenant.waiting.find(sensor); at != tenant.waiting.end()) return {"inactive", at->second};
  const auto at = tenant.sensors.find(sensor);
  if (at == tenant.sensors.end()) return {"inactive", "it does not run yet"};
  auto& running = *at->second;
  const std::lock_guard lock(running.mutex);
  auto problems = running.problems;
  for (const auto& [publisher, problem] : running.failures)
    problems.push_back(publisher.empty() ? problem : fmt::format("{}: {}", publisher, problem));
  for (const auto& [host, problem] : running.pipe_problems) {
    if (!problem.empty()) problems.push_back(fmt::format("on {}: {}", host, problem));
  }
  if (!problems.empty()) return {"error", fmt::format("{}", fmt::join(problems, "; "))};
  if (running.plan.placement == occi::kInAgent && !running.plan.hosts.empty())
    return sight_in_agents(id, tenant, running);
  if (running.plan.streams.empty()) return {"active", "it runs, and no collector measures for it"};
  if (running.last == kMinTime) return {"active", "it runs; no value has come yet"};
  return {"active", fmt::format("{} values have come, the last of {}", running.values, format_rfc3339(running.last))};
}

/// Under the sensor's mutex.
Sensors::Sight Sensors::sight_in_agents(const TenantId& id, const Tenant& tenant, const Running& running) const {
  std::vector<std::string> here, away;
  for (const auto& host : running.plan.hosts) {
    if (const auto at = tenant.hosts.find(host); at != tenant.hosts.end()) {
      const auto& orders = at->second;
      const auto place = std::ranges::find(orders.list, running.plan.id, &occi::Order::collector) - orders.list.begin();
      if (static_cast<std::size_t>(place) >= orders.list.size() - orders.left_out)
        return {"error", fmt::format("the agent of {} takes no more orders: remove some", host)};
    }
    (with_.is_connected(id, host) ? here : away).push_back(host);
  }
  std::string said;
  if (!away.empty()) said = fmt::format("away, and at work as last told: the agent of {}", fmt::join(away, ", "));
  if (here.empty()) return {"inactive", said};
  if (!said.empty()) said = "; " + said;
  double taken = 0;
  for (const auto& [metric, heard] : running.heard) taken += heard.taken;
  if (running.last == kMinTime)
    return {"active", fmt::format("it runs in the agent of {}; no value has come yet{}", fmt::join(here, ", "), said)};
  return {"active", fmt::format("it runs in the agent of {}: {:.0f} values have come there, as told at {}{}",
                                fmt::join(here, ", "), taken, format_rfc3339(running.last), said)};
}

std::optional<api::SensorFlow> Sensors::flow(const TenantId& tenant, const std::string& sensor) const {
  const std::lock_guard lock(mutex_);
  const auto found = tenants_.find(tenant);
  if (found == tenants_.end() || !found->second.sensors.contains(sensor)) return std::nullopt;
  auto [state, message] = sensor_sight(tenant, found->second, sensor);
  api::SensorFlow out{.state = std::move(state), .message = std::move(message)};
  auto& running = *found->second.sensors.find(sensor)->second;
  const std::lock_guard look(running.mutex);
  out.values = running.values;
  out.given = running.given;
  out.problems = running.failures;
  for (const auto& [key, stream] : running.plan.streams) {
    if (out.collected.size() == api::kMostCollected) break;
    const auto cut = key.rfind('/');
    api::SensorFlow::Collected one{key.substr(0, cut), key.substr(cut + 1), stream, std::nullopt, {}};
    if (const auto heard = running.heard.find(key); heard != running.heard.end()) {
      one.problem = heard->second.problem;
      // Of what stays in an agent nobody knows the value.
      const bool known = heard->second.at != kMinTime && heard->second.taken == 0;
      if (known) one.value = {heard->second.at, heard->second.value, std::nullopt};
    }
    out.collected.push_back(std::move(one));
  }
  return out;
}

Sensors::Sight Sensors::collector_sight(const TenantId& id, const Tenant& tenant, const std::string& collector) const {
  if (const auto at = tenant.idle.find(collector); at != tenant.idle.end())
    return {tenant.faulty.contains(collector) ? "error" : "inactive", at->second};
  const auto order = tenant.ordered.find(collector);
  const auto at = tenant.by_collector.find(collector);
  if (order == tenant.ordered.end() || at == tenant.by_collector.end()) return {"inactive", "it does not run yet"};
  const auto& [host, place] = order->second;
  const auto& orders = tenant.hosts.find(host)->second;
  if (place >= orders.list.size() - orders.left_out)
    return {"error", fmt::format("the agent of {} takes no more orders: remove some", host)};
  if (tenant.old_agents.contains(host))
    return {"error", fmt::format("the agent of {} is from before sensors: install this version's there", host)};
  auto& running = *at->second;
  std::vector<std::string> problems, said;
  {
    const std::lock_guard lock(running.mutex);
    for (auto heard = running.heard.lower_bound(collector + "/");
         heard != running.heard.end() && heard->first.starts_with(collector + "/"); ++heard) {
      const auto metric = heard->first.substr(collector.size() + 1);
      if (!heard->second.problem.empty())
        problems.push_back(fmt::format("{}: {}", metric, heard->second.problem));
      else if (heard->second.taken > 0)
        said.push_back(fmt::format("{}: {:.0f} values came in the agent, as told at {}", metric, heard->second.taken,
                                   format_rfc3339(heard->second.at)));
      else if (heard->second.at != kMinTime)
        said.push_back(fmt::format("{} was {} at {}", metric, heard->second.value, format_rfc3339(heard->second.at)));
    }
  }
  if (!problems.empty()) return {"error", fmt::format("{}", fmt::join(problems, "; "))};
  const bool connected = with_.is_connected(id, host);
  if (connected && said.empty())
    return {"inactive", fmt::format("the agent of {} was told; no value has come yet", host)};
  if (!connected) said.insert(said.begin(), fmt::format("the agent of {} is away", host));
  return {connected ? "active" : "inactive", fmt::format("{}", fmt::join(said, "; "))};
}

}  // namespace atalaya::app
