#include "tsdb/log/records.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

namespace atalaya::tsdb {
namespace {

const TenantId kTenant{"t1"};

TEST(LogRecords, SamplesComeBackBitByBit) {
  for (const std::int64_t far : {std::int64_t{0}, std::int64_t{-7}, std::int64_t{1} << 40}) {
    std::vector<storage::SeriesSample> samples;
    for (const double value : {0.0, -0.0, 12.34, std::nan(""), stale_marker()}) {
      samples.push_back({SeriesId{samples.size() * 1000 + 1}, from_ms(1'700'000'000'123), value});
    }
    samples.push_back({SeriesId{4'294'967'294}, from_ms(1'700'000'000'123 + far), 1});
    std::string bytes;
    encode_samples(kTenant, {"agent:7", 42}, samples, bytes);
    SamplesRecord back;
    ASSERT_TRUE(decode_samples(bytes, back));
    EXPECT_EQ(back.tenant, kTenant);
    EXPECT_EQ(back.origin.source, "agent:7");
    EXPECT_EQ(back.origin.sequence, 42u);
    ASSERT_EQ(back.samples.size(), samples.size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
      EXPECT_EQ(back.samples[i].series, samples[i].series);
      EXPECT_EQ(back.samples[i].time, samples[i].time);
      EXPECT_EQ(std::bit_cast<std::uint64_t>(back.samples[i].value), std::bit_cast<std::uint64_t>(samples[i].value));
    }
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(decode_samples(bytes.substr(0, size), back).error().code, ErrorCode::kCorruption) << size;
    }
  }
}

TEST(LogRecords, DefinitionsSharePairsAndComeBack) {
  const std::vector<Definition> definitions{{7, Labels{{"__name__", "up"}, {"job", "a"}}},
                                            {3, Labels{{"__name__", "up"}, {"job", "b"}}},
                                            {900, Labels{{"job", "a"}}}};
  const auto bytes = encode_definitions(kTenant, definitions);
  DefinitionsView back;
  ASSERT_TRUE(decode_definitions(bytes, back));
  EXPECT_EQ(back.tenant, kTenant);
  EXPECT_EQ(back.ids, (std::vector<std::uint32_t>{7, 3, 900}));
  EXPECT_EQ(back.pairs.size(), 3u);
  for (std::size_t i = 0; i < definitions.size(); ++i) {
    LabelsPacker packer;
    for (const auto member : back.members_of(i)) packer.add(back.pairs[member].first, back.pairs[member].second);
    EXPECT_EQ(packer.take(), definitions[i].labels);
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(decode_definitions(bytes.substr(0, size), back).error().code, ErrorCode::kCorruption) << size;
  }
}

TEST(LogRecords, NamesOutOfOrderAreCorruption) {
  auto bytes = encode_definitions(kTenant, std::vector<Definition>{{1, Labels{{"a", "1"}, {"b", "2"}}}});
  std::swap(bytes[bytes.size() - 1], bytes[bytes.size() - 2]);
  DefinitionsView back;
  EXPECT_EQ(decode_definitions(bytes, back).error().code, ErrorCode::kCorruption);
}

TEST(LogRecords, MarksAndHeadsComeBack) {
  storage::OriginMarks marks;
  marks.remember(TenantId{"a"}, {"x", 5});
  storage::OriginMarks marks_back;
  ASSERT_TRUE(decode_marks(encode_marks(marks), marks_back));
  EXPECT_EQ(marks_back.last(TenantId{"a"}, "x"), 5u);

  const CheckpointHead head{storage::LogPosition{77}, 9, {{TenantId{"a"}, 3}, {TenantId{"b"}, 4}}};
  CheckpointHead back;
  ASSERT_TRUE(decode_checkpoint_head(encode_checkpoint_head(head), back));
  EXPECT_EQ(back.flushed, head.flushed);
  EXPECT_EQ(back.next_sequence, 9u);
  EXPECT_EQ(back.next_ids, head.next_ids);
}

}  // namespace
}  // namespace atalaya::tsdb
