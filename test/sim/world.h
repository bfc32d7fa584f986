// Hosts, network and server on one simulated clock.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/time.h"
#include "sim/agent_side.h"
#include "sim/ledger.h"
#include "sim/peers.h"
#include "sim/server_side.h"
#include "sim/truth.h"

namespace atalaya::sim {

/// What remains of an open alert when everything is said.
using Outcome = std::map<std::string, std::string>;  ///< rule and labels → state and severity

/// One run of the story of a seed, with or without faults: the truth is the same in both.
/// Thread-compatible.
class World {
 public:
  World(std::uint64_t seed, const Story& story, bool faults);

  void run();
  Outcome outcome();

  // Each adds a sentence for everything that is not as promised.
  std::vector<std::string> complaints();
  std::string statistics() const;

 private:
  struct Link {
    std::unique_ptr<AgentSide> agent;
    std::deque<std::string> to_server;
    std::deque<std::string> to_agent;
    std::shared_ptr<ingest::AgentSession> session;
    std::uint64_t connection = 0;
    bool close_wanted = false;
    Time down_until = kMinTime;   ///< of the network
    Time agent_until = kMinTime;  ///< the agent is dead so long
  };

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  bool strikes(std::uint64_t one_in) { return storm_ && below(one_in) == 0; }
  Duration up_to(Duration longest) { return Duration{static_cast<std::int64_t>(below(longest.count()) + 1)}; }

  void step(const Stretch& stretch);
  void faults();
  void repair();
  void connect(Link& link);
  void cut(Link& link);
  void deliver(Link& link);
  void end_server();
  void end_agent(Link& link);

  void check_store(std::vector<std::string>& out);
  void check_lines(std::vector<std::string>& out);
  void check_pages(std::vector<std::string>& out);

  ManualClock clock_{from_ms(1'767'225'600'000)};
  std::mt19937_64 random_;
  Truth truth_;
  const bool faulty_;
  bool storm_ = false;
  Peers peers_;
  Ledger ledger_;
  std::vector<Link> links_;
  std::unique_ptr<ServerSide> server_;
  Time server_until_ = kMinTime;
  std::uint64_t cuts_ = 0, agent_ends_ = 0, server_ends_ = 0, disk_faults_ = 0, steps_ = 0;
};

}  // namespace atalaya::sim
