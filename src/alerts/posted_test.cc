#include <gtest/gtest.h>

#include "alerts/machine_test_support.h"

namespace atalaya::alerts {
namespace {

class PostedTest : public MachineTest {};

TEST_F(PostedTest, FiresAtOnceAndIsIdentifiedByItsLabelsAlone) {
  auto a = posted("disk");
  a.annotations = {{"summary", "disk full"}, {"runbook", "x"}};
  a.generator_url = "http://prometheus/graph";
  ASSERT_TRUE(send(a));
  const auto stored = alert("disk");
  EXPECT_EQ(stored.state, State::kFiring);
  EXPECT_EQ(stored.kind, Kind::kPosted);
  EXPECT_EQ(stored.rule, "");
  EXPECT_EQ(stored.door, "alertmanager");
  EXPECT_EQ(stored.text, "disk full");
  EXPECT_EQ(stored.annotations, a.annotations);
  EXPECT_EQ(stored.generator_url, a.generator_url);
  EXPECT_EQ(stored.severity, Severity::kNone);
  EXPECT_EQ(told_.lines, Lines{"firing disk first"});
}

TEST_F(PostedTest, RepeatsAreCountedExtendItAndKeepTheEarliestStart) {
  const auto first = posted("disk");
  ASSERT_TRUE(send(first));
  pass(2 * kMinute);
  auto again = posted("disk");
  again.annotations = {{"summary", "worse"}};
  ASSERT_TRUE(send(again));
  EXPECT_EQ(alert("disk").count, 2u);
  EXPECT_EQ(alert("disk").started, first.starts);
  EXPECT_EQ(alert("disk").text, "worse");
  EXPECT_EQ(told_.lines.size(), 1u);
  pass(4 * kMinute);
  EXPECT_EQ(alert("disk").state, State::kFiring);
  pass(1 * kMinute);
  EXPECT_EQ(alert("disk").state, State::kResolved);
  EXPECT_EQ(history("disk"), (Lines{">firing", "firing>resolved"}));
}

TEST_F(PostedTest, EndsByItsTimeWithoutASender) {
  ASSERT_TRUE(send(posted("disk", kMinute)));
  ASSERT_TRUE(send(posted("cpu", 2 * kMinute)));
  EXPECT_EQ(loop_.next_due(), now() + kMinute);
  pass(Duration{90'000});
  EXPECT_EQ(alert("disk").state, State::kResolved);
  EXPECT_EQ(alert("disk").resolved, now() - Duration{30'000});
  EXPECT_EQ(alert("cpu").state, State::kFiring);
  EXPECT_EQ(loop_.next_due(), now() + Duration{20'000}) << "words of what is over get into their index";
  pass(Duration{20'000});
  EXPECT_EQ(loop_.next_due(), now() + Duration{10'000});
  EXPECT_EQ(told_.lines.back(), "resolved disk");
}

TEST_F(PostedTest, AnEndThatIsOverResolvesItAtThatTime) {
  ASSERT_TRUE(send(posted("disk")));
  clock_.advance(kMinute);
  auto over = posted("disk");
  over.starts = now() - kMinute;
  over.ends = now() - Duration{10'000};
  ASSERT_TRUE(send(over));
  EXPECT_EQ(alert("disk").state, State::kResolved);
  EXPECT_EQ(alert("disk").resolved, over.ends);
  EXPECT_EQ(told_.lines.back(), "resolved disk");
}

TEST_F(PostedTest, NothingHappensToAnAlertThatWasOverBeforeItWasKnown) {
  auto over = posted("disk");
  over.ends = now();
  ASSERT_TRUE(send(over));
  EXPECT_EQ(Queries(*database_).get(default_tenant(), id("disk")).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(told_.lines.empty());
}

TEST_F(PostedTest, AnEndThatItsSenderNamedOutlastsATimeOut) {
  ASSERT_TRUE(send(posted("disk", 60 * kMinute)));
  clock_.advance(kMinute);
  auto again = posted("disk");
  again.timed_out = true;
  ASSERT_TRUE(send(again));
  EXPECT_EQ(alert("disk").ends, now() + 59 * kMinute);
}

TEST_F(PostedTest, OpeningAgainBeginsAnEpisode) {
  ASSERT_TRUE(send(posted("disk", kMinute)));
  pass(kMinute);
  ASSERT_TRUE(send(posted("disk", kMinute)));
  EXPECT_EQ(alert("disk").episode, 2u);
  EXPECT_EQ(told_.lines, (Lines{"firing disk first", "resolved disk", "firing disk first"}));
}

TEST_F(PostedTest, TheLabelSeveritySaysHowBadItIs) {
  auto bad = posted("disk");
  bad.labels = bad.labels.with("severity", "page");
  ASSERT_TRUE(send(bad));
  const auto page = Queries(*database_).list(default_tenant(), {.severity = Severity::kCritical});
  ASSERT_EQ(page->alerts.size(), 1u);
  EXPECT_EQ(severity_of_label("Warning"), Severity::kWarning);
  EXPECT_EQ(severity_of_label("sev3"), Severity::kWarning);
  EXPECT_EQ(severity_of_label("info"), Severity::kNone);
}

TEST_F(PostedTest, NoRuleAndNoHostThatGoesAwayEndsIt) {
  ASSERT_TRUE(send(posted("disk")));
  ASSERT_TRUE(post(Retire{.known_rules = std::set<std::string>{}, .host = "web1", .reason = "gone"}));
  EXPECT_EQ(alert("disk").state, State::kFiring);
  EXPECT_TRUE(Queries(*database_).open()->empty());
}

TEST_F(PostedTest, ClosedByHandItStaysClosedUntilItBeginsAnew) {
  const auto first = posted("disk");
  ASSERT_TRUE(send(first));
  clock_.advance(kMinute);
  ASSERT_TRUE(post(Close{id("disk"), "ana", "known"}));
  EXPECT_EQ(alert("disk").state, State::kResolved);
  EXPECT_EQ(alert("disk").closed->by, "ana");
  auto again = posted("disk");
  again.starts = first.starts;
  ASSERT_TRUE(send(again));
  EXPECT_EQ(alert("disk").state, State::kResolved);
  EXPECT_EQ(alert("disk").count, 2u);
  clock_.advance(kMinute);
  ASSERT_TRUE(send(posted("disk")));
  EXPECT_EQ(alert("disk").state, State::kResolved) << "a later start within the same stretch of time is the same";
  pass(6 * kMinute);
  EXPECT_FALSE(alert("disk").closed);
  ASSERT_TRUE(send(posted("disk")));
  EXPECT_EQ(alert("disk").state, State::kFiring);
  EXPECT_EQ(history("disk"), (Lines{">firing", "firing>closed by ana", "resolved>firing"}));
}

TEST_F(PostedTest, AnAlertThatOpensAgainAndAgainFlapsUntilItIsSteady) {
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(send(posted("disk", kMinute)));
    pass(kMinute);
  }
  EXPECT_TRUE(alert("disk").flapping);
  EXPECT_EQ(history("disk").back(), "firing>resolved");
  pass(29 * kMinute);
  pass(31 * kMinute);
  EXPECT_FALSE(alert("disk").flapping);
  EXPECT_EQ(history("disk").back(), "resolved>steady");
}

}  // namespace
}  // namespace atalaya::alerts
