#include "tsdb/log/legacy_batch.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

namespace atalaya::tsdb {
namespace {

TEST(SeriesRecord, ABatchComesBackBitByBit) {
  BatchRecord batch;
  batch.tenant = TenantId{"t1"};
  batch.origin = {"agent:7", 42};
  batch.definitions = {{3, Labels{{"__name__", "up"}, {"job", "a"}}}, {900, Labels{{"__name__", "down"}}}};
  for (const double value : {0.0, -0.0, 12.34, 1e300, std::nan(""), stale_marker(), -9007199254740992.0}) {
    batch.samples.push_back({SeriesId{batch.samples.size() % 2 ? 900u : 3u}, from_ms(1'700'000'000'123), value});
  }
  batch.samples.push_back({SeriesId{3}, from_ms(-5), 1});
  const auto back = decode_batch(encode_batch(batch));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->tenant, batch.tenant);
  EXPECT_EQ(back->origin.source, "agent:7");
  EXPECT_EQ(back->origin.sequence, 42u);
  ASSERT_EQ(back->definitions.size(), 2u);
  EXPECT_EQ(back->definitions[1].labels, batch.definitions[1].labels);
  ASSERT_EQ(back->samples.size(), batch.samples.size());
  for (std::size_t i = 0; i < batch.samples.size(); ++i) {
    EXPECT_EQ(back->samples[i].series, batch.samples[i].series);
    EXPECT_EQ(back->samples[i].time, batch.samples[i].time);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(back->samples[i].value),
              std::bit_cast<std::uint64_t>(batch.samples[i].value));
  }
}

TEST(SeriesRecord, EveryCutIsCorruption) {
  BatchRecord batch;
  batch.tenant = TenantId{"t1"};
  batch.definitions = {{3, Labels{{"__name__", "up"}}}};
  batch.samples = {{SeriesId{3}, from_ms(1000), 1.5}};
  const auto bytes = encode_batch(batch);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto back = decode_batch(bytes.substr(0, size));
    ASSERT_FALSE(back) << size;
    EXPECT_EQ(back.error().code, ErrorCode::kCorruption);
  }
}

}  // namespace
}  // namespace atalaya::tsdb
