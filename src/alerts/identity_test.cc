// Rules that name the labels of an alert's identity, and what flaps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alerts/machine_test_support.h"

namespace atalaya::alerts {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

class IdentityTest : public MachineTest {
 protected:
  Judgement judged(const std::string& device, Level level, double value) const {
    Judgement j;
    j.rule = "a/b/disk";
    j.labels = Labels{{"alertname", "disk"}, {"instance", "web1"}, {"device", device}};
    j.identity = Labels{{"alertname", "disk"}, {"instance", "web1"}};
    j.level = level;
    j.at = now();
    j.value = value;
    j.text = device + " is full";
    return j;
  }
  void judge(const std::string& device, Level level, double value = 1) {
    ASSERT_TRUE(post(Judged{{judged(device, level, value)}}));
  }
  Details details() const {
    const auto id = identity(default_tenant(), "a/b/disk", judged("", Level::kOk, 0).identity);
    auto out = Queries(*database_, &clock_).get(default_tenant(), id);
    EXPECT_TRUE(out);
    return out ? *out : Details{};
  }
};

TEST_F(IdentityTest, LabelSetsOfOneIdentityAreOneAlertThatTakesTheNewestWords) {
  judge("sda", Level::kWarning, 0.91);
  judge("sdb", Level::kWarning, 0.95);
  const auto found = details();
  EXPECT_EQ(found.alert.count, 2U);
  EXPECT_EQ(found.alert.value, 0.95);
  EXPECT_EQ(found.alert.text, "sdb is full");
  EXPECT_EQ(found.alert.labels, (Labels{{"alertname", "disk"}, {"instance", "web1"}}));
  ASSERT_THAT(found.events, SizeIs(2));
  EXPECT_EQ(found.events[0].labels.get("device"), "sdb");
  EXPECT_THAT(told_.lines, ElementsAre("firing disk first"));
}

TEST_F(IdentityTest, ItIsAsBadAsTheWorstAndEndsWithTheLast) {
  judge("sda", Level::kWarning);
  judge("sdb", Level::kCritical);
  EXPECT_EQ(details().alert.severity, Severity::kCritical);
  judge("sdb", Level::kOk);
  EXPECT_EQ(details().alert.state, State::kFiring);
  EXPECT_EQ(details().alert.severity, Severity::kWarning);
  EXPECT_EQ(details().alert.text, "sda is full");
  judge("sda", Level::kOk);
  EXPECT_EQ(details().alert.state, State::kResolved);
}

TEST_F(IdentityTest, RawEventsAreBounded) {
  for (std::uint64_t i = 0; i < kKeptEvents + 20; ++i) judge("sda", Level::kWarning, static_cast<double>(i));
  const auto found = details();
  ASSERT_THAT(found.events, SizeIs(kKeptEvents));
  EXPECT_EQ(found.events.front().number, kKeptEvents + 20);
  EXPECT_EQ(found.alert.count, kKeptEvents + 20);
}

TEST_F(IdentityTest, WithoutOneTheRawEventsOfDuplicatesAreKeptWhereTheySaySomethingElse) {
  auto j = judged("sda", Level::kWarning, 1);
  j.identity = {};
  const auto id = identity(default_tenant(), j.rule, j.labels);
  const auto again = [&](Level level, double value) {
    j.level = level;
    j.value = value;
    ASSERT_TRUE(post(Judged{{j}}));
  };
  for (const double value : {1, 1, 2, 2, 3}) again(Level::kWarning, value);
  again(Level::kCritical, 3);
  const auto found = Queries(*database_, &clock_).get(default_tenant(), id);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->alert.count, 6U);
  std::vector<double> values;
  for (const auto& event : found->events) values.push_back(event.value);
  EXPECT_THAT(values, ElementsAre(3, 3, 2));
  EXPECT_EQ(found->events.front().level, Level::kCritical);
  EXPECT_EQ(found->events.front().labels, j.labels);
}

TEST_F(IdentityTest, ThatThereAreStillNoDataSaysNothingElse) {
  auto j = judged("sda", Level::kWarning, 5);
  j.identity = {};
  ASSERT_TRUE(post(Judged{{j}}));
  j.level = Level::kNoData;
  j.value = std::numeric_limits<double>::quiet_NaN();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(post(Judged{{j}}));
  const auto found = Queries(*database_, &clock_).get(default_tenant(), identity(default_tenant(), j.rule, j.labels));
  ASSERT_TRUE(found);
  EXPECT_THAT(found->events, SizeIs(1));
}

TEST_F(IdentityTest, WhatIsPostedAgainInOtherWordsIsKept) {
  auto one = posted("disk");
  for (const auto* words : {"a", "a", "b"}) {
    one.annotations = {{"summary", words}};
    ASSERT_TRUE(post(Posted{"alertmanager", {one}}));
  }
  const auto found = Queries(*database_, &clock_).get(default_tenant(), identity(default_tenant(), "", one.labels));
  ASSERT_TRUE(found);
  ASSERT_THAT(found->events, SizeIs(1));
  EXPECT_EQ(found->events.front().text, "b");
  EXPECT_EQ(found->alert.text, "b");
}

TEST_F(IdentityTest, ItsJudgeRemembersEachLabelSet) {
  judge("sda", Level::kWarning);
  judge("sdb", Level::kCritical);
  const auto open = Queries(*database_).open();
  ASSERT_TRUE(open);
  ASSERT_THAT(*open, SizeIs(2));
  EXPECT_EQ((*open)[0].labels.get("device"), "sda");
  EXPECT_EQ((*open)[1].level, Level::kCritical);
  ASSERT_TRUE(post(Retire{std::set<std::string>{}, "", "the rule was removed"}));
  EXPECT_EQ(details().alert.state, State::kResolved);
  judge("sda", Level::kWarning);
  judge("sda", Level::kOk);
  EXPECT_EQ(details().alert.state, State::kResolved) << "what was judged before the rule went counts no more";
}

TEST_F(IdentityTest, WhatFlapsIsToldOnceAndItsEndWhenItIsCalm) {
  for (int turn = 0; turn < 3; ++turn) {
    judge("sda", Level::kWarning);
    pass(kMinute);
    judge("sda", Level::kOk);
    pass(kMinute);
  }
  EXPECT_THAT(told_.lines, SizeIs(6));
  told_.lines.clear();
  for (int turn = 0; turn < 5; ++turn) {
    judge("sda", Level::kWarning);
    EXPECT_TRUE(details().alert.flapping);
    pass(kMinute);
    judge("sda", Level::kOk);
    pass(kMinute);
  }
  EXPECT_THAT(told_.lines, ElementsAre("firing disk first"));
  pass(kCalm);
  EXPECT_THAT(told_.lines, ElementsAre("firing disk first", "resolved disk"));
}

TEST_F(IdentityTest, AWorseSeverityOfWhatFlapsIsTold) {
  for (int turn = 0; turn < 4; ++turn) {
    judge("sda", Level::kWarning);
    pass(kMinute);
    judge("sda", Level::kOk);
    pass(kMinute);
  }
  told_.lines.clear();
  judge("sda", Level::kCritical);
  EXPECT_THAT(told_.lines, ElementsAre("firing disk"));
}

}  // namespace
}  // namespace atalaya::alerts
