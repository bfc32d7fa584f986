// What really happens on the hosts: a function of the seed alone, whatever breaks around it.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/time.h"

namespace atalaya::sim {

struct HostTruth {
  double level = 20;  ///< never within a hysteresis, so a level follows from the value alone
  bool up = true;
  bool level_silent = false;  ///< the series has stopped
  bool up_silent = false;
  std::vector<std::string> lines;  ///< of its log file, since the beginning
};

/// A stretch of the story: so many steps of so long.
struct Stretch {
  int steps = 0;
  Duration step{0};
  bool storm = false;     ///< faults may strike
  bool calm_end = false;  ///< nothing changes any more: the dust settles
};

struct Story {
  std::size_t hosts = 3;
  Duration length{std::chrono::hours{2}};
};

/// Thread-compatible.
class Truth {
 public:
  Truth(std::uint64_t seed, const Story& story);

  const std::vector<Stretch>& stretches() const { return stretches_; }
  const HostTruth& host(std::size_t i) const { return hosts_[i]; }
  /// Time goes on by one step of the stretch.
  void advance(const Stretch& stretch);

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  void write_line(HostTruth& host, bool may_fail);

  std::mt19937_64 random_;
  std::vector<HostTruth> hosts_;
  std::vector<Stretch> stretches_;
};

}  // namespace atalaya::sim
