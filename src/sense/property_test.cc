// What holds of every pipe, whatever it is made of and whatever comes.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <random>

#include "model/sample.h"
#include "sense/part_types.h"
#include "sense/testing.h"

namespace atalaya::sense {
namespace {

using testing::at;

std::uint64_t seed() {
  const char* given = std::getenv("ATALAYA_TEST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }

  Part aggregator(std::size_t number, const std::vector<std::string>& streams) {
    const auto& types = part_types(Family::kAggregator);
    const auto& type = types[below(types.size())];
    Part part{type.name, {}};
    part.attributes["instream"] = streams[below(streams.size())];
    part.attributes["outstream"] = "s" + std::to_string(number);
    if (type.find("window") != nullptr) part.attributes["window"] = 1.0 + static_cast<double>(below(20));
    if (type.find("by") != nullptr && below(2) == 0) part.attributes["by"] = below(2) == 0 ? "x" : "";
    if (type.name == "EWMA") part.attributes["gain"] = 1.0 + static_cast<double>(below(30));
    if (type.name == "Histogram") part.attributes["bounds"] = "-1,0,10";
    if (type.name == "Threshold") part.attributes.insert({{"raise", 5.0}, {"clear", 2.0}});
    if (type.name == "Filter") part.attributes["match"] = "{x!=\"3\"}";
    if (type.name == "Relabel") part.attributes.insert({{"sourcelabels", "y"}, {"targetlabel", "x"}});
    if (type.name == "Anonymize")
      part.attributes.insert({{"hash", "x"}, {"key", "0123456789abcdef"}, {"epsilon", 1.0}});
    if (type.name == "Join") {
      const auto name = std::get<std::string>(part.attributes["instream"]);
      part.attributes.insert({{"expression", "sum by (x) (" + name + ") * 2"}, {"every", 3.0}});
    }
    return part;
  }

  PipeSpec spec() {
    PipeSpec spec;
    std::vector<std::string> streams{"a", "b"};
    for (const auto& stream : streams) spec.sources.push_back({stream, "Test"});
    const auto count = 1 + below(8);
    for (std::size_t i = 0; i < count; ++i) {
      spec.aggregators.push_back(aggregator(i, streams));
      streams.push_back("s" + std::to_string(i));
    }
    std::shuffle(spec.aggregators.begin(), spec.aggregators.end(), random_);
    for (const auto& stream : streams)
      spec.publishers.push_back({"SendUDP", {{"input", stream}, {"udpAddr", "127.0.0.1:9"}}});
    spec.period = Duration{5'000};
    return spec;
  }

  Record record(Time now) {
    Record out;
    out.time = now + Duration{static_cast<std::int64_t>(below(100'000))} - Duration{30'000};
    if (below(50) == 0) out.time = below(2) == 0 ? kMinTime : kMaxTime;
    LabelsBuilder labels;
    labels.set("x", std::to_string(below(60)));
    if (below(2) == 0) labels.set("y", std::to_string(below(4)));
    out.labels = labels.build();
    switch (below(12)) {
      case 0: out.value = std::nan(""); break;
      case 1: out.value = below(2) == 0 ? INFINITY : -INFINITY; break;
      case 2: out.value = stale_marker(); break;
      case 3: out.text = "a line"; break;
      case 4: out.value = std::uniform_real_distribution(-1e308, 1e308)(random_); break;
      default: out.value = std::uniform_real_distribution(-20.0, 20.0)(random_);
    }
    return out;
  }

 private:
  std::mt19937_64 random_;
};

TEST(AnyPipe, KeepsItsBoundsAndAccountsForWhatItDoes) {
  const auto base = seed();
  SCOPED_TRACE("ATALAYA_TEST_SEED=" + std::to_string(base));
  for (std::uint64_t round = 0; round < 150; ++round) {
    World world(base + round);
    const auto spec = world.spec();
    ASSERT_EQ(testing::error_of(spec), "") << "round " << round;
    constexpr PipeLimits kLimits{.max_series = 20};
    auto pipe = Pipe::make(spec, kLimits);
    ASSERT_TRUE(pipe);
    std::vector<Published> out;
    std::uint64_t pushed = 0, published = 0;
    auto now = at(0);
    for (int step = 0; step < 300; ++step) {
      now += Duration{static_cast<std::int64_t>(world.below(1500))};
      pipe->push(world.below(2) == 0 ? "a" : "b", world.record(now), now, out);
      ++pushed;
      if (world.below(4) == 0) {
        pipe->tick(now, out);
        ASSERT_GT(pipe->due(), now) << "what was due is done";
      }
      ASSERT_LE(pipe->remembered(), kLimits.max_series * spec.aggregators.size());
      published += out.size();
      for (const auto& one : out) ASSERT_LT(one.publisher, spec.publishers.size());
      out.clear();
    }
    EXPECT_EQ(pipe->counters().records, pushed);
    EXPECT_EQ(pipe->counters().published, published);
    // Everything is forgotten in the end.
    for (int i = 0; i < 100 && pipe->due() != kMaxTime; ++i) {
      now = std::max(now, pipe->due());
      pipe->tick(now, out);
    }
    EXPECT_EQ(pipe->remembered(), 0) << "round " << round;
  }
}

TEST(AnyPipe, GivesTheSameForTheSame) {
  const auto base = seed();
  SCOPED_TRACE("ATALAYA_TEST_SEED=" + std::to_string(base));
  const auto run = [&] {
    World world(base);
    auto pipe = Pipe::make(world.spec());
    std::vector<Published> out;
    for (int step = 0; step < 500; ++step) {
      const auto now = at(step);
      pipe->push("a", world.record(now), now, out);
      pipe->tick(now, out);
    }
    std::string text;
    for (const auto& one : out)
      text += fmt::format("{} {} {} {} {}\n", one.publisher, one.stream, to_ms(one.record.time), one.record.value,
                          to_string(one.record.labels));
    return text;
  };
  EXPECT_EQ(run(), run());
}

TEST(AnyPipe, AnAverageLiesWithinItsValues) {
  const auto base = seed();
  SCOPED_TRACE("ATALAYA_TEST_SEED=" + std::to_string(base));
  std::mt19937_64 random(base);
  for (const double gain : {1.0, 1.5, 16.0, 1e6}) {
    testing::Bench bench(testing::one("EWMA", {{"gain", gain}}));
    double least = INFINITY, greatest = -INFINITY;
    for (int i = 0; i < 500; ++i) {
      const auto value = std::uniform_real_distribution(-1e6, 1e6)(random);
      least = std::min(least, value);
      greatest = std::max(greatest, value);
      const auto average = bench.push(i, value).take().at(0).record.value;
      ASSERT_GE(average, least);
      ASSERT_LE(average, greatest);
    }
  }
}

}  // namespace
}  // namespace atalaya::sense
