#include "app/agents.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "telemetry/log.h"

namespace atalaya::app {

ingest::AgentConfig AgentDirectory::config_for(const ingest::AgentPeer& peer) {
  ingest::AgentConfig out{std::to_string(packages_.configuration_revision()),
                          packages_.agent_configuration(peer.tenant, peer.name)};
  if (sensors_ == nullptr) return out;
  constexpr std::string_view kEnd = "]}";
  const auto room = ingest::kMaxConfigBytes - std::min(ingest::kMaxConfigBytes, out.json.size() + 1);
  const auto orders = sensors_->orders(peer.tenant, peer.name, room);
  out.revision += fmt::format(".{}", orders.revision);
  // Every host has a collector, so that a comma is right.
  AT_CHECK(out.json.ends_with(kEnd));
  if (!orders.text.empty()) out.json.insert(out.json.size() - kEnd.size(), "," + orders.text);
  return out;
}

void AgentDirectory::measured(const ingest::AgentPeer& peer, const std::string& source, std::uint64_t sequence,
                              std::vector<ingest::SensorValue> values) {
  if (sensors_ != nullptr) sensors_->measured(peer.tenant, source, sequence, std::move(values));
}

void AgentDirectory::connected(const ingest::AgentPeer& peer, const ingest::HelloFrame& hello) {
  if (sensors_ != nullptr)
    sensors_->agent_says(peer.tenant, peer.name, (hello.abilities & ingest::kMeasuresForSensors) != 0);
  std::map<std::string, std::string> facts(hello.facts.begin(), hello.facts.end());
  if (auto known = hosts_.connected(peer.agent, hello.version, std::move(facts), clock_.now()); !known) {
    telemetry::log_warn("server", "an agent that is no host connected",
                        {{"agent", peer.agent.value()}, {"reason", to_string(known.error())}});
  }
}

}  // namespace atalaya::app
