#include "rules/groups/group_run.h"

#include <gmock/gmock.h>

#include "rules/groups/groups_test_world.h"

namespace atalaya::rules {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Groups, ARecordingRuleNamesAndLabelsItsResult) {
  World w("{name: g, labels: {team: a}, rules: [{record: 'job:up:sum', expr: sum by (job) (up), labels: {x: y}}]}");
  w.put(R"(up{job="n",instance="1"})", 0, 1);
  w.put(R"(up{job="n",instance="2"})", 0, 1);
  EXPECT_THAT(texts(w.evaluate(10)), ElementsAre(R"(job:up:sum{job="n", team="a", x="y"} 2)"));
}

TEST(Groups, ASeriesThatVanishesGetsOneStaleMarker) {
  World w("{name: g, rules: [{record: r, expr: up > 0}]}");
  w.put(R"(up{i="1"})", 0, 1);
  EXPECT_THAT(texts(w.evaluate(10)), ElementsAre(R"(r{i="1"} 1)"));
  w.put(R"(up{i="1"})", 20, 0);
  EXPECT_THAT(texts(w.evaluate(20)), ElementsAre(R"(r{i="1"} stale)"));
  EXPECT_THAT(texts(w.evaluate(30)), IsEmpty());
}

TEST(Groups, ARuleSeesWhatThoseBeforeItJustYielded) {
  World w(R"(
name: g
rules:
  - {record: a, expr: up * 2}
  - {record: b, expr: a + 1}
  - {alert: Down, expr: up == 0, labels: {severity: critical}}
  - {record: firing, expr: 'count(ALERTS{alertstate="firing"})'}
)");
  w.put("up", 0, 0);
  EXPECT_THAT(texts(w.evaluate(0)),
              ElementsAre("a 0", "b 1", R"(ALERTS_FOR_STATE{alertname="Down", severity="critical"} 0)",
                          R"(ALERTS{alertname="Down", alertstate="firing", severity="critical"} 1)", "firing 1"));
}

TEST(Groups, ResultsThatBecomeTheSameSeriesAreAnError) {
  World w("{name: g, rules: [{record: r, expr: up, labels: {i: same}}, {record: ok, expr: '1'}]}");
  w.put(R"(up{i="1"})", 0, 1);
  w.put(R"(up{i="2"})", 0, 1);
  EXPECT_THAT(texts(w.evaluate(0)), ElementsAre("ok 1"));
  const auto state = w.run.state();
  EXPECT_EQ(state.rules[0].health, Health::kBad);
  EXPECT_THAT(state.rules[0].last_error, HasSubstr("same labelset after applying rule labels"));
  EXPECT_EQ(state.rules[1].health, Health::kGood);
}

TEST(Groups, AnAlertWaitsForItsTimeThenFiresAndEndsAtTheNextTick) {
  World w("{name: g, rules: [{alert: Down, expr: up == 0, for: 20s}]}");
  w.put("up", 0, 0);
  auto first = w.evaluate(0);
  EXPECT_EQ(w.run.state().rules[0].state, AlertState::kPending);
  EXPECT_THAT(levels(first.verdicts), ElementsAre("warning"));
  EXPECT_THAT(levels(w.evaluate(10).verdicts), IsEmpty()) << "nothing new";
  EXPECT_THAT(levels(w.evaluate(20).verdicts), ElementsAre("warning sustained"));
  EXPECT_EQ(w.run.firing("Down").size(), 1u);
  w.put("up", 30, 1);
  const auto last = w.evaluate(30);
  EXPECT_THAT(levels(last.verdicts), ElementsAre("ok"));
  EXPECT_THAT(texts(last), ElementsAre(R"(ALERTS{alertname="Down", alertstate="firing"} stale)",
                                       R"(ALERTS_FOR_STATE{alertname="Down"} stale)"));
}

TEST(Groups, APendingAlertThatEndsBeginsAnew) {
  World w("{name: g, rules: [{alert: Down, expr: up == 0, for: 20s}]}");
  w.put("up", 0, 0);
  w.evaluate(0);
  w.put("up", 10, 1);
  EXPECT_THAT(levels(w.evaluate(10).verdicts), ElementsAre("ok"));
  w.put("up", 20, 0);
  w.evaluate(20);
  w.evaluate(30);
  EXPECT_EQ(w.run.state().rules[0].state, AlertState::kPending) << "the clock of for began again";
}

TEST(Groups, AnAlertKeepsFiringForAsLongAsItIsTold) {
  World w("{name: g, rules: [{alert: Down, expr: up == 0, keep_firing_for: 20s}]}");
  w.put("up", 0, 0);
  w.evaluate(0);
  w.put("up", 10, 1);
  w.evaluate(10);
  w.evaluate(20);
  EXPECT_EQ(w.run.firing("Down").size(), 1u);
  w.evaluate(30);
  EXPECT_THAT(w.run.firing("Down"), IsEmpty());
}

