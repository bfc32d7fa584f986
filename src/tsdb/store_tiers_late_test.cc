// Buckets of samples that come late, or are written late.
#include "io/faulty_file_system.h"
#include "tsdb/store_tiers_test_support.h"

namespace atalaya::tsdb {
namespace {

class StoreTiersLate : public StoreTiers {
 protected:
  /// Half of the hour is in a block, half in the log.
  void stop_for_long_within_an_hour() {
    options_.retention = kDays(2);
    open();
    for (int i = 0; i < 30; ++i) append("a", 5 * kHour + i * kMinute, 1);
    ASSERT_TRUE(store_->flush());
    for (int i = 30; i < 60; ++i) append("a", 5 * kHour + i * kMinute, 1);
    store_.reset();
    go_to(kDays(6));
  }
};
INSTANTIATE_TEST_SUITE_P(Under, StoreTiersLate, testing::ValuesIn(kHostileOptions), name_of);

/// A day may be rolled up while there is still something of it in memory.
TEST_P(StoreTiersLate, WhatWasAcknowledgedInTimeIsInABucketHoweverLateItIsWritten) {
  options_.classes = {{{Matcher::equal("__name__", "short")}, {kDays(2), kDays(20), kDays(60)}},
                      {{Matcher::equal("__name__", "later")}, {kDays(2), kDays(20), kDays(60)}}};
  options_.retention = kDays(20);
  open();
  append_day("short", 0);
  append_day("usual", 0);
  go_to(kDays(1) + std::chrono::hours{3});
  age();
  go_to(kDays(3) - std::chrono::minutes{10});
  append("later", kDay - 5 * kMinute, 7);
  go_to(kDays(3) + std::chrono::hours{3});
  age();
  const storage::SelectHints sums{Duration{kOneHour}, storage::BucketValue::kSum};
  EXPECT_EQ(read("later", {}, sums), (Points{{kDay - 1, 7}}));
  EXPECT_EQ(read("short", {}, sums).size(), 24u);
  EXPECT_EQ(read("usual", {}, sums).size(), 24u);
}

/// What was not flushed when the process stopped is of the same hour as what was.
TEST_P(StoreTiersLate, OverALongStopBucketsAreMadeOfAllThatWasAcknowledged) {
  ASSERT_NO_FATAL_FAILURE(stop_for_long_within_an_hour());
  open();
  store_->maintain();
  store_->maintain();
  for (const auto value : {storage::BucketValue::kSum, storage::BucketValue::kCount}) {
    EXPECT_EQ(read("a", {}, {Duration{kOneHour}, value}), (Points{{6 * kHour - 1, 60}}));
  }
}

/// Neither a flush that fails once, nor somebody who has blocks merged at once, parts an hour from its other half.
TEST_P(StoreTiersLate, NothingIsRolledUpBeforeWhatTheLogHasOfIt) {
  ASSERT_NO_FATAL_FAILURE(stop_for_long_within_an_hour());
  io::FaultyFileSystem faulty(files_);
  store_ = Store::open(faulty, clock_, metrics_, options_).value();
  ASSERT_TRUE(store_->compact());
  testing::internal::CaptureStderr();
  for (std::uint64_t call = 1; call <= 20; ++call) {
    faulty.arm(io::Fault::kIoError, call);
    store_->maintain();
    faulty.disarm();
  }
  testing::internal::GetCapturedStderr();
  store_->maintain();
  EXPECT_EQ(read("a", {}, {Duration{kOneHour}, storage::BucketValue::kCount}), (Points{{6 * kHour - 1, 60}}));
}

}  // namespace
}  // namespace atalaya::tsdb
