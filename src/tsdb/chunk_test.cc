#include "tsdb/chunk.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace atalaya::tsdb {
namespace {

std::vector<Sample> decoded(const Chunk& chunk) {
  std::vector<Sample> out;
  decode_chunk(chunk, out);
  return out;
}

void expect_round_trip(const std::vector<Sample>& samples) {
  const auto out = decoded(*encode_chunk(samples));
  ASSERT_EQ(out.size(), samples.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    EXPECT_EQ(out[i].time, samples[i].time) << i;
    EXPECT_EQ(std::bit_cast<std::uint64_t>(out[i].value), std::bit_cast<std::uint64_t>(samples[i].value)) << i;
  }
}

std::vector<Sample> at_seconds(const std::vector<double>& values) {
  std::vector<Sample> out;
  for (const double v : values) out.push_back({from_ms(1'700'000'000'000 + 1000 * static_cast<int>(out.size())), v});
  return out;
}

TEST(Chunk, KeepsEveryBitOfSpecialValues) {
  expect_round_trip(at_seconds({0.0, -0.0, std::nan(""), stale_marker(), INFINITY, -INFINITY, 5e-324, 1.7e308,
                                std::nextafter(1, 2), -1.5, 1e22}));
}

TEST(Chunk, KeepsDecimalsExactly) {
  expect_round_trip(at_seconds({0.1, 0.25, -12.345678, 1e9, 123456.78, 0}));
  expect_round_trip(at_seconds({9007199254740992, -9007199254740992, 1}));
}

TEST(Chunk, KeepsTimesOfAnyDistance) {
  expect_round_trip({{kMinTime, 1}, {from_ms(0), 2}, {from_ms(1), 3}, {kMaxTime, 4}});
  expect_round_trip({{from_ms(7), 1}});
}

TEST(Chunk, KeepsRandomSeriesOfEveryShape) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 500; ++round) {
    std::vector<Sample> samples;
    auto time = static_cast<std::int64_t>(random() % 2'000'000'000'000);
    const auto shape = random() % 4;
    double value = 0;
    for (std::size_t i = 0; i < 1 + random() % 300; ++i) {
      time += 1 + static_cast<std::int64_t>(random() % (round % 7 == 0 ? 100'000'000 : 1100));
      if (shape == 0) value += static_cast<double>(random() % 1000);
      if (shape == 1) value = static_cast<double>(random() % 100000) / 100;
      if (shape == 2) value = std::bit_cast<double>(random());
      if (shape == 3) value = std::sin(static_cast<double>(i));
      samples.push_back({from_ms(time), value});
    }
    expect_round_trip(samples);
  }
}

TEST(Chunk, ConstantAndRegularSeriesTakeNextToNothing) {
  std::vector<double> constant(256, 42);
  EXPECT_LE(encode_chunk(at_seconds(constant))->bytes.size(), 256u * 2 / 8 + 24);
}

TEST(Chunk, WrongCountIsCorruption) {
  const auto chunk = encode_chunk(at_seconds({1, 2, 300000, 4}));
  std::vector<Sample> out;
  EXPECT_FALSE(decode_chunk(chunk->bytes, 40, out));
  EXPECT_FALSE(decode_chunk(chunk->bytes, 1, out));
  EXPECT_TRUE(decode_chunk(chunk->bytes, 4, out));
}

}  // namespace
}  // namespace atalaya::tsdb
