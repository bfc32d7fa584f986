#include "collect/ping/round.h"

#include <gtest/gtest.h>

namespace atalaya::collect::ping {
namespace {

constexpr Steady at(std::int64_t ms) { return Steady{std::chrono::milliseconds{ms}}; }

TEST(PingRound, AveragesWhatCameAndCountsWhatDidNot) {
  Round round(10, 4);
  for (int i = 0; i < 4; ++i) round.sent(at(100 * i));
  EXPECT_TRUE(round.all_sent());
  EXPECT_TRUE(round.received(10, at(20)));
  EXPECT_TRUE(round.received(12, at(210)));
  EXPECT_TRUE(round.received(13, at(330)));
  EXPECT_DOUBLE_EQ(*round.average(), 0.02);
  EXPECT_DOUBLE_EQ(round.loss(), 0.25);
  EXPECT_FALSE(round.complete());
  EXPECT_TRUE(round.received(11, at(400)));
  EXPECT_TRUE(round.complete());
  EXPECT_DOUBLE_EQ(round.loss(), 0);
}

TEST(PingRound, AnAnswerCountsOnceAndOnlyForItsRound) {
  Round round(10, 2);
  round.sent(at(0));
  EXPECT_FALSE(round.received(9, at(1)));
  EXPECT_FALSE(round.received(11, at(1)));  // not sent yet
  EXPECT_TRUE(round.received(10, at(1)));
  EXPECT_FALSE(round.received(10, at(2)));
  EXPECT_EQ(round.answers(), 1u);
  EXPECT_DOUBLE_EQ(*round.average(), 0.001);
}

TEST(PingRound, NumbersGoOnOverTheirEnd) {
  Round round(65535, 2);
  round.sent(at(0));
  EXPECT_EQ(round.next(), 0);
  round.sent(at(0));
  EXPECT_TRUE(round.received(0, at(1)));
  EXPECT_TRUE(round.received(65535, at(1)));
  EXPECT_TRUE(round.complete());
  EXPECT_EQ(round.next(), 1);
}

TEST(PingRound, WithoutAnAnswerThereIsNoTimeAndAllIsLost) {
  Round round(0, 3);
  EXPECT_DOUBLE_EQ(round.loss(), 1);
  round.sent(at(0));
  EXPECT_DOUBLE_EQ(round.loss(), 1);
  EXPECT_EQ(round.average(), std::nullopt);
}

}  // namespace
}  // namespace atalaya::collect::ping