TEST(Groups, MoreAlertsThanTheLimitAreNoneAndAnError) {
  World w("{name: g, limit: 1, rules: [{alert: Down, expr: up == 0}]}");
  w.put(R"(up{i="1"})", 0, 0);
  EXPECT_EQ(w.evaluate(0).samples.size(), 2u);
  w.put(R"(up{i="2"})", 10, 0);
  const auto over = w.evaluate(10);
  EXPECT_THAT(over.samples, IsEmpty());
  EXPECT_THAT(levels(over.verdicts), ElementsAre("error"));
  EXPECT_EQ(w.run.state().rules[0].last_error, "exceeded limit of 1 with 2 alerts");
  EXPECT_THAT(w.run.firing("Down"), IsEmpty());
}

TEST(Groups, LabelsAndAnnotationsAreTemplatesThatMayAskSeries) {
  GroupOptions options;
  options.outside = {Labels{{"region", "eu"}}, "http://at"};
  World w(R"yaml(
name: g
rules:
  - alert: Down
    expr: up == 0
    labels: {who: '{{ $labels.i }}', where: '{{ $externalLabels.region }}'}
    annotations:
      summary: '{{ $labels.i }} is {{ $value }}, {{ with query "count(up)" }}{{ . | first | value }}{{ end }} in all'
      wrong: '{{ query "nothing" | first }}'
      link: '{{ $externalURL }}/{{ .Labels.i }}'
)yaml",
          options);
  w.put(R"(up{i="1"})", 0, 0);
  w.put(R"(up{i="2"})", 0, 1);
  w.evaluate(0);
  const auto alerts = w.run.firing("Down");
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(to_string(alerts[0]->labels), R"({alertname="Down", i="1", where="eu", who="1"})");
  EXPECT_EQ(alerts[0]->annotations.at("summary"), "1 is 0, 2 in all");
  EXPECT_EQ(alerts[0]->annotations.at("link"), "http://at/1");
  EXPECT_THAT(alerts[0]->annotations.at("wrong"), HasSubstr("<error expanding template: "));
}

