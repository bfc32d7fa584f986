#include <gtest/gtest.h>

#include "alerts/machine_test_support.h"

namespace atalaya::alerts {
namespace {

class CommandsTest : public MachineTest {
 protected:
  Judgement judged(Level level) const {
    Judgement j;
    j.rule = "a/b/disk";
    j.labels = Labels{{"alertname", "disk"}};
    j.level = level;
    j.at = now();
    return j;
  }
  void judge(Level level) { ASSERT_TRUE(post(Judged{{judged(level)}})); }
  AlertId rule_id() const { return identity(default_tenant(), "a/b/disk", judged(Level::kOk).labels); }
  Alert rule_alert() const { return Queries(*database_, &clock_).get(default_tenant(), rule_id())->alert; }
  Lines rule_history() const {
    Lines lines;
    const auto details = Queries(*database_).get(default_tenant(), rule_id());
    for (const auto& line : details->history) {
      lines.push_back(line.from + ">" + line.to + (line.by.empty() ? "" : " by " + line.by));
    }
    return lines;
  }
};

TEST_F(CommandsTest, AnAcknowledgementEndsAtItsTime) {
  judge(Level::kWarning);
  ASSERT_TRUE(post(Acknowledge{rule_id(), "ana", "on it", now() + 10 * kMinute}));
  EXPECT_EQ(status(rule_alert()), "acknowledged");
  EXPECT_EQ(rule_alert().ack->until, now() + 10 * kMinute);
  pass(10 * kMinute);
  EXPECT_EQ(status(rule_alert()), "open");
  EXPECT_EQ(rule_history(), (Lines{">firing", "firing>acknowledged by ana", "firing>unacknowledged"}));
  EXPECT_EQ(post(Acknowledge{rule_id(), "ana", "", now()}).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(CommandsTest, AWorseSeverityEndsAnAcknowledgementAndABetterOneDoesNot) {
  judge(Level::kCritical);
  ASSERT_TRUE(post(Acknowledge{rule_id(), "ana", "", {}}));
  judge(Level::kWarning);
  EXPECT_TRUE(rule_alert().ack);
  EXPECT_EQ(trend(rule_alert()), "less_severe");
  judge(Level::kCritical);
  EXPECT_FALSE(rule_alert().ack);
  EXPECT_EQ(trend(rule_alert()), "more_severe");
  EXPECT_EQ(rule_history().back(), "firing>unacknowledged");
}

TEST_F(CommandsTest, NobodyIsToldOfAShelvedAlertUntilItsTimeIsOver) {
  judge(Level::kWarning);
  ASSERT_TRUE(post(Shelve{rule_id(), "ana", "noise", now() + 60 * kMinute}));
  judge(Level::kCritical);
  judge(Level::kOk);
  judge(Level::kWarning);
  EXPECT_EQ(status(rule_alert()), "shelved") << "also in its next episode";
  judge(Level::kCritical);
  EXPECT_EQ(told_.lines, Lines{"firing disk first"});
  pass(60 * kMinute);
  EXPECT_EQ(told_.lines, (Lines{"firing disk first", "firing disk first"}));
  EXPECT_EQ(rule_history().back(), "firing>unshelved");
}

TEST_F(CommandsTest, UnshelvingTellsAtOnce) {
  ASSERT_TRUE(send(posted("cpu")));
  ASSERT_TRUE(post(Shelve{id("cpu"), "ana", "", now() + 60 * kMinute}));
  auto over = posted("cpu");
  over.ends = now();
  ASSERT_TRUE(send(over));
  EXPECT_EQ(told_.lines, Lines{"firing cpu first"});
  ASSERT_TRUE(post(Unshelve{id("cpu"), "bea"}));
  EXPECT_EQ(told_.lines, (Lines{"firing cpu first", "resolved cpu"}));
}

TEST_F(CommandsTest, ClosingEndsTheEpisodeAndTheSameBreachDoesNotOpenIt) {
  judge(Level::kWarning);
  ASSERT_TRUE(post(Close{rule_id(), "ana", "known"}));
  EXPECT_EQ(status(rule_alert()), "closed");
  EXPECT_EQ(rule_alert().text, "known");
  judge(Level::kWarning);
  EXPECT_EQ(rule_alert().state, State::kResolved);
  ASSERT_EQ(Queries(*database_).open()->size(), 1u) << "its judge must see it become healthy";
  judge(Level::kOk);
  EXPECT_EQ(status(rule_alert()), "resolved");
  judge(Level::kWarning);
  EXPECT_EQ(rule_alert().state, State::kFiring);
  EXPECT_EQ(told_.lines, (Lines{"firing disk first", "resolved disk", "firing disk first"}));
  EXPECT_EQ(rule_history(), (Lines{">firing", "firing>closed by ana", "resolved>firing"}));
}

TEST_F(CommandsTest, AWorseBreachOpensAClosedAlert) {
  judge(Level::kWarning);
  ASSERT_TRUE(post(Close{rule_id(), "ana", ""}));
  judge(Level::kCritical);
  EXPECT_EQ(rule_alert().state, State::kFiring);
  EXPECT_FALSE(rule_alert().closed);
  EXPECT_EQ(rule_alert().episode, 2u);
}

TEST_F(CommandsTest, ARuleThatGoesAwayIsNotClosedForEver) {
  judge(Level::kWarning);
  ASSERT_TRUE(post(Close{rule_id(), "ana", ""}));
  ASSERT_TRUE(post(Retire{.known_rules = std::set<std::string>{}, .host = {}, .reason = "gone"}));
  judge(Level::kWarning);
  EXPECT_EQ(rule_alert().state, State::kFiring);
}

TEST_F(CommandsTest, NotesAreLinesOfTheHistoryAlsoAfterTheEnd) {
  judge(Level::kWarning);
  judge(Level::kOk);
  ASSERT_TRUE(post(AddNote{rule_id(), "ana", "it was the log"}));
  EXPECT_EQ(rule_history().back(), "resolved>note by ana");
  EXPECT_EQ(told_.lines.size(), 2u);
  EXPECT_EQ(post(AddNote{rule_id(), "ana", ""}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(post(Close{rule_id(), "ana", ""}).error().code, ErrorCode::kConflict);
  EXPECT_EQ(post(Shelve{AlertId{"0"}, "ana", "", now() + kMinute}).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace atalaya::alerts
