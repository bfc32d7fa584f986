// What a Store refuses, and how it comes back.
#include <gtest/gtest.h>

#include "tsdb/store_test_support.h"

namespace atalaya::tsdb {
namespace {

class StoreLimits : public StoreTest {};
INSTANTIATE_TEST_SUITE_P(Under, StoreLimits, testing::ValuesIn(kHostileOptions), name_of);

TEST_P(StoreLimits, AFullDiskRefusesWritesServesReadsAndRecovers) {
  open();
  ASSERT_TRUE(append("up", 1000, 1, {"agent:a", 1}));
  files_.set_capacity(0);
  const auto refused = append("up", 2000, 2, {"agent:a", 2});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(refused.error().remedy.empty());
  EXPECT_EQ(contents(), (StoreModel{{"up", {{1000, 1}}}}));
  EXPECT_TRUE(metrics_say("atalaya_tsdb_read_only 1"));
  files_.set_capacity(1 << 20);
  EXPECT_FALSE(append("up", 2000, 2, {"agent:a", 2}));  // not tried again yet
  clock_.advance(Duration{1000});
  EXPECT_TRUE(append("up", 2000, 2, {"agent:a", 2}));
  EXPECT_TRUE(metrics_say("atalaya_tsdb_read_only 0"));
  files_.power_cut();
  open();
  EXPECT_EQ(contents(), (StoreModel{{"up", {{1000, 1}, {2000, 2}}}}));
}

TEST_P(StoreLimits, WithLessThanItsReserveItRefusesWritesAndComesBackByItself) {
  options_.disk_reserve_bytes = 1 << 20;
  open();
  ASSERT_TRUE(append("up", 1000, 1));
  files_.set_capacity((1 << 20) - 1);
  clock_.advance(Duration{1000});
  const auto refused = append("up", 2000, 2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(refused.error().message.find("reserve of 1048576 bytes"), std::string::npos);
  EXPECT_TRUE(metrics_say("atalaya_tsdb_read_only 1"));
  files_.set_capacity(3 << 20);
  clock_.advance(Duration{1000});
  EXPECT_TRUE(append("up", 2000, 2));
  EXPECT_TRUE(metrics_say("atalaya_tsdb_read_only 0"));
}

TEST_P(StoreLimits, MoreSamplesThanATenantMaySendAreRefusedByName) {
  options_.max_samples_per_second = 1;
  open();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(append("up", i, i));
  const auto refused = append("up", 11000, 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  EXPECT_NE(refused.error().message.find("max_samples_per_second is 1"), std::string::npos);
  const auto mine = std::exchange(tenant_, TenantId{"other"});
  EXPECT_TRUE(append("up", 11000, 1));  // another tenant notices nothing
  tenant_ = mine;
  clock_.advance(Duration{1000});
  EXPECT_TRUE(append("up", 12000, 1));
}

TEST_P(StoreLimits, BeyondItsMemoryNoNewSeriesAreMadeAndKnownOnesGoOn) {
  options_.memory_bytes = 200'000;
  open();
  ASSERT_TRUE(append("known", 1000, 1));
  Result<SeriesId> made = SeriesId{0};
  for (int i = 0; i < 5000 && made; ++i) {
    if (i % 100 == 0) store_->maintain();
    made = store_->resolve(tenant_, Labels{{"__name__", "bomb"}, {"n", std::to_string(i)}});
  }
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kResourceExhausted);
  EXPECT_NE(made.error().message.find("memory_bytes is 200000"), std::string::npos);
  EXPECT_TRUE(append("known", 2000, 1));
}

}  // namespace
}  // namespace atalaya::tsdb