TEST(Groups, QueryOffsetLooksIntoThePastAndStoresThere) {
  World w("{name: g, query_offset: 30s, rules: [{record: r, expr: up}]}");
  w.put("up", 0, 7);
  w.put("up", 60, 9);
  const auto out = w.evaluate(60);
  EXPECT_THAT(texts(out), ElementsAre("r 7"));
  EXPECT_EQ(out.samples[0].time, from_ms(30'000));
}

TEST(Groups, WhereInputsAreGoneOurAlertHasNoDataAndEndsByAHealthySample) {
  World w("{name: g, rules: [{alert: Slow, expr: 'seconds > 5'}]}");
  w.put("seconds", 0, 9);
  EXPECT_THAT(levels(w.evaluate(0).verdicts), ElementsAre("warning sustained"));
  w.put("seconds", 10, stale_marker());
  EXPECT_THAT(levels(w.evaluate(10).verdicts), ElementsAre("no_data"));
  EXPECT_THAT(w.run.firing("Slow"), IsEmpty()) << "ALERTS show what Prometheus shows";
  EXPECT_THAT(levels(w.evaluate(20).verdicts), IsEmpty());
  w.put("seconds", 30, 1);
  EXPECT_THAT(levels(w.evaluate(30).verdicts), ElementsAre("ok"));
}

TEST(Groups, OneSeriesThatEndsIsNoDataWhileItsNeighbourIsHealthy) {
  World w("{name: g, rules: [{alert: Slow, expr: 'seconds > 5'}]}");
  w.put(R"(seconds{i="1"})", 0, 9);
  w.put(R"(seconds{i="2"})", 0, 9);
  w.evaluate(0);
  w.put(R"(seconds{i="1"})", 10, stale_marker());
  w.put(R"(seconds{i="2"})", 10, 1);
  const auto out = w.evaluate(10);
  ASSERT_EQ(out.verdicts.size(), 2u);
  EXPECT_EQ(out.verdicts[0].labels.get("i"), "1");
  EXPECT_EQ(out.verdicts[0].level, Level::kNoData);
  EXPECT_EQ(out.verdicts[1].level, Level::kOk);
}

TEST(Groups, AnAlertOnAbsenceEndsWhenSamplesCome) {
  World w("{name: g, rules: [{alert: Gone, expr: absent(up)}]}");
  EXPECT_THAT(levels(w.evaluate(0).verdicts), ElementsAre("warning sustained"));
  w.put("up", 10, 1);
  EXPECT_THAT(levels(w.evaluate(10).verdicts), ElementsAre("ok"));
}

TEST(Groups, SeverityDecidesTheLevel) {
  World w(
      "{name: g, rules: [{alert: A, expr: '1', labels: {severity: page}}, {alert: B, expr: '1', labels: {severity: "
      "info}}]}");
  const auto out = w.evaluate(0);
  EXPECT_THAT(levels(out.verdicts), ElementsAre("critical sustained", "warning sustained"));
}

TEST(Groups, WhatIsEvaluatedLateIsMarkedLate) {
  World w("{name: g, rules: [{alert: A, expr: '1'}]}");
  w.clock.jump_to(from_ms(600'000));
  EXPECT_THAT(levels(w.evaluate_late(0).verdicts), ElementsAre("warning sustained late"));
}

TEST(Groups, AfterARestartForGoesOnWhereItWas) {
  const std::string rule = "{name: g, rules: [{alert: Down, expr: up == 0, for: 30m}]}";
  GroupOptions options;
  options.restore = true;
  const auto begun_after = [&](int begun, int last, int back) {
    World w(rule, options);
    w.put(R"(ALERTS_FOR_STATE{alertname="Down"})", last, begun);
    w.put("up", back, 0);
    w.evaluate(back);
    return (w.run.state().rules[0].alerts.at(0).active_at - Time{}).count() / 1000;
  };
  EXPECT_EQ(begun_after(1000, 1600, 1900), 1300) << "the 300 s away do not count";
  EXPECT_EQ(begun_after(1000, 2500, 2800), 2800 + 600 - 1800) << "less than 10 minutes left: 10 minutes from now";
  EXPECT_EQ(begun_after(1000, 2900, 3000), 1000) << "it was firing";
}

TEST(Groups, AnEndedAlertIsNotRestored) {
  GroupOptions options;
  options.restore = true;
  World w("{name: g, rules: [{alert: Down, expr: up == 0, for: 30m}]}", options);
  w.put(R"(ALERTS_FOR_STATE{alertname="Down"})", 100, 50);
  w.put(R"(ALERTS_FOR_STATE{alertname="Down"})", 160, stale_marker());
  w.put("up", 300, 0);
  w.evaluate(300);
  EXPECT_EQ(w.run.state().rules[0].alerts.at(0).active_at, from_ms(300'000));
}

TEST(Groups, AnAlertOpenBeforeARestartIsClosedByAHealthySampleAlone) {
  World w("{name: g, rules: [{alert: Down, expr: up == 0, for: 5m}]}");
  EXPECT_TRUE(w.run.remember("t/g/Down", Labels{{"alertname", "Down"}, {"i", "1"}}, Level::kWarning, true));
  EXPECT_FALSE(w.run.remember("t/g/Other", Labels{{"alertname", "Other"}}, Level::kWarning, true));
  EXPECT_THAT(levels(w.evaluate(0).verdicts), ElementsAre("no_data"));
  w.put(R"(up{i="1"})", 10, 1);
  EXPECT_THAT(levels(w.evaluate(10).verdicts), ElementsAre("ok"));
}

TEST(Groups, AChangedGroupKeepsWhatItsRulesKnow) {
  World w("{name: g, rules: [{alert: Down, expr: up == 0, for: 20s}, {record: old, expr: up}]}");
  w.put("up", 0, 0);
  w.evaluate(0);
  w.become("{name: g, interval: 5s, rules: [{alert: Down, expr: up < 1, for: 20s}, {record: new, expr: up}]}");
  EXPECT_THAT(levels(w.verdicts), IsEmpty());
  const auto out = w.evaluate(20);
  EXPECT_EQ(w.run.state().rules[0].state, AlertState::kFiring);
  EXPECT_THAT(texts(out), testing::Contains("old stale"));
}

TEST(Groups, ARuleThatIsRemovedClosesItsAlerts) {
  World w("{name: g, rules: [{alert: Down, expr: up == 0}, {record: r, expr: up}]}");
  w.put("up", 0, 0);
  w.evaluate(0);
  w.become("{name: g, rules: [{record: r, expr: up}]}");
  ASSERT_THAT(levels(w.verdicts), ElementsAre("ok"));
  EXPECT_TRUE(w.verdicts[0].removed);
  EXPECT_THAT(texts(w.evaluate(10)), testing::Contains(R"(ALERTS{alertname="Down", alertstate="firing"} stale)"));
}

TEST(Groups, AGroupThatEndsLeavesStaleMarkersAndClosedAlerts) {
  World w("{name: g, rules: [{alert: Down, expr: up == 0}, {record: r, expr: up}]}");
  w.put("up", 0, 0);
  w.evaluate(0);
  const auto end = w.run.end(from_ms(5'000));
  EXPECT_THAT(levels(end.verdicts), ElementsAre("ok"));
  EXPECT_EQ(end.samples.size(), 3u);
}

TEST(Groups, NothingMoreIsSaidOfARemovedHost) {
  World w("{name: g, rules: [{alert: Down, expr: up == 0}]}");
  w.put(R"(up{instance="a"})", 0, 0);
  w.evaluate(0);
  w.put(R"(up{instance="a"})", 10, stale_marker());
  w.run.forget({Matcher::equal("instance", "a")});
  EXPECT_THAT(levels(w.evaluate(10).verdicts), IsEmpty());
}

TEST(Groups, ArrivalMayBeginAndFireAndNeverEnds) {
  World w("{name: g, rules: [{alert: Down, expr: up == 0, for: 10s}]}");
  w.put("up", 3, 0);
  w.clock.jump_to(from_ms(3'000));
  EXPECT_THAT(levels(w.run.evaluate_early(w.store, 0, {}, from_ms(3'000), w.clock).verdicts), ElementsAre("warning"));
  EXPECT_THAT(levels(w.run.evaluate_early(w.store, 0, {}, from_ms(13'000), w.clock).verdicts),
              ElementsAre("warning sustained"));
  w.put("up", 14, 1);
  EXPECT_THAT(w.run.evaluate_early(w.store, 0, {}, from_ms(14'000), w.clock).verdicts, IsEmpty());
  EXPECT_EQ(w.run.firing("Down").size(), 1u);
  EXPECT_THAT(levels(w.evaluate(60).verdicts), ElementsAre("ok")) << "a tick ends it";
}

TEST(Groups, ArrivalSaysUntilWhenItHasNothingToTell) {
  World w("{name: g, rules: [{alert: Down, expr: up == 0, for: 10s}]}");
  World by_value("{name: g, rules: [{alert: Down, expr: up == 0, labels: {value: '{{ $value }}'}}]}");
  for (auto* world : {&w, &by_value}) world->put("up", 3, 0);
  const auto early = [](World& world, int second) {
    return world.run.evaluate_early(world.store, 0, {}, from_ms(second * 1000), world.clock);
  };
  EXPECT_EQ(early(w, 3).quiet_until, from_ms(13'000)) << "pending";
  EXPECT_EQ(early(w, 13).quiet_until, kMaxTime) << "firing";
  EXPECT_EQ(early(by_value, 3).quiet_until, kMinTime) << "another value names another alert";
  w.put("up", 14, 1);
  EXPECT_EQ(early(w, 14).quiet_until, kMinTime) << "nothing crosses";
  w.evaluate(60);
  EXPECT_TRUE(early(w, 60).too_soon) << "a tick has been";
  EXPECT_FALSE(early(w, 61).too_soon);
}

TEST(Groups, ArrivalBeginsNothingBeyondTheLimit) {
  World w("{name: g, limit: 1, rules: [{alert: Down, expr: up == 0}]}");
  w.put(R"(up{instance="a"})", 3, 0);
  w.put(R"(up{instance="b"})", 3, 0);
  w.clock.jump_to(from_ms(3'000));
  EXPECT_THAT(w.run.evaluate_early(w.store, 0, {}, from_ms(3'000), w.clock).verdicts, IsEmpty());
  EXPECT_TRUE(w.run.firing("Down").empty());
  const auto only_a =
      w.run.evaluate_early(w.store, 0, {Matcher::equal("instance", "a")}, from_ms(3'000), w.clock).verdicts;
  EXPECT_FALSE(only_a.empty());
  EXPECT_THAT(w.run.evaluate_early(w.store, 0, {Matcher::equal("instance", "b")}, from_ms(3'000), w.clock).verdicts,
              IsEmpty())
      << "the other one is active already";
  EXPECT_EQ(w.run.firing("Down").size(), 1u);
}

TEST(Groups, AFieldThatATemplateDoesNotHaveIsTold) {
  World w(
      R"y({name: g, rules: [{alert: Down, expr: up == 0, annotations: {text: "{{ .Label.job }}", good: "{{ .Labels.nix }}"}}]})y");
  w.put("up", 0, 0);
  w.evaluate(0);
  const auto annotations = w.run.firing("Down").at(0)->annotations;
  EXPECT_THAT(annotations.at("text"), testing::HasSubstr("can't evaluate field Label in type struct"));
  EXPECT_EQ(annotations.at("good"), "");
}

}  // namespace
}  // namespace atalaya::rules
