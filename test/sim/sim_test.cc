// Whatever is cut, killed or full on the way: what was acknowledged is stored and judged, and when the
// dust has settled alerts are what they would be without any of it. ATALAYA_TEST_SEED replays one seed.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "sim/world.h"
#include "telemetry/log.h"

namespace atalaya::sim {
namespace {

/// The first `count`, and those that have found something once.
std::vector<std::uint64_t> seeds(std::uint64_t count, const std::vector<std::uint64_t>& found = {}) {
  if (const char* wanted = std::getenv("ATALAYA_TEST_SEED")) return {std::strtoull(wanted, nullptr, 10)};
  std::vector<std::uint64_t> out;
  for (std::uint64_t seed = 1; seed <= count; ++seed) out.push_back(seed);
  out.insert(out.end(), found.begin(), found.end());
  return out;
}

void tell(std::uint64_t seed, const Story& story) {
  World calm(seed, story, false);
  calm.run();
  EXPECT_EQ(calm.complaints(), std::vector<std::string>{});
  World world(seed, story, true);
  world.run();
  EXPECT_EQ(world.complaints(), std::vector<std::string>{});
  EXPECT_EQ(world.outcome(), calm.outcome());
  std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), world.statistics().c_str());
}

class Simulation : public testing::Test {
 protected:
  // What goes wrong is chosen by the seed; the program's own words about it are of no interest here.
  void SetUp() override {
    telemetry::configure_log(telemetry::Level::kError, telemetry::LogFormat::kLogfmt, [](std::string_view) {});
  }
};

TEST_F(Simulation, HoursOfFaultsEndAsIfThereHadBeenNone) {
  for (const auto seed : seeds(10, {32, 39, 41, 69, 82, 85, 114, 120})) {
    SCOPED_TRACE("ATALAYA_TEST_SEED=" + std::to_string(seed));
    tell(seed, {.hosts = 3, .length = std::chrono::hours{2}});
    if (HasFailure()) return;
  }
}

TEST_F(Simulation, WeeksWithFaultsEndAsIfThereHadBeenNone) {
  for (const auto seed : seeds(1, {5})) {
    SCOPED_TRACE("ATALAYA_TEST_SEED=" + std::to_string(seed));
    tell(seed, {.hosts = 2, .length = std::chrono::hours{24 * 14}});
  }
}

}  // namespace
}  // namespace atalaya::sim
