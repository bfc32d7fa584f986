#include "auth/failure_limit.h"

#include <gtest/gtest.h>

namespace atalaya::auth {
namespace {

using std::chrono::seconds;

TEST(FailureLimit, AfterTheBurstOneAttemptAnInterval) {
  FailureLimit limit(3, seconds(10), 100);
  Steady now{};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limit.take("a", now));
  const auto refused = limit.take("a", now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(refused.error().remedy, "try again in 10 s");
  now += seconds(9);
  EXPECT_FALSE(limit.take("a", now));
  now += seconds(1);
  EXPECT_TRUE(limit.take("a", now));
  EXPECT_FALSE(limit.take("a", now));
}

TEST(FailureLimit, KeysDoNotDisturbEachOther) {
  FailureLimit limit(1, seconds(10), 100);
  EXPECT_TRUE(limit.take("a", Steady{}));
  EXPECT_TRUE(limit.take("b", Steady{}));
  EXPECT_FALSE(limit.take("a", Steady{}));
}

TEST(FailureLimit, SuccessGivesTheAttemptBack) {
  FailureLimit limit(1, seconds(10), 100);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(limit.take("a", Steady{}));
    limit.give_back("a");
  }
}

TEST(FailureLimit, ForgivingFillsTheBucket) {
  FailureLimit limit(2, seconds(10), 100);
  EXPECT_TRUE(limit.take("a", Steady{}));
  EXPECT_TRUE(limit.take("a", Steady{}));
  limit.forgive("a");
  EXPECT_TRUE(limit.take("a", Steady{}));
  EXPECT_TRUE(limit.take("a", Steady{}));
  EXPECT_FALSE(limit.take("a", Steady{}));
}

TEST(FailureLimit, TheTableIsBoundedAndKeepsTheWorst) {
  FailureLimit limit(3, seconds(10), 50);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limit.take("worst", Steady{}));
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(limit.take(std::to_string(i), Steady{}));
  EXPECT_LE(limit.size(), 50u);
  EXPECT_FALSE(limit.take("worst", Steady{}));
}

}  // namespace
}  // namespace atalaya::auth
