// Whatever the order of arrival, the newest judged sample has the last word.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "rules/engine.h"
#include "rules/memory_store.h"

namespace atalaya::rules {
namespace {

const Time kStart = from_ms(1'767'225'600'000);

struct Said {
  Level level;
  Time at;
  double value;
  bool sustained;
  bool operator==(const Said&) const = default;
};

class Recorder final : public VerdictSink {
 public:
  void verdict(Verdict v) override { said.push_back({v.level, v.at, v.value, v.sustained}); }
  std::vector<Said> said;
};

std::vector<RuleSpec> one_rule() {
  RuleSpec rule;
  rule.tenant = default_tenant();
  rule.id = "test/rules/hot";
  rule.name = "hot";
  rule.threshold = GaugeSpec{.expr = "temp", .warning = 10, .critical = 20, .hysteresis = 3};
  rule.for_duration = std::chrono::seconds{4};
  return {rule};
}

struct World {
  MemorySeries store;
  Recorder recorder;
  Engine engine{store, recorder};
  SeriesId id = store.resolve(Labels{{kMetricName, "temp"}});
  std::uint64_t position = 0;
  const TenantId tenant = default_tenant();

  World() { EXPECT_TRUE(engine.set_rules(one_rule(), kStart)); }
  void send(const std::vector<Sample>& samples) {
    std::vector<storage::SeriesSample> batch;
    for (const auto& sample : samples) batch.push_back({id, sample.time, sample.value});
    engine.on_samples({tenant, {++position}, batch}, kStart + std::chrono::hours{1});
  }
};

/// Distinct times, mostly ascending, some far out of order.
std::vector<Sample> shuffled_samples(std::mt19937_64& random) {
  std::vector<Sample> samples;
  for (int i = 0; i < 60; ++i) {
    samples.push_back({kStart + std::chrono::seconds{i}, static_cast<double>(random() % 30)});
  }
  for (int i = 0; i < 25; ++i) std::swap(samples[random() % 60], samples[random() % 60]);
  return samples;
}

TEST(OutOfOrder, ArrivalsOlderThanWhatWasJudgedChangeNothing) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    std::mt19937_64 random(seed);
    const auto samples = shuffled_samples(random);
    World all;
    World ascending;
    Time newest = kMinTime;
    for (const auto& sample : samples) {
      all.send({sample});
      if (sample.time < newest) continue;
      newest = sample.time;
      ascending.send({sample});
    }
    ASSERT_EQ(all.recorder.said, ascending.recorder.said) << "seed " << seed;
  }
}

TEST(OutOfOrder, WithinABatchOrderDoesNotMatter) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    std::mt19937_64 random(seed);
    auto samples = shuffled_samples(random);
    World together;
    together.send(samples);
    World one_by_one;
    std::sort(samples.begin(), samples.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
    for (const auto& sample : samples) one_by_one.send({sample});
    ASSERT_EQ(together.recorder.said, one_by_one.recorder.said) << "seed " << seed;
    ASSERT_FALSE(together.recorder.said.empty()) << "seed " << seed;
  }
}

TEST(OutOfOrder, HowBatchesAreCutDoesNotChangeTheLastWord) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    std::mt19937_64 random(seed);
    const auto samples = shuffled_samples(random);
    World cut;
    for (std::size_t i = 0; i < samples.size();) {
      const auto size = std::min<std::size_t>(1 + random() % 9, samples.size() - i);
      cut.send(
          {samples.begin() + static_cast<std::ptrdiff_t>(i), samples.begin() + static_cast<std::ptrdiff_t>(i + size)});
      i += size;
    }
    const auto newest =
        *std::max_element(samples.begin(), samples.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
    const auto state = cut.engine.states(default_tenant()).front().level;
    // Beyond the reach of hysteresis the newest sample alone decides.
    if (newest.value > 20) {
      EXPECT_EQ(state, Level::kCritical) << "seed " << seed;
    }
    if (newest.value <= 7) {
      EXPECT_EQ(state, Level::kOk) << "seed " << seed;
    }
    if (newest.value > 10 && newest.value <= 17) {
      EXPECT_EQ(state, Level::kWarning) << "seed " << seed;
    }
  }
}

TEST(SetRules, IsAllOrNothing) {
  World world;
  auto rules = one_rule();
  auto bad = rules.front();
  bad.id = "test/rules/bad";
  bad.threshold = GaugeSpec{.expr = "rate(", .warning = 1};
  rules.push_back(bad);
  std::get<GaugeSpec>(rules.front().threshold).warning = 1;
  const auto set = world.engine.set_rules(rules, kStart);
  ASSERT_FALSE(set);
  EXPECT_NE(set.error().message.find("test/rules/bad"), std::string::npos) << set.error().message;
  EXPECT_EQ(world.engine.rule_count(), 1u);
  world.send({{kStart, 5}});
  EXPECT_TRUE(world.recorder.said.empty());
}

TEST(SetRules, RefusesTheSameIdTwice) {
  World world;
  auto rules = one_rule();
  rules.push_back(rules.front());
  EXPECT_EQ(world.engine.set_rules(rules, kStart).error().code, ErrorCode::kAlreadyExists);
}

TEST(Engine, TenantsAreJudgedApart) {
  World world;
  const TenantId other{"other"};
  const std::vector<storage::SeriesSample> batch{{world.id, kStart, 99}};
  world.engine.on_samples({other, {1}, batch}, kStart);
  EXPECT_TRUE(world.recorder.said.empty());
  EXPECT_TRUE(world.engine.states(other).empty());
}

TEST(Engine, SamplesOfOtherSeriesCostNoQuery) {
  MemorySeries store;
  Recorder recorder;
  Engine engine(store, recorder);
  auto rules = one_rule();
  rules.front().threshold = GaugeSpec{.expr = "temp / size", .warning = 1};
  ASSERT_TRUE(engine.set_rules(rules, kStart));
  const auto before = store.queries();
  const auto id = store.resolve(Labels{{kMetricName, "unrelated"}});
  const TenantId tenant = default_tenant();
  const std::vector<storage::SeriesSample> batch{{id, kStart, 99}};
  engine.on_samples({tenant, {1}, batch}, kStart);
  EXPECT_EQ(store.queries(), before);
}

}  // namespace
}  // namespace atalaya::rules
