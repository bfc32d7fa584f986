#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "alerts/annotations.h"
#include "alerts/machine.h"
#include "alerts/queries.h"
#include "control/loop.h"

namespace atalaya::alerts {
namespace {

using control::Cursor;

/// Remembers what people would be told.
class Told final : public TransitionSink {
 public:
  Status on_transition(const TenantId&, const Transition& t, Time, db::Session&, control::Effects&) override {
    lines.push_back(std::string(name(t.alert.state)) + " " + std::string(name(t.alert.severity)) +
                    (t.first_told ? " first" : ""));
    return {};
  }
  std::vector<std::string> lines;
};

class AlertsTest : public testing::Test {
 protected:
  AlertsTest() : database_(std::move(*db::open_sqlite(":memory:"))), machine_(&told_), loop_(*database_, {&machine_}) {
    auto migrations = control::Loop::migrations();
    for (auto& m : Machine::migrations()) migrations.push_back(m);
    EXPECT_TRUE(database_->migrate(migrations));
    EXPECT_TRUE(loop_.restore());
    loop_.listen<AlertChanged>([this](const TenantId&, const AlertChanged& c) { changed_.push_back(c); });
  }

  Judgement disk(Level level, std::string instance = "web1") {
    Judgement j;
    j.rule = "host/disk/filling";
    j.expr = "avail < 0.1";
    j.labels = Labels{{"alertname", "filling"}, {"instance", instance}, {"disk", "a"}};
    j.level = level;
    j.at = now_;
    j.value = 0.07;
    j.text = std::string(name(level));
    j.annotations = {{"summary", "{{ $labels.instance }} at {{ $value | humanizePercentage }}"}};
    return j;
  }
  void judge(std::vector<Judgement> judgements, std::optional<Cursor> cursor = {}, TenantId tenant = default_tenant()) {
    ASSERT_TRUE(loop_.post({tenant, Judged{std::move(judgements)}, {}, std::move(cursor)}));
    step();
  }
  void judge(Judgement j) { judge(std::vector{std::move(j)}); }
  void step() { ASSERT_TRUE(loop_.step(now_)); }
  void pass(Duration by) {
    now_ += by;
    step();
  }
  template <typename Command>
  Status command(Command c, TenantId tenant = default_tenant()) {
    Status answer = fail(ErrorCode::kInternal, "no answer");
    EXPECT_TRUE(loop_.post({tenant, std::move(c), [&](Status s) { answer = std::move(s); }, {}}));
    step();
    return answer;
  }
  AlertId id(std::string instance = "web1") { return id_of(disk(Level::kOk, std::move(instance))); }
  static AlertId id_of(const Judgement& j) { return identity(default_tenant(), j.rule, j.labels); }
  Alert alert(std::string instance = "web1") {
    auto details = Queries(*database_).get(default_tenant(), id(std::move(instance)));
    EXPECT_TRUE(details);
    return details ? details->alert : Alert{};
  }
  std::vector<std::string> history(std::string instance = "web1") {
    std::vector<std::string> lines;
    const auto details = Queries(*database_).get(default_tenant(), id(std::move(instance)));
    if (!details) return lines;
    for (const auto& line : details->history) {
      lines.push_back(std::to_string(line.episode) + ":" + line.from + ">" + line.to);
    }
    return lines;
  }
  using Lines = std::vector<std::string>;

