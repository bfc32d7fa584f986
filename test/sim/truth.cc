#include "sim/truth.h"

#include <array>

namespace atalaya::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array<double, 5> kLevels = {20, 50, 50, 75, 95};

}  // namespace

Truth::Truth(std::uint64_t seed, const Story& story) : random_(seed), hosts_(story.hosts) {
  stretches_.push_back({60, seconds{2}, false, false});
  Duration passed{0};
  while (passed < story.length) {
    const Stretch storm{static_cast<int>(60 + below(180)), seconds{1}, true, false};
    // Longer than any silence that a rule waits for, up to a night.
    const Stretch quiet{static_cast<int>(story.length > std::chrono::hours{24} ? 30 + below(600) : below(40)),
                        minutes{1}, false, false};
    for (const auto& stretch : {storm, quiet}) {
      stretches_.push_back(stretch);
      passed += stretch.step * stretch.steps;
    }
  }
  stretches_.push_back({30 * 60 / 5, seconds{5}, false, true});
}

void Truth::advance(const Stretch& stretch) {
  for (auto& host : hosts_) {
    if (stretch.calm_end) {
      write_line(host, false);
      continue;
    }
    if (below(40) == 0) host.level = kLevels[below(kLevels.size())];
    if (below(60) == 0) host.up = !host.up;
    if (below(300) == 0) host.level_silent = !host.level_silent;
    if (below(300) == 0) host.up_silent = !host.up_silent;
    if (below(4) == 0) write_line(host, true);
  }
}

void Truth::write_line(HostTruth& host, bool may_fail) {
  auto line = std::to_string(host.lines.size());
  if (may_fail && below(30) == 0) line += " ERROR it broke";
  host.lines.push_back(std::move(line));
}

}  // namespace atalaya::sim
