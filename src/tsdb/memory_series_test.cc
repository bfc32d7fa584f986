#include "tsdb/memory_series.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace atalaya::tsdb {
namespace {

std::vector<std::pair<std::int64_t, double>> all(const MemorySeries& series, storage::TimeRange range = {}) {
  std::vector<std::pair<std::int64_t, double>> out;
  const auto it = series.snapshot(range);
  for (Sample sample; it->next(sample);) out.emplace_back(to_ms(sample.time), sample.value);
  return out;
}

TEST(MemorySeries, MatchesAMapForAppendsInAnyOrder) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20; ++round) {
    MemorySeries series(nullptr);
    std::map<std::int64_t, double> model;
    std::int64_t now = 0;
    const int disorder = round % 4;  // 0: in order; 3: anything goes
    for (int i = 0; i < 3000; ++i) {
      now += static_cast<std::int64_t>(random() % 3);
      const bool out_of_order = disorder > 0 && random() % 10 < static_cast<unsigned>(disorder * 3);
      const auto time = out_of_order ? static_cast<std::int64_t>(random() % static_cast<unsigned>(now + 1)) : now;
      const double value = static_cast<double>(random() % 100);
      const bool fresh = model.emplace(time, value).second;
      ASSERT_EQ(series.append(from_ms(time), value), fresh);
    }
    EXPECT_EQ(all(series), (std::vector<std::pair<std::int64_t, double>>(model.begin(), model.end())));
    const auto from = static_cast<std::int64_t>(random() % 3000);
    const auto to = from + static_cast<std::int64_t>(random() % 1000);
    const storage::TimeRange range{from_ms(from), from_ms(to)};
    const std::vector<std::pair<std::int64_t, double>> part(model.lower_bound(from), model.upper_bound(to));
    EXPECT_EQ(all(series, range), part);
    EXPECT_EQ(series.has_samples(range), !part.empty());
    for (std::int64_t t = from; t < from + 50; ++t) {
      const auto it = model.find(t);
      EXPECT_EQ(series.value_at(from_ms(t)), it == model.end() ? std::nullopt : std::optional(it->second));
    }
  }
}

TEST(MemorySeries, ASnapshotStaysAsItWas) {
  MemorySeries series(nullptr);
  for (int i = 0; i < 100; ++i) series.append(from_ms(i), i);
  const auto snapshot = series.snapshot({});
  for (int i = 100; i < 1000; ++i) series.append(from_ms(i), i);
  series.drop_before(from_ms(900));
  int count = 0;
  for (Sample sample; snapshot->next(sample);) ++count;
  EXPECT_EQ(count, 100);
}

TEST(MemorySeries, DroppingForgetsWholeChunksAndTheTail) {
  MemorySeries series(nullptr);
  for (int i = 0; i < 1000; ++i) series.append(from_ms(i), i);
  series.drop_before(from_ms(600));
  const auto left = all(series);
  EXPECT_GE(left.front().first, 600 - 256);
  EXPECT_EQ(left.back().first, 999);
  series.drop_before(from_ms(1000));
  EXPECT_FALSE(series.has_samples());
}

/// A day of a host's metrics at one second: counters that run, gauges that wander, values that stand.
TEST(MemorySeries, ADayOfAHostTakesAtMostFourBytesASample) {
  std::mt19937_64 random(7);
  std::size_t bytes = 0;
  std::size_t samples = 0;
  for (int shape = 0; shape < 10; ++shape) {
    MemorySeries series(nullptr);
    double value = 1e6;
    std::int64_t time = 1'700'000'000'000;
    for (int i = 0; i < 10'000; ++i, ++samples) {
      time += 1000 + static_cast<std::int64_t>(random() % 3) - 1;
      if (shape == 0) value += static_cast<double>(random() % 100'000);               // bytes on a busy network
      if (shape == 1) value += static_cast<double>(random() % 100) / 100;             // seconds of a processor
      if (shape == 2) value += 4096.0 * (static_cast<double>(random() % 512) - 256);  // free memory
      if (shape == 3 && random() % 20 == 0) value += 1;                               // rare events
      series.append(from_ms(time), value);
    }
    bytes += series.memory_bytes();
  }
  RecordProperty("bytes_per_sample_x100", static_cast<int>(100 * bytes / samples));
  EXPECT_LE(static_cast<double>(bytes) / static_cast<double>(samples), 4.0);
}

}  // namespace
}  // namespace atalaya::tsdb
