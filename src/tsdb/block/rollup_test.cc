#include "tsdb/block/rollup.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tsdb/block/block_test_support.h"

namespace atalaya::tsdb {
namespace {

const double kNoValue = std::numeric_limits<double>::quiet_NaN();
const double kStale = std::bit_cast<double>(kStaleBits);

std::vector<BlockPtr> written(io::FileSystem& disk, const std::vector<PlainBlock>& sources) {
  std::vector<BlockPtr> blocks;
  for (const auto& source : sources) {
    const auto sequence = blocks.size() + 1;
    blocks.push_back(write_plain(disk, "source-" + std::to_string(sequence), source, {}, sequence).value());
  }
  return blocks;
}

PlainSeries rolled(const PlainSeries& raw, std::int64_t resolution = kFiveMinutes) {
  io::MemoryFileSystem disk;
  const auto name = named("acme", "up");
  const auto block = rollup_blocks(disk, "r", written(disk, {{{name, raw}}}), resolution, {}, {}, {}).value();
  EXPECT_TRUE(block->verify());
  EXPECT_EQ(block->meta().resolution, resolution);
  EXPECT_EQ(block->meta().columns, kRollupColumns);
  return read_plain(*block).value().at(name);
}

/// The definition, as docs/formats/block.md says it, one bucket at a time.
PlainSeries rolled_plainly(const PlainSeries& raw, std::int64_t resolution) {
  std::map<std::int64_t, std::vector<double>> buckets;
  for (const auto& [time, value] : raw) {
    auto k = time / resolution;
    if (time < 0 && time % resolution != 0) --k;
    buckets[(k + 1) * resolution - 1].push_back(std::bit_cast<double>(value[0]));
  }
  PlainSeries out;
  for (const auto& [instant, values] : buckets) {
    double count = 0;
    double sum = 0;
    double min = kNoValue;
    double max = kNoValue;
    for (const double value : values) {
      if (std::isnan(value)) continue;
      sum += value;
      min = count == 0 ? value : value < min ? value : min;
      max = count == 0 ? value : value > max ? value : max;
      ++count;
    }
    out[instant] = bits({count, sum, min, max, values.back()});
  }
  return out;
}

/// Whole numbers, so that sums are the same in any order.
PlainBlock random_whole_numbers(std::mt19937_64& random, std::int64_t start) {
  auto plain = random_plain(random, 1, start);
  for (auto& [name, series] : plain) {
    for (auto& [time, value] : series) {
      const auto kind = random() % 8;
      value[0] = std::bit_cast<std::uint64_t>(static_cast<double>(random() % 2000) - 1000);
      if (kind == 0) value[0] = kStaleBits;
      if (kind == 1 && random() % 3 == 0) value[0] = std::bit_cast<std::uint64_t>(kNoValue);
    }
  }
  return plain;
}

TEST(Rollup, ABucketIsCountSumMinMaxAndLastAtItsLastMillisecond) {
  EXPECT_EQ(rolled({{0, bits({3})}, {150'000, bits({-1})}, {299'999, bits({2})}, {300'000, bits({7})}}),
            (PlainSeries{{299'999, bits({3, 4, -1, 3, 2})}, {599'999, bits({1, 7, 7, 7, 7})}}));
  EXPECT_EQ(rolled({{-1, bits({3})}, {-300'000, bits({4})}, {-300'001, bits({5})}}),
            (PlainSeries{{-300'001, bits({1, 5, 5, 5, 5})}, {-1, bits({2, 7, 3, 4, 3})}}));
}

TEST(Rollup, StaleMarkersAndNaNsAreNotCounted) {
  EXPECT_EQ(rolled({{0, bits({kStale})}, {1, bits({5})}, {2, bits({kNoValue})}, {3, bits({6})}}),
            (PlainSeries{{299'999, bits({2, 11, 5, 6, 6})}}));
  EXPECT_EQ(rolled({{0, bits({5})}, {1, bits({kNoValue})}}), (PlainSeries{{299'999, bits({1, 5, 5, 5, kNoValue})}}));
}

TEST(Rollup, ABucketOfStaleMarkersAloneIsStale) {
  EXPECT_EQ(rolled({{0, bits({kStale})}, {1, bits({kStale})}}),
            (PlainSeries{{299'999, bits({0, 0, kNoValue, kNoValue, kStale})}}));
}

TEST(Rollup, ASeriesThatEndsWithinABucketIsStaleAtItsEnd) {
  EXPECT_EQ(rolled({{0, bits({8})}, {15'000, bits({kStale})}}), (PlainSeries{{299'999, bits({1, 8, 8, 8, kStale})}}));
}

TEST(Rollup, InfinitiesAreValues) {
  EXPECT_EQ(rolled({{0, bits({INFINITY})}, {1, bits({1})}}),
            (PlainSeries{{299'999, bits({2, INFINITY, 1, INFINITY, 1})}}));
}

TEST(Rollup, TheInstantsAtTheEdgesOfTimeHaveABucket) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(bucket_instant(kMost, kOneHour), kMost);
  EXPECT_EQ(bucket_instant(kMost - 1, kFiveMinutes), kMost);
  const auto least = bucket_instant(std::numeric_limits<std::int64_t>::min(), kFiveMinutes);
  EXPECT_EQ((least + 1) % kFiveMinutes, 0);
  EXPECT_LT(least, std::numeric_limits<std::int64_t>::min() + kFiveMinutes);
}

TEST(Rollup, RandomRawBlocksBecomeWhatTheDefinitionSaysAndHoursMadeOfFiveMinutesAreTheSame) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 40; ++round) {
    io::MemoryFileSystem disk;
    std::vector<PlainBlock> sources;
    PlainBlock merged;
    for (std::uint64_t i = 0; i < 1 + random() % 4; ++i) {
      sources.push_back(random_whole_numbers(random, static_cast<std::int64_t>(random() % 5'000'000) - 2'500'000));
      for (const auto& [name, series] : sources.back()) merged[name].insert(series.begin(), series.end());
    }
    const auto blocks = written(disk, sources);
    PlainBlock minutes;
    PlainBlock hours;
    for (const auto& [name, series] : merged) {
      minutes[name] = rolled_plainly(series, kFiveMinutes);
      hours[name] = rolled_plainly(series, kOneHour);
    }
    const BlockOptions options{1 + static_cast<std::uint32_t>(random() % 9), 128, 1};
    const std::vector<BlockPtr> fine{rollup_blocks(disk, "5m", blocks, kFiveMinutes, options, {}, {}).value()};
    ASSERT_EQ(read_plain(*fine[0]).value(), minutes);
    ASSERT_EQ(read_plain(*rollup_blocks(disk, "1h", blocks, kOneHour, options, {}, {}).value()).value(), hours);
    ASSERT_EQ(read_plain(*rollup_blocks(disk, "h", fine, kOneHour, options, {}, {}).value()).value(), hours);
  }
}

TEST(Rollup, WhatIsDroppedIsNotInABucket) {
  io::MemoryFileSystem disk;
  const auto name = named("acme", "up");
  const auto blocks = written(disk, {{{name, {{0, bits({1})}, {1, bits({2})}, {300'000, bits({4})}}}}});
  const auto drop = [](const TenantId&, const Labels&) {
    return std::vector<storage::TimeRange>{{from_ms(1), from_ms(400'000)}};
  };
  const auto block = rollup_blocks(disk, "r", blocks, kFiveMinutes, {}, drop, {}).value();
  EXPECT_EQ(read_plain(*block).value().at(name), (PlainSeries{{299'999, bits({1, 1, 1, 1, 1})}}));
}

TEST(Rollup, OnlyFinerBlocksOfOneResolutionBecomeCoarserOnes) {
  io::MemoryFileSystem disk;
  const auto raw = written(disk, {{{named("acme", "up"), {{0, bits({1})}}}}});
  const std::vector<BlockPtr> fine{rollup_blocks(disk, "5m", raw, kFiveMinutes, {}, {}, {}).value()};
  const std::vector<BlockPtr> coarse{rollup_blocks(disk, "1h", fine, kOneHour, {}, {}, {}).value()};
  const auto refused = [&](const std::vector<BlockPtr>& blocks, std::int64_t resolution) {
    const auto block = rollup_blocks(disk, "r", blocks, resolution, {}, {}, {});
    return !block && block.error().code == ErrorCode::kInvalidArgument && !disk.exists("r.new");
  };
  EXPECT_TRUE(refused(fine, kFiveMinutes));
  EXPECT_TRUE(refused(coarse, kOneHour));
  EXPECT_TRUE(refused(coarse, kFiveMinutes));
  EXPECT_TRUE(refused(raw, 60'000));
  EXPECT_TRUE(refused(raw, 0));
  EXPECT_TRUE(refused({}, kOneHour));
  EXPECT_TRUE(refused({raw[0], fine[0]}, kOneHour));
}

}  // namespace
}  // namespace atalaya::tsdb
