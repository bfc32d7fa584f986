#include "tsdb/head/stream.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace atalaya::tsdb {
namespace {

struct Stream {
  SeriesState state;
  std::shared_ptr<Arena> arena = std::make_shared<Arena>();
  std::uint16_t chunk_samples = 128;
  std::vector<Sample> model;

  void add(std::int64_t time, double value) {
    append(state, *arena, chunk_samples, time, value);
    model.push_back({from_ms(time), value});
  }
  std::vector<Sample> read(storage::TimeRange range = {}) const {
    std::vector<Sample> out;
    StreamView::of(arena, state.chunk, state.count, range).read(range, out);
    return out;
  }
};

void expect_same(const std::vector<Sample>& found, const std::vector<Sample>& wanted) {
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    ASSERT_EQ(found[i].time, wanted[i].time) << i;
    ASSERT_EQ(std::bit_cast<std::uint64_t>(found[i].value), std::bit_cast<std::uint64_t>(wanted[i].value)) << i;
  }
}

TEST(HeadStream, EveryBitOfEveryValueComesBack) {
  Stream stream;
  std::int64_t time = 1'700'000'000'000;
  for (const double value : {0.0,
                             -0.0,
                             0.0,
                             1.0,
                             -1.0,
                             0x1p53,
                             0x1p53 - 1,
                             -0x1p53 + 1,
                             1e300,
                             0.1,
                             0.2,
                             5e-324,
                             std::nan(""),
                             stale_marker(),
                             std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity(),
                             42.0,
                             105.0,
                             1e15,
                             1e15 + 1,
                             -1e15,
                             3.0,
                             3.0,
                             3.0}) {
    stream.add(time, value);
    time += 15'000;
  }
  expect_same(stream.read(), stream.model);
}

TEST(HeadStream, AnyStepInTimeComesBack) {
  Stream stream;
  std::int64_t time = 0;
  for (const std::int64_t step :
       {0LL, 1LL, 1LL, 63LL, 64LL, 2047LL, 2049LL, 500'000LL, 1LL << 30, 1LL << 31, 1LL << 40, 1LL}) {
    time += step;
    stream.add(time, static_cast<double>(step));
  }
  expect_same(stream.read(), stream.model);
}

TEST(HeadStream, AConstantAtAConstantStepTakesTwoBitsASample) {
  Stream stream;
  stream.chunk_samples = 1000;
  for (int i = 0; i < 128; ++i) stream.add(i * 15'000, 7);
  std::size_t lines = 1;
  for (auto line = stream.state.chunk; line != stream.state.line; ++line) ++lines;
  EXPECT_LE(lines, 2u);
}

TEST(HeadStream, AViewStaysWhileTheStreamGrows) {
  Stream stream;
  stream.chunk_samples = 16;
  for (int i = 0; i < 40; ++i) stream.add(i * 1000, i * 0.37);
  const auto view = StreamView::of(stream.arena, stream.state.chunk, stream.state.count, {});
  const auto wanted = stream.model;
  for (int i = 40; i < 100; ++i) stream.add(i * 1000, i);
  std::vector<Sample> found;
  view.read({}, found);
  expect_same(found, wanted);
}

TEST(HeadStream, ReadsAnyRangeOfRandomStreams) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 60; ++round) {
    Stream stream;
    stream.chunk_samples = static_cast<std::uint16_t>(1 + random() % 40);
    std::int64_t time = static_cast<std::int64_t>(random() % 1'000'000);
    double value = 0;
    for (int i = 0; i < 300; ++i) {
      time += 1 + static_cast<std::int64_t>(random() % (random() % 4 == 0 ? 1'000'000 : 20));
      switch (random() % 5) {
        case 0: value += static_cast<double>(random() % 100); break;
        case 1: value = std::bit_cast<double>(random()); break;
        case 2: value = static_cast<double>(random() % 1000) / 100; break;
        default: break;
      }
      stream.add(time, value);
    }
    expect_same(stream.read(), stream.model);
    for (int i = 0; i < 20; ++i) {
      storage::TimeRange range{stream.model[random() % 300].time, stream.model[random() % 300].time};
      range.from -= Duration{static_cast<std::int64_t>(random() % 3)};
      std::vector<Sample> wanted;
      for (const auto& sample : stream.model) {
        if (sample.time >= range.from && sample.time <= range.to) wanted.push_back(sample);
      }
      expect_same(stream.read(range), wanted);
    }
    std::vector<std::int64_t> times;
    std::vector<double> values;
    read_chain(*stream.arena, stream.state.chunk, stream.state.count, times, values);
    ASSERT_EQ(times.size(), stream.model.size());
    EXPECT_EQ(times.back(), to_ms(stream.model.back().time));
  }
}

}  // namespace
}  // namespace atalaya::tsdb