  Time now_ = from_ms(1'000'000);
  Told told_;
  std::unique_ptr<db::Database> database_;
  Machine machine_;
  control::Loop loop_;
  std::vector<AlertChanged> changed_;
};

constexpr Duration kMinute{60'000};

TEST_F(AlertsTest, ABreachWithoutForFiresAtOnceAndAnOkResolvesIt) {
  judge(disk(Level::kCritical));
  EXPECT_EQ(alert().state, State::kFiring);
  EXPECT_EQ(alert().annotations.at("summary"), "web1 at 7%");
  judge(disk(Level::kOk));
  EXPECT_EQ(alert().state, State::kResolved);
  EXPECT_EQ(told_.lines, (Lines{"firing critical first", "resolved critical"}));
  EXPECT_EQ(history(), (Lines{"1:>firing", "1:firing>resolved"}));
}

TEST_F(AlertsTest, AnOkAboutNothingMakesNoAlert) {
  judge(disk(Level::kOk));
  EXPECT_EQ(Queries(*database_).get(default_tenant(), id()).error().code, ErrorCode::kNotFound);
}

TEST_F(AlertsTest, ABreachWithForIsPendingUntilTheTimer) {
  auto j = disk(Level::kWarning);
  j.hold = kMinute;
  judge(j);
  EXPECT_EQ(alert().state, State::kPending);
  pass(Duration{59'999});
  EXPECT_EQ(alert().state, State::kPending);
  pass(Duration{1});
  EXPECT_EQ(alert().state, State::kFiring);
  EXPECT_EQ(told_.lines, Lines{"firing warning first"});
}

TEST_F(AlertsTest, ARuleThatTimesItselfIsPendingUntilItSaysSo) {
  auto j = disk(Level::kWarning);
  j.hold = kMinute;
  j.times_itself = true;
  judge(j);
  EXPECT_EQ(alert().state, State::kPending);
  EXPECT_EQ(loop_.next_due(), std::nullopt);
  j.sustained = true;
  judge(j);
  EXPECT_EQ(alert().state, State::kFiring);
}

TEST_F(AlertsTest, RenderedAnnotationsAreNoTemplates) {
  auto j = disk(Level::kWarning);
  j.annotations = {{"summary", "{{ $value }} {{"}};
  j.rendered = true;
  judge(j);
  EXPECT_EQ(alert().annotations.at("summary"), "{{ $value }} {{");
}

TEST_F(AlertsTest, ASustainedJudgementFiresBeforeTheTimerWhichThenIsGone) {
  auto j = disk(Level::kWarning);
  j.hold = kMinute;
  judge(j);
  j.sustained = true;
  judge(j);
  EXPECT_EQ(alert().state, State::kFiring);
  EXPECT_EQ(loop_.next_due(), std::nullopt);
}

TEST_F(AlertsTest, LateDataWaitsFromNowOn) {
  auto j = disk(Level::kWarning);
  j.hold = kMinute;
  j.at = now_ - 10 * kMinute;
  j.late = true;
  judge(j);
  EXPECT_EQ(alert().state, State::kPending);
  EXPECT_TRUE(alert().late);
  EXPECT_EQ(loop_.next_due(), now_ + kMinute);
}

TEST_F(AlertsTest, APendingAlertThatRecoversTellsNobody) {
  auto j = disk(Level::kWarning);
  j.hold = kMinute;
  judge(j);
  judge(disk(Level::kOk));
  pass(2 * kMinute);
  EXPECT_EQ(told_.lines, Lines{});
  EXPECT_EQ(history(), (Lines{"1:>pending", "1:pending>resolved"}));
  EXPECT_TRUE(Queries(*database_).list(default_tenant(), {.state = StateFilter::kAll})->alerts.empty());
}

TEST_F(AlertsTest, TheSameVerdictAgainIsOnlyCounted) {
  for (int i = 0; i < 3; ++i) judge(disk(Level::kCritical));
  EXPECT_EQ(alert().count, 3u);
  EXPECT_EQ(told_.lines.size(), 1u);
  EXPECT_EQ(history().size(), 1u);
}

TEST_F(AlertsTest, ABatchJudgedAgainAfterACrashChangesNothing) {
  judge({disk(Level::kCritical), disk(Level::kOk), disk(Level::kWarning)}, Cursor{"tsdb", 5});
  const auto told = told_.lines;
  EXPECT_EQ(told.size(), 3u);
  judge({disk(Level::kCritical), disk(Level::kOk), disk(Level::kWarning)}, Cursor{"tsdb", 5});
  EXPECT_EQ(told_.lines, told);
  EXPECT_EQ(alert().count, 1u);
  judge({disk(Level::kOk)}, Cursor{"tsdb", 6});
  EXPECT_EQ(alert().state, State::kResolved);
}

TEST_F(AlertsTest, AChangeOfSeverityIsTold) {
  judge(disk(Level::kWarning));
  judge(disk(Level::kCritical));
  judge(disk(Level::kWarning));
  EXPECT_EQ(told_.lines, (Lines{"firing warning first", "firing critical", "firing warning"}));
  EXPECT_EQ(alert().episode, 1u);
}

TEST_F(AlertsTest, NoDataKeepsTheAlertOpenUntilAHealthySample) {
  judge(disk(Level::kCritical));
  auto gone = disk(Level::kNoData);
  gone.value = std::numeric_limits<double>::quiet_NaN();
  judge(gone);
  EXPECT_EQ(alert().state, State::kNoData);
  EXPECT_EQ(alert().severity, Severity::kCritical);
  EXPECT_EQ(alert().value, 0.07);
  pass(1000 * kMinute);
  EXPECT_EQ(alert().state, State::kNoData);
  judge(disk(Level::kCritical));
  EXPECT_EQ(alert().state, State::kFiring);
  judge(gone);
  judge(disk(Level::kOk));
  EXPECT_EQ(told_.lines, (Lines{"firing critical first", "no_data critical", "firing critical", "no_data critical",
                                "resolved critical"}));
}

TEST_F(AlertsTest, NoDataOfAHealthySeriesOpensAnAlertOfItsOwn) {
  judge(disk(Level::kNoData));
  EXPECT_EQ(alert().state, State::kNoData);
  EXPECT_EQ(alert().severity, Severity::kNone);
  judge(disk(Level::kOk));
  EXPECT_EQ(told_.lines, (Lines{"no_data none first", "resolved none"}));
}

TEST_F(AlertsTest, NoDataEndsAPendingAlertsTimer) {
  auto j = disk(Level::kWarning);
  j.hold = kMinute;
  judge(j);
  judge(disk(Level::kNoData));
  EXPECT_EQ(alert().state, State::kNoData);
  EXPECT_EQ(loop_.next_due(), std::nullopt);
}

TEST_F(AlertsTest, ARuleThatCannotBeEvaluatedFiresAWarning) {
  auto j = disk(Level::kError);
  j.hold = kMinute;
  judge(j);
  EXPECT_EQ(alert().state, State::kFiring);
  EXPECT_EQ(alert().severity, Severity::kWarning);
}

TEST_F(AlertsTest, OpeningAgainBeginsAnEpisodeAndKeepsTheHistory) {
  judge(disk(Level::kCritical));
  ASSERT_TRUE(command(Acknowledge{id(), "ana", "mine"}));
  judge(disk(Level::kOk));
  judge(disk(Level::kWarning));
  EXPECT_EQ(alert().episode, 2u);
  EXPECT_EQ(alert().count, 1u);
  EXPECT_FALSE(alert().ack);
  EXPECT_EQ(history(), (Lines{"1:>firing", "1:firing>acknowledged", "1:firing>resolved", "2:resolved>firing"}));
  EXPECT_EQ(told_.lines.back(), "firing warning first");
}

TEST_F(AlertsTest, AcknowledgingRemembersWhoWhenAndWhy) {
  judge(disk(Level::kCritical));
  now_ += kMinute;
  ASSERT_TRUE(command(Acknowledge{id(), "ana", "on it"}));
  const auto acknowledged = alert();
  ASSERT_TRUE(acknowledged.ack);
  EXPECT_EQ(acknowledged.ack->by, "ana");
  EXPECT_EQ(acknowledged.ack->at, now_);
  EXPECT_EQ(acknowledged.ack->note, "on it");
  EXPECT_EQ(told_.lines.size(), 1u);
  ASSERT_TRUE(command(Acknowledge{id(), "ana", "on it"}));
  EXPECT_EQ(history().size(), 2u);
  ASSERT_TRUE(command(Unacknowledge{id(), "bea"}));
  EXPECT_FALSE(alert().ack);
  EXPECT_EQ(history().back(), "1:firing>unacknowledged");
}

TEST_F(AlertsTest, AcknowledgingWhatIsNotOpenIsRefused) {
  EXPECT_EQ(command(Acknowledge{AlertId{"0123456789abcdef"}, "ana", ""}).error().code, ErrorCode::kNotFound);
  judge(disk(Level::kCritical));
  judge(disk(Level::kOk));
  EXPECT_EQ(command(Acknowledge{id(), "ana", ""}).error().code, ErrorCode::kConflict);
}

TEST_F(AlertsTest, AnotherTenantNeitherSeesNorAcknowledges) {
  judge(disk(Level::kCritical));
  const TenantId other{"other"};
  EXPECT_EQ(command(Acknowledge{id(), "eve", ""}, other).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(Queries(*database_).list(other, {})->alerts.empty());
  EXPECT_NE(identity(other, disk(Level::kOk).rule, disk(Level::kOk).labels), id());
}

TEST_F(AlertsTest, RulesOfEqualNameInTwoPackagesHaveAlertsOfTheirOwn) {
  auto mine = disk(Level::kCritical);
  auto theirs = mine;
  theirs.rule = "other/disk/filling";
  judge({mine, theirs});
  theirs.level = Level::kOk;
  judge(theirs);
  const Queries queries(*database_);
  EXPECT_EQ(queries.get(default_tenant(), id_of(mine))->alert.state, State::kFiring);
  EXPECT_EQ(queries.get(default_tenant(), id_of(theirs))->alert.state, State::kResolved);
}

TEST_F(AlertsTest, WhatIsOverGoesAfterAWhileAndWhatIsOpenStays) {
  now_ = from_ms(1'700'000'000'000);
  judge({disk(Level::kCritical, "web1"), disk(Level::kCritical, "web2")});
  judge(disk(Level::kOk, "web1"));
  for (int day = 0; day < 89; ++day) pass(24 * 60 * kMinute);
  EXPECT_EQ(history("web1").size(), 2u);
  for (int day = 0; day < 3; ++day) pass(24 * 60 * kMinute);
  EXPECT_EQ(Queries(*database_).get(default_tenant(), id("web1")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(alert("web2").state, State::kFiring);
  EXPECT_EQ(history("web2"), Lines{"1:>firing"});
}

TEST_F(AlertsTest, RetiringClosesWhatNobodyJudgesAnyMore) {
  judge({disk(Level::kCritical, "web1"), disk(Level::kCritical, "web2")});
  ASSERT_TRUE(command(Retire{.known_rules = {}, .host = "web2", .reason = "the host was removed"}));
  EXPECT_EQ(alert("web1").state, State::kFiring);
  EXPECT_EQ(alert("web2").state, State::kResolved);
  EXPECT_EQ(alert("web2").text, "the host was removed");
  ASSERT_TRUE(command(Retire{.known_rules = std::set<std::string>{"other/rule/x"}, .host = {}, .reason = "gone"}));
  EXPECT_EQ(alert("web1").state, State::kResolved);
}

TEST_F(AlertsTest, PublishesEveryChangeAndSaysWhichAreTransitions) {
  judge(disk(Level::kCritical));
  judge(disk(Level::kCritical));
  ASSERT_EQ(changed_.size(), 2u);
  EXPECT_TRUE(changed_[0].transition);
  EXPECT_FALSE(changed_[1].transition);
}

TEST_F(AlertsTest, ListsNewestFirstInPages) {
  for (int i = 0; i < 5; ++i) {
    judge(disk(Level::kCritical, "web" + std::to_string(i)));
    now_ += kMinute;
  }
  const Queries queries(*database_);
  std::vector<std::string> hosts;
  Filter filter{.limit = 2};
  int pages = 0;
  do {
    const auto page = queries.list(default_tenant(), filter);
    ASSERT_TRUE(page);
    for (const auto& a : page->alerts) hosts.emplace_back(a.labels.get("instance"));
    filter.before = page->next;
    ++pages;
  } while (!filter.before.empty());
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(hosts, (Lines{"web4", "web3", "web2", "web1", "web0"}));
  EXPECT_EQ(queries.list(default_tenant(), {.before = "nonsense"}).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(AlertsTest, FiltersByStateSeverityHostAndText) {
  judge({disk(Level::kCritical, "web1"), disk(Level::kWarning, "web2"), disk(Level::kNoData, "db_1")});
  judge(disk(Level::kOk, "web2"));
  const Queries queries(*database_);
  const auto hosts = [&](Filter filter) {
    std::set<std::string> found;
    const auto page = queries.list(default_tenant(), filter);
    EXPECT_TRUE(page);
    for (const auto& a : page->alerts) found.emplace(a.labels.get("instance"));
    return found;
  };
  using Set = std::set<std::string>;
  EXPECT_EQ(hosts({}), (Set{"web1", "db_1"}));
  EXPECT_EQ(hosts({.state = StateFilter::kResolved}), Set{"web2"});
  EXPECT_EQ(hosts({.state = StateFilter::kAll}), (Set{"web1", "web2", "db_1"}));
  EXPECT_EQ(hosts({.severity = Severity::kCritical}), Set{"web1"});
  EXPECT_EQ(hosts({.host = "db_1"}), Set{"db_1"});
  EXPECT_EQ(hosts({.text = "WEB1"}), Set{"web1"});
  EXPECT_EQ(hosts({.text = "b_1"}), Set{"db_1"});
  EXPECT_EQ(hosts({.text = "%"}), Set{});
}

TEST_F(AlertsTest, CountsOpenAlertsByHost) {
  judge({disk(Level::kCritical, "web1"), disk(Level::kWarning, "web2"), disk(Level::kNoData, "web3")});
  const auto counts = Queries(*database_).counts_by_host(default_tenant());
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->at("web1").critical, 1u);
  EXPECT_EQ(counts->at("web2").warning, 1u);
  EXPECT_EQ(counts->at("web3").no_data, 1u);
}

TEST_F(AlertsTest, GivesAJudgeWhatIsOpen) {
  judge({disk(Level::kCritical, "web1"), disk(Level::kNoData, "web2")});
  judge(disk(Level::kOk, "web2"));
  const auto open = Queries(*database_).open();
  ASSERT_TRUE(open);
  ASSERT_EQ(open->size(), 1u);
  EXPECT_EQ(open->front().labels, disk(Level::kOk, "web1").labels);
  EXPECT_EQ(open->front().level, Level::kCritical);
  EXPECT_EQ(open->front().rule, "host/disk/filling");
}

TEST_F(AlertsTest, ShowsAValueThatIsNoNumberAsNull) {
  auto j = disk(Level::kNoData);
  j.value = std::numeric_limits<double>::quiet_NaN();
  judge(j);
  EXPECT_TRUE(std::isnan(alert().value));
  EXPECT_TRUE(to_json(alert()).at("value").is_null());
}

TEST(Annotations, ABrokenTemplateBecomesItsError) {
  Annotations annotations("", {}, 1024);
  const auto out = annotations.render({{"a", "{{ $nope }}"}, {"b", "{{ query \"up\" }}"}}, Labels{}, 1);
  EXPECT_TRUE(out.at("a").starts_with("<error expanding template:"));
  EXPECT_TRUE(out.at("b").starts_with("<error expanding template:"));
}

}  // namespace
}  // namespace atalaya::alerts
