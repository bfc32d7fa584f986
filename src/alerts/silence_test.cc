#include <gtest/gtest.h>

#include "alerts/machine_test_support.h"
#include "alerts/silence_rows.h"

namespace atalaya::alerts {
namespace {

class SilenceTest : public MachineTest {
 protected:
  Silence quiet(const std::string& name, Duration from = {}, Duration lasts = 60 * kMinute) const {
    Silence s;
    s.matchers = {Matcher::equal("alertname", name)};
    s.starts = now() + from;
    s.ends = s.starts + lasts;
    s.created_by = "ana";
    s.comment = "works";
    return s;
  }
  Result<std::string> set(Silence silence) {
    const auto stored = std::make_shared<std::string>();
    AT_TRY(post(SetSilence{std::move(silence), "new-" + std::to_string(++made_), stored}));
    return *stored;
  }
  Silence get(const std::string& id) const {
    const auto found = SilenceQueries(*database_).get(default_tenant(), id);
    EXPECT_TRUE(found) << id;
    return found ? *found : Silence{};
  }
  int made_ = 0;
};

TEST_F(SilenceTest, HidesNotificationsAndNeverState) {
  const auto silence = set(quiet("disk"));
  ASSERT_TRUE(silence);
  ASSERT_TRUE(send(posted("disk", 120 * kMinute)));
  ASSERT_TRUE(send(posted("cpu", 120 * kMinute)));
  EXPECT_EQ(alert("disk").state, State::kFiring);
  EXPECT_EQ(alert("disk").silenced_by, Lines{*silence});
  EXPECT_EQ(status(alert("disk")), "suppressed");
  EXPECT_TRUE(alert("cpu").silenced_by.empty());
  EXPECT_EQ(told_.lines, Lines{"firing cpu first"});
}

TEST_F(SilenceTest, WhatItHidIsToldWhenItEnds) {
  ASSERT_TRUE(set(quiet("disk")));
  ASSERT_TRUE(send(posted("disk", 120 * kMinute)));
  pass(60 * kMinute);
  EXPECT_EQ(told_.lines, Lines{"firing disk first"});
  EXPECT_TRUE(alert("disk").silenced_by.empty());
}

TEST_F(SilenceTest, WhatResolvedMeanwhileIsToldToThoseWhoHadHeardOfIt) {
  ASSERT_TRUE(send(posted("disk", 30 * kMinute)));
  ASSERT_TRUE(set(quiet("disk")));
  ASSERT_TRUE(set(quiet("cpu")));
  ASSERT_TRUE(send(posted("cpu", 30 * kMinute)));
  pass(30 * kMinute);
  EXPECT_EQ(told_.lines, Lines{"firing disk first"});
  pass(30 * kMinute);
  EXPECT_EQ(told_.lines, (Lines{"firing disk first", "resolved disk"}));
}

TEST_F(SilenceTest, OneThatBeginsLaterHidesFromThenOn) {
  const auto silence = set(quiet("disk", 10 * kMinute));
  EXPECT_EQ(get(*silence).state_at(now()), SilenceState::kPending);
  ASSERT_TRUE(send(posted("disk", 5 * kMinute)));
  EXPECT_EQ(told_.lines, Lines{"firing disk first"});
  pass(5 * kMinute);
  pass(5 * kMinute);
  EXPECT_EQ(get(*silence).state_at(now()), SilenceState::kActive);
  ASSERT_TRUE(send(posted("disk", 5 * kMinute)));
  EXPECT_EQ(told_.lines.size(), 2u) << "only that it resolved: " << told_.lines.back();
}

TEST_F(SilenceTest, ExpiringItTellsAtOnce) {
  const auto silence = set(quiet("disk"));
  ASSERT_TRUE(send(posted("disk")));
  clock_.advance(kMinute);
  ASSERT_TRUE(post(ExpireSilence{*silence}));
  EXPECT_EQ(get(*silence).ends, now());
  EXPECT_EQ(get(*silence).state_at(now()), SilenceState::kExpired);
  EXPECT_EQ(told_.lines, Lines{"firing disk first"});
  ASSERT_TRUE(post(ExpireSilence{*silence}));
  EXPECT_EQ(post(ExpireSilence{"nobody"}).error().code, ErrorCode::kNotFound);
}

TEST_F(SilenceTest, ARunningOneIsExtendedInPlaceAndAnotherMatcherMakesAnother) {
  const auto id = set(quiet("disk"));
  auto longer = get(*id);
  longer.ends += 60 * kMinute;
  clock_.advance(kMinute);
  EXPECT_EQ(*set(longer), *id);
  EXPECT_EQ(get(*id).ends, longer.ends);
  EXPECT_EQ(get(*id).updated, now());
  auto other = longer;
  other.matchers = {Matcher::equal("alertname", "cpu")};
  const auto next = set(other);
  EXPECT_NE(*next, *id);
  EXPECT_EQ(get(*id).state_at(now()), SilenceState::kExpired);
  EXPECT_EQ(get(*next).starts, now());
}

TEST_F(SilenceTest, AnExpiredOneComesBackUnderANewId) {
  const auto id = set(quiet("disk"));
  ASSERT_TRUE(post(ExpireSilence{*id}));
  auto again = quiet("disk");
  again.id = *id;
  EXPECT_NE(*set(again), *id);
}

TEST_F(SilenceTest, UnknownIdsAndNonsenseAreRefused) {
  auto s = quiet("disk");
  s.id = "nobody";
  EXPECT_EQ(set(s).error().code, ErrorCode::kNotFound);
  s = quiet("disk");
  s.matchers.clear();
  EXPECT_EQ(set(s).error().code, ErrorCode::kInvalidArgument);
  s.matchers = {*Matcher::make("a", Matcher::Op::kRegex, ".*")};
  EXPECT_EQ(set(s).error().code, ErrorCode::kInvalidArgument);
  s = quiet("disk");
  s.starts = now() - 2 * kMinute;
  s.ends = now() - kMinute;
  EXPECT_EQ(set(s).error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(SilenceQueries(*database_).list(default_tenant(), now())->empty());
}

TEST_F(SilenceTest, IsKeptForFiveDaysAfterItsEnd) {
  const auto id = set(quiet("disk"));
  pass(60 * kMinute);
  clock_.advance(kKeepSilences - kMinute);
  step();
  EXPECT_EQ(get(*id).state_at(now()), SilenceState::kExpired);
  pass(2 * kMinute);
  EXPECT_FALSE(SilenceQueries(*database_).get(default_tenant(), *id));
}

TEST_F(SilenceTest, ThoseOfPackagesComeAndGoWithThem) {
  auto declared = quiet("disk");
  declared.id = "declared";
  declared.origin = "ops/works";
  ASSERT_TRUE(post(DeclareSilences{{declared}}));
  ASSERT_TRUE(send(posted("disk")));
  EXPECT_EQ(alert("disk").silenced_by, Lines{"declared"});
  EXPECT_EQ(post(ExpireSilence{"declared"}).error().code, ErrorCode::kConflict);
  EXPECT_EQ(set(declared).error().code, ErrorCode::kConflict);
  ASSERT_TRUE(post(DeclareSilences{}));
  EXPECT_EQ(get("declared").state_at(now()), SilenceState::kExpired);
  EXPECT_EQ(told_.lines, Lines{"firing disk first"});
}

TEST_F(SilenceTest, OneThatRecursHidesWithinItsWindowsAlone) {
  // It is Tuesday, 22:13:20 UTC: 23:13:20 in Madrid.
  auto nights = quiet("disk");
  nights.id = "nights";
  nights.origin = "ops/nights";
  nights.ends = kNoEnd;
  nights.windows = R"([{"times":[{"start_time":"23:30","end_time":"24:00"}],"location":"Europe/Madrid"}])";
  ASSERT_TRUE(post(DeclareSilences{{nights}}));
  EXPECT_EQ(get("nights").state_at(now()), SilenceState::kPending);
  ASSERT_TRUE(send(posted("cpu", 120 * kMinute)));
  for (int minute = 0; minute < 17; ++minute) pass(kMinute);
  EXPECT_EQ(get("nights").state_at(now()), SilenceState::kActive);
  ASSERT_TRUE(send(posted("disk", 120 * kMinute)));
  EXPECT_EQ(told_.lines, Lines{"firing cpu first"});
  for (int minute = 0; minute < 30; ++minute) pass(kMinute);
  EXPECT_EQ(told_.lines, (Lines{"firing cpu first", "firing disk first"}));
  EXPECT_FALSE(parse_windows(R"([{"times":[{"start_time":"25:00","end_time":"26:00"}]}])"));
}

TEST_F(SilenceTest, MatchersSurviveTheirRow) {
  const Matchers all{Matcher::equal("a", "b"), *Matcher::make("c", Matcher::Op::kNotEqual, "d"),
                     *Matcher::make("e", Matcher::Op::kRegex, "f|\"g"),
                     *Matcher::make("h i", Matcher::Op::kNotRegex, "")};
  EXPECT_EQ(to_string(*read_matchers(write_matchers(all))), to_string(all));
  EXPECT_EQ(read_matchers("[{}]").error().code, ErrorCode::kCorruption);
}

TEST_F(SilenceTest, SeesTheSeverityThatARuleGave) {
  Judgement j;
  j.rule = "a/b/c";
  j.labels = Labels{{"alertname", "c"}};
  j.level = Level::kWarning;
  j.at = now();
  auto warnings = quiet("c");
  warnings.matchers = {Matcher::equal("severity", "warning")};
  ASSERT_TRUE(set(warnings));
  ASSERT_TRUE(post(Judged{{j}}));
  EXPECT_TRUE(told_.lines.empty());
  j.level = Level::kCritical;
  ASSERT_TRUE(post(Judged{{j}}));
  EXPECT_EQ(told_.lines, Lines{"firing c first"});
}

}  // namespace
}  // namespace atalaya::alerts
