#include "telemetry/memory_budget.h"

#include <gtest/gtest.h>

#include <vector>

namespace atalaya::telemetry {
namespace {

class MemoryBudgetTest : public testing::Test {
 protected:
  MemoryBudgetTest() { testing::internal::CaptureStderr(); }
  ~MemoryBudgetTest() override { testing::internal::GetCapturedStderr(); }
  void take(std::uint64_t bytes) {
    taken_ = bytes;
    budget_.look();
  }
  bool metrics_say(const std::string& line) const { return metrics_.expose().find(line) != std::string::npos; }

  std::uint64_t taken_ = 0;
  std::uint64_t kept_in_vain_ = 0;
  int given_back_ = 0;
  Registry metrics_;
  MemoryBudget budget_{1000,
                       {[this] { return taken_ + kept_in_vain_; },
                        [this] {
                          ++given_back_;
                          kept_in_vain_ = 0;
                        }},
                       metrics_};
};

TEST_F(MemoryBudgetTest, GrowthEndsAtEightTenthsAndGoesOnBelowSeven) {
  take(799);
  EXPECT_FALSE(budget_.is_tight());
  take(800);
  EXPECT_TRUE(budget_.is_tight());
  EXPECT_FALSE(budget_.is_full());
  take(700);
  EXPECT_TRUE(budget_.is_tight()) << "not to and fro";
  take(699);
  EXPECT_FALSE(budget_.is_tight());
}

TEST_F(MemoryBudgetTest, AtTheLimitItIsFullUntilATenthIsFree) {
  take(1000);
  EXPECT_TRUE(budget_.is_full());
  EXPECT_TRUE(metrics_say("atalaya_memory_full 1"));
  take(901);
  EXPECT_TRUE(budget_.is_full());
  take(899);
  EXPECT_FALSE(budget_.is_full());
  EXPECT_TRUE(budget_.is_tight());
  EXPECT_TRUE(metrics_say("atalaya_memory_tight 1"));
  EXPECT_TRUE(metrics_say("atalaya_memory_limit_bytes 1000"));
}

TEST_F(MemoryBudgetTest, WhoAsksBetweenTwoLooksIsMeasured) {
  taken_ = 1000;
  EXPECT_TRUE(budget_.is_full());
}

TEST_F(MemoryBudgetTest, WhatIsHeldInVainGoesFirst) {
  kept_in_vain_ = 600;
  take(500);
  EXPECT_FALSE(budget_.is_tight());
  EXPECT_EQ(given_back_, 1);
  for (int i = 0; i < 9; ++i) take(950);
  EXPECT_EQ(given_back_, 1) << "it takes its time";
  take(950);
  EXPECT_EQ(given_back_, 2);
}

TEST(OwnMemory, GrowsWithWhatIsTouchedAndIsLessThanTheMachineHas) {
  const auto before = own_memory_bytes();
  EXPECT_GT(before, 0u);
  std::vector<char> more(64 << 20, 1);
  EXPECT_GE(own_memory_bytes(), before + (60u << 20)) << more.back();
  EXPECT_LT(own_memory_bytes(), memory_of_the_machine());
}

}  // namespace
}  // namespace atalaya::telemetry
