#include "ingest/remote_read.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <random>

#include "ingest/remote_write_for_tests.h"
#include "ingest/xor_chunk.h"
#include "io/checksum.h"

namespace atalaya::ingest {
namespace {

using ::testing::HasSubstr;
using testing::label;
using testing::Proto;
using testing::sample;

Proto matcher(std::uint64_t type, std::string_view name, std::string_view value) {
  return Proto().number(1, type).bytes(2, name).bytes(3, value);
}

std::vector<Sample> samples_of(std::initializer_list<std::pair<std::int64_t, double>> pairs) {
  std::vector<Sample> out;
  for (const auto& [ms, value] : pairs) out.push_back({from_ms(ms), value});
  return out;
}

/// A chunk read bit by bit, with nothing of what writes it.
class ChunkReader {
 public:
  explicit ChunkReader(std::string_view chunk) : chunk_(chunk) {}

  std::vector<Sample> read() {
    const auto count = bits(16);
    std::vector<Sample> out;
    std::int64_t time = 0;
    std::int64_t distance = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      if (i == 0) {
        const auto coded = varint();
        time = static_cast<std::int64_t>(coded >> 1) ^ -static_cast<std::int64_t>(coded & 1);
        value_ = bits(64);
      } else {
        distance = i == 1 ? static_cast<std::int64_t>(varint()) : distance + change();
        time += distance;
        read_value();
      }
      out.push_back({from_ms(time), std::bit_cast<double>(value_)});
    }
    EXPECT_EQ((at_ + 7) / 8, chunk_.size()) << "nothing lies behind the last sample";
    return out;
  }

 private:
  std::uint64_t bits(unsigned count) {
    std::uint64_t out = 0;
    for (; count > 0; --count, ++at_) {
      const auto byte = static_cast<unsigned char>(chunk_.at(at_ / 8));
      out = out << 1 | ((byte >> (7 - at_ % 8)) & 1);
    }
    return out;
  }
  std::uint64_t varint() {
    std::uint64_t out = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = bits(8);
      out |= (byte & 0x7f) << shift;
      if (byte < 0x80) return out;
    }
  }
  std::int64_t change() {
    for (const unsigned width : {0U, 14U, 17U, 20U}) {
      if (bits(1) == 1) continue;
      if (width == 0) return 0;
      const auto raw = static_cast<std::int64_t>(bits(width));
      const auto half = std::int64_t{1} << (width - 1);
      return raw > half ? raw - 2 * half : raw;
    }
    return static_cast<std::int64_t>(bits(64));
  }
  void read_value() {
    if (bits(1) == 0) return;
    if (bits(1) == 1) {
      leading_ = static_cast<unsigned>(bits(5));
      width_ = static_cast<unsigned>(bits(6));
      if (width_ == 0) width_ = 64;
    }
    value_ ^= bits(width_) << (64 - leading_ - width_);
  }

  std::string_view chunk_;
  std::size_t at_ = 0;
  std::uint64_t value_ = 0;
  unsigned leading_ = 0;
  unsigned width_ = 0;
};

void expect_same(const std::vector<Sample>& samples) {
  const auto read = ChunkReader(xor_chunk(samples)).read();
  ASSERT_EQ(read.size(), samples.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].time, samples[i].time) << i;
    EXPECT_EQ(std::bit_cast<std::uint64_t>(read[i].value), std::bit_cast<std::uint64_t>(samples[i].value)) << i;
  }
}

