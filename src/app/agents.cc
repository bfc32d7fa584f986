#include "app/agents.h"

#include "telemetry/log.h"

namespace atalaya::app {

ingest::AgentConfig AgentDirectory::config_for(const ingest::AgentPeer& peer) {
  return {std::to_string(packages_.configuration_revision()), packages_.agent_configuration(peer.tenant, peer.name)};
}

void AgentDirectory::connected(const ingest::AgentPeer& peer, const ingest::HelloFrame& hello) {
  std::map<std::string, std::string> facts(hello.facts.begin(), hello.facts.end());
  if (auto known = hosts_.connected(peer.agent, hello.version, std::move(facts), clock_.now()); !known) {
    telemetry::log_warn("server", "an agent that is no host connected",
                        {{"agent", peer.agent.value()}, {"reason", to_string(known.error())}});
  }
}

}  // namespace atalaya::app
