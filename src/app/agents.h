// What the server knows of agents while they are connected.
#pragma once

#include "app/sensors.h"
#include "ingest/agent_hub.h"
#include "packages/service.h"
#include "registry/hosts.h"

namespace atalaya::app {

/// Answers the hub from packages and registry. Thread-safe.
class AgentDirectory final : public ingest::AgentDirectory {
 public:
  AgentDirectory(packages::Service& packages, registry::Hosts& hosts, const Clock& clock)
      : packages_(packages), hosts_(hosts), clock_(clock) {}
  /// Before the first agent connects. Borrowed.
  void set_sensors(Sensors& sensors) { sensors_ = &sensors; }

  ingest::AgentConfig config_for(const ingest::AgentPeer& peer) override;
  void connected(const ingest::AgentPeer& peer, const ingest::HelloFrame& hello) override;
  void heard(const ingest::AgentPeer& peer) override { hosts_.seen(peer.agent, clock_.now()); }
  void measured(const ingest::AgentPeer& peer, const std::string& source, std::uint64_t sequence,
                std::vector<ingest::SensorValue> values) override;
  /// Silence is noticed by its length: an agent that comes back at once was never away.
  void disconnected(const ingest::AgentPeer&) override {}

 private:
  packages::Service& packages_;
  registry::Hosts& hosts_;
  const Clock& clock_;
  Sensors* sensors_ = nullptr;
};

}  // namespace atalaya::app