TEST(RemoteRead, ARequestSaysWhatIsAsked) {
  const auto query = Proto()
                         .number(1, 1000)
                         .number(2, 2000)
                         .message(3, matcher(0, "__name__", "up"))
                         .message(3, matcher(3, "job", "a.*"))
                         .message(4, Proto().number(1, 15'000));
  const auto read = read_remote_read(Proto().message(1, query).str());
  ASSERT_TRUE(read);
  ASSERT_EQ(read->queries.size(), 1U);
  EXPECT_EQ(read->queries[0].range, (storage::TimeRange{from_ms(1000), from_ms(2000)}));
  EXPECT_EQ(to_string(read->queries[0].matchers), R"({__name__="up",job!~"a.*"})");
  EXPECT_FALSE(read->in_chunks);
}

TEST(RemoteRead, TheFirstFormThatThereIsIsTaken) {
  const auto packed = [](std::string_view types) { return read_remote_read(Proto().bytes(2, types).str()); };
  EXPECT_TRUE(packed(std::string_view("\1\0", 2))->in_chunks);
  EXPECT_FALSE(packed(std::string_view("\0\1", 2))->in_chunks);
  EXPECT_TRUE(packed("\7\1")->in_chunks) << "one that comes later than this program";
  EXPECT_TRUE(read_remote_read(Proto().number(2, 1).number(2, 0).str())->in_chunks);
  EXPECT_THAT(packed("\7").error().message, HasSubstr("none of the accepted response types"));
}

TEST(RemoteRead, WhatIsNoRequestIsRefused) {
  EXPECT_EQ(read_remote_read("\x0a\xff").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(read_remote_read("\x0b").error().code, ErrorCode::kInvalidArgument) << "a group";
  const auto with = [](const Proto& one) {
    return read_remote_read(Proto().message(1, Proto().message(3, one)).str());
  };
  EXPECT_THAT(with(matcher(2, "a", "(")).error().message, HasSubstr("missing closing )"));
  EXPECT_THAT(with(matcher(9, "a", "b")).error().message, HasSubstr("matcher type 9"));
  EXPECT_THAT(with(matcher(0, "a", "\xff")).error().message, HasSubstr("UTF-8"));
  Proto many;
  for (std::size_t i = 0; i <= kMaxRemoteReadQueries; ++i) many.message(1, Proto());
  EXPECT_EQ(read_remote_read(many.str()).error().code, ErrorCode::kTooLarge);
}

TEST(RemoteRead, SamplesAreOneMessageWithAResultForEachQuery) {
  RemoteReadAnswer answer(false);
  answer.begin_query();
  answer.add(Labels{{"__name__", "up"}, {"job", "a"}}, samples_of({{-5, 1}, {1000, stale_marker()}}));
  answer.add(Labels{{"__name__", "up"}, {"job", "b"}}, {});
  answer.begin_query();
  const auto series = Proto()
                          .message(1, label("__name__", "up"))
                          .message(1, label("job", "a"))
                          .message(2, sample(-5, 1))
                          .message(2, sample(1000, stale_marker()));
  EXPECT_EQ(answer.take(), Proto().message(1, Proto().message(1, series)).message(1, Proto()).str());
}

TEST(RemoteRead, ChunksAreFramedWithTheNumberOfTheirQuery) {
  RemoteReadAnswer answer(true);
  answer.begin_query();
  answer.begin_query();
  std::vector<Sample> samples;
  for (int i = 0; i < 121; ++i) samples.push_back({from_ms(15'000 * i), i * 0.5});
  answer.add(Labels{{"__name__", "up"}}, samples);
  const auto text = answer.take();
  ByteReader in(text);
  const auto size = in.varint();
  std::uint32_t sum = 0;
  for (int i = 0; i < 4; ++i) sum = sum << 8 | in.u8();
  const auto message = in.raw(size);
  EXPECT_TRUE(in.ok() && in.at_end());
  EXPECT_EQ(sum, io::crc32c(message));
  const auto chunk = [&](std::size_t from, std::size_t count) {
    const auto some = std::span(samples).subspan(from, count);
    return Proto()
        .number(1, static_cast<std::uint64_t>(to_ms(some.front().time)))
        .number(2, static_cast<std::uint64_t>(to_ms(some.back().time)))
        .number(3, 1)
        .bytes(4, xor_chunk(some));
  };
  const auto series = Proto().message(1, label("__name__", "up")).message(2, chunk(0, 120)).message(2, chunk(120, 1));
  EXPECT_EQ(message, Proto().message(1, series).number(2, 1).str());
}

TEST(RemoteRead, ASeriesThatIsLargeIsDividedIntoFrames) {
  RemoteReadAnswer answer(true);
  answer.begin_query();
  std::mt19937_64 random(1);
  std::vector<Sample> samples;
  for (int i = 0; i < 300'000; ++i) samples.push_back({from_ms(i), std::bit_cast<double>(random() >> 2)});
  answer.add(Labels{{"__name__", "up"}}, samples);
  const auto text = answer.take();
  ByteReader in(text);
  int frames = 0;
  for (; in.ok() && !in.at_end(); ++frames) {
    const auto size = in.varint();
    EXPECT_LT(size, (1U << 20) + 4096);
    in.raw(size + 4);
  }
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(frames, 3);
}

TEST(XorChunk, ReadsBackAsItWas) {
  expect_same(samples_of({{0, 0}}));
  expect_same(samples_of({{-1'700'000'000'000, -0.0}, {1'700'000'000'000, stale_marker()}}));
  expect_same(samples_of({{1, 1}, {2, 1}, {3, 1}, {4, std::numeric_limits<double>::infinity()}, {5, NAN}}));
  // Distances at the borders of each width.
  std::vector<Sample> samples;
  std::int64_t time = 0;
  std::int64_t distance = 3'000'000;
  for (const std::int64_t change : {0, 8192, -8191, 8193, -8192, 65536, -65535, 65537, -65536, 524288, -524287, 524289,
                                    -524288, 1'000'000'000, -1'000'000'000}) {
    distance += change;
    time += distance;
    samples.push_back({from_ms(time), static_cast<double>(change)});
  }
  expect_same(samples);
}

TEST(XorChunk, ReadsBackWhateverTheBitsAre) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<Sample> samples;
    std::int64_t time = 1'700'000'000'000;
    std::uint64_t bits = random();
    for (int i = 0; i < 120; ++i) {
      time += 1 + static_cast<std::int64_t>(random() % (std::uint64_t{1} << (random() % 30)));
      if (random() % 3 != 0) bits ^= (random() >> (random() % 64)) << (random() % 64);
      samples.push_back({from_ms(time), std::bit_cast<double>(bits)});
    }
    expect_same(samples);
  }
}

}  // namespace
}  // namespace atalaya::ingest
