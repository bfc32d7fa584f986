#include "telemetry/query_memory.h"

#include <gtest/gtest.h>

#include <optional>

namespace atalaya::telemetry {
namespace {

class QueryMemoryTest : public testing::Test {
 protected:
  bool metrics_say(const std::string& line) const { return metrics_.expose().find(line) != std::string::npos; }

  std::uint64_t taken_ = 0;
  Registry metrics_;
  MemoryBudget budget_{1000, {[this] { return taken_; }, [] {}}, metrics_};
  QueryMemory queries_{budget_, metrics_, [] {}};
};

TEST_F(QueryMemoryTest, OneQueryGetsAQuarterAndAllTogetherAHalf) {
  QueryMemory::Share first(queries_);
  ASSERT_TRUE(first.take(250));
  const auto more = first.take(1);
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, ErrorCode::kUnprocessable);
  EXPECT_NE(more.error().message.find("more than 250 bytes of memory, a quarter of --memory, which is 1000"),
            std::string::npos);
  QueryMemory::Share second(queries_);
  ASSERT_TRUE(second.take(250));
  QueryMemory::Share third(queries_);
  const auto refused = third.take(1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(refused.error().message.find("--memory is 1000"), std::string::npos);
  EXPECT_TRUE(metrics_say("atalaya_refused_queries_total{reason=\"memory\"} 2"));
  second.give_back(1);
  EXPECT_TRUE(third.take(1));
  EXPECT_EQ(queries_.held(), 500u);
  EXPECT_TRUE(metrics_say("atalaya_query_memory_bytes 500"));
}

TEST_F(QueryMemoryTest, ATenthIsTheirsHoweverFullTheProcessIs) {
  taken_ = 2000;
  ASSERT_TRUE(queries_.admit());
  QueryMemory::Share share(queries_);
  ASSERT_TRUE(share.take(100));
  EXPECT_FALSE(share.take(1));
  taken_ = 998;
  EXPECT_TRUE(share.take(1));
}

TEST_F(QueryMemoryTest, ATenthIsNotTheirsWhereTheProcessIsFarBeyondItsLimit) {
  testing::internal::CaptureStderr();
  taken_ = 1000 + (64 << 20);
  budget_.look();
  QueryMemory::Share share(queries_);
  EXPECT_FALSE(share.take(1));
  EXPECT_FALSE(queries_.admit());
  taken_ -= 1;
  budget_.look();
  EXPECT_TRUE(share.take(100));
  testing::internal::GetCapturedStderr();
}

TEST_F(QueryMemoryTest, TheProcessIsMeasuredAgainAsQueriesGrow) {
  QueryMemory::Share share(queries_);
  ASSERT_TRUE(share.take(110));
  taken_ = 1000;
  int steps = 0;
  while (share.take(1)) ++steps;
  EXPECT_LE(steps, 111) << "an eighth of what was free";
  EXPECT_LT(share.held(), 250u);
}

TEST(QueryMemoryOfALargeProcess, WhatALargeQueryFreedGoesBackBeforeAnybodyIsRefused) {
  constexpr std::uint64_t kMegabyte = 1 << 20;
  std::uint64_t taken = 0;
  std::uint64_t freed = 0;
  Registry metrics;
  const MemoryBudget budget(100 * kMegabyte, {[&] { return taken + freed; }, [] {}}, metrics);
  QueryMemory queries(budget, metrics, [&] { freed = 0; });
  freed = 100 * kMegabyte;
  QueryMemory::Share second(queries);
  ASSERT_TRUE(second.take(10 * kMegabyte));
  EXPECT_FALSE(second.take(1)) << "nobody has freed anything";
  second.give_back(10 * kMegabyte);
  std::optional<QueryMemory::Share> first(std::in_place, queries);
  ASSERT_TRUE(first->take(10 * kMegabyte));
  first.reset();
  EXPECT_EQ(queries.held(), 0u);
  EXPECT_TRUE(second.take(11 * kMegabyte));
  EXPECT_EQ(freed, 0u);
}

}  // namespace
}  // namespace atalaya::telemetry
