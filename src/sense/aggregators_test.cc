#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "model/sample.h"
#include "sense/testing.h"

namespace atalaya::sense {
namespace {

using testing::at;
using testing::Bench;
using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::one;
using testing::spec_of;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

TEST(Ewma, TheFirstValueIsTheAverage) {
  Bench bench(one("EWMA", {{"gain", 16.0}}));
  bench.push(0, 32).push(1, 48).push(2, 33);
  EXPECT_THAT(bench.said(), ElementsAre("32", "33", "33"));
}

TEST(Ewma, OfGainOneIsTheValue) {
  Bench bench(one("EWMA", {{"gain", std::int64_t{1}}}));
  bench.push(0, 0.1).push(1, 1e308).push(2, -1e308);
  EXPECT_THAT(bench.said(), ElementsAre("0.1", "1e+308", "-1e+308"));
}

TEST(Ewma, KeepsAnAverageForEachSeries) {
  Bench bench(one("EWMA", {{"gain", 2.0}}));
  bench.push(0, 1, {{"cpu", "0"}}).push(0, 10, {{"cpu", "1"}}).push(1, 3, {{"cpu", "0"}}).push(1, 20, {{"cpu", "1"}});
  EXPECT_THAT(bench.said(), ElementsAre("{cpu=\"0\"} 1", "{cpu=\"1\"} 10", "{cpu=\"0\"} 2", "{cpu=\"1\"} 15"));
}

TEST(Ewma, PassesOverWhatIsNoNumberAndWhatIsLate) {
  Bench bench(one("EWMA", {{"gain", 2.0}}));
  bench.push(10, 4).push(11, kNan).push(11, kInf).line(11, "a line").push(10, 100).push(9, 100).push(12, 6);
  EXPECT_THAT(bench.said(), ElementsAre("4", "5"));
  EXPECT_EQ(bench.counters().not_numbers, 3);
  EXPECT_EQ(bench.counters().late, 2);
}

TEST(Ewma, BeginsAnewAfterTheEndOfASeries) {
  Bench bench(one("EWMA", {{"gain", 2.0}}));
  bench.push(0, 4).push(1, stale_marker()).push(2, 10);
  const auto out = bench.take();
  ASSERT_EQ(out.size(), 3);
  EXPECT_TRUE(is_stale(out[1].record.value));
  EXPECT_EQ(out[2].record.value, 10);
}

TEST(Ewma, ForgetsSeriesThatStayAway) {
  Bench bench(one("EWMA", {{"gain", 2.0}}));
  bench.push(0, 4);
  EXPECT_EQ(bench.pipe().due(), at(900));
  bench.push(500, 4, {{"x", "y"}}).tick(900);
  EXPECT_EQ(bench.pipe().remembered(), 1);
  bench.tick(1400);
  EXPECT_EQ(bench.pipe().remembered(), 0);
  EXPECT_EQ(bench.pipe().due(), kMaxTime);
}

TEST(Rate, IsTheIncreaseASecond) {
  Bench bench(one("Rate", {}));
  bench.push(0, 100).push(2, 110).push(4, 110);
  EXPECT_THAT(bench.said(), ElementsAre("5", "0"));
}

TEST(Rate, ACounterThatShrankBeganAtZero) {
  Bench bench(one("Rate", {}));
  bench.push(0, 100).push(2, 6);
  EXPECT_THAT(bench.said(), ElementsAre("3"));
}

TEST(Rate, AValueAfterAGapIsAFirstOne) {
  Bench bench(one("Rate", {{"gap", 10.0}}));
  bench.push(0, 100).push(10.001, 110).push(11.001, 111).push(21.001, 121);
  EXPECT_THAT(bench.said(), ElementsAre("1", "1"));
}

TEST(Delta, IsTheDifferenceWithItsSign) {
  Bench bench(one("Delta", {}));
  bench.push(0, 100).push(2, 110).push(4, 90);
  EXPECT_THAT(bench.said(), ElementsAre("10", "-20"));
}

TEST(Threshold, RisesAtOneBoundAndFallsAtTheOther) {
  Bench bench(one("Threshold", {{"raise", 90.0}, {"clear", 80.0}}));
  for (const auto value : {50, 89, 90, 85, 95, 81, 80, 89, 91})
    bench.push(value == 50 ? 0 : bench.counters().records, value);
  EXPECT_THAT(bench.said_when(), ElementsAre("@2 1", "@6 0", "@8 1"));
}

TEST(Threshold, AlarmsBelowWhereClearIsGreater) {
  Bench bench(one("Threshold", {{"raise", 10.0}, {"clear", 20.0}}));
  bench.push(0, 15).push(1, 10).push(2, 19).push(3, 20).push(4, 11);
  EXPECT_THAT(bench.said_when(), ElementsAre("@1 1", "@3 0"));
}

TEST(Threshold, WithoutClearTheBoundItselfIsTheAlarm) {
  Bench bench(one("Threshold", {{"raise", 10.0}}));
  bench.push(0, 10).push(1, 9.9).push(2, 10);
  EXPECT_THAT(bench.said(), ElementsAre("1", "0", "1"));
}

TEST(Threshold, WaitsForValuesInARow) {
  Bench bench(one("Threshold", {{"raise", 10.0}, {"after", std::int64_t{3}}}));
  bench.push(0, 10).push(1, 10).push(2, 1).push(3, 10).push(4, 10).push(5, 10).push(6, 1);
  EXPECT_THAT(bench.said_when(), ElementsAre("@5 1", "@6 0"));
}

TEST(Threshold, SaysItsStateEachTimeWhereAsked) {
  Bench bench(one("Threshold", {{"raise", 10.0}, {"repeat", true}}));
  bench.push(0, 1).push(1, 11).push(2, 12);
  EXPECT_THAT(bench.said(), ElementsAre("0", "1", "1"));
}

TEST(Windows, AreAlignedAndEndWithGrace) {
  Bench bench(one("Mean", {{"window", 10.0}}));
  bench.push(3, 1).push(9.999, 2).push(10, 100).tick(11.999);
  EXPECT_THAT(bench.said(), IsEmpty());
  bench.push(5, 6).tick(12).tick(22);
  EXPECT_THAT(bench.said_when(), ElementsAre("@10 3", "@20 100"));
}

TEST(Windows, HaveThePeriodOfTheSensorWithoutAnother) {
  Bench bench(one("Count", {{"grace", 0.0}}));
  bench.push(1, 1).push(2, 1).tick(10);
  EXPECT_THAT(bench.said_when(), ElementsAre("@10 2"));
}

TEST(Windows, RecordsOfAClosedOneAreLate) {
  Bench bench(one("Sum", {{"window", 10.0}, {"grace", 1.0}}));
  bench.push(Record{at(9), 1, {}, std::nullopt}, at(10.999)).tick(11);
  bench.push(Record{at(9), 1, {}, std::nullopt}, at(11));
  EXPECT_THAT(bench.said(), ElementsAre("1"));
  EXPECT_EQ(bench.counters().late, 1);
  EXPECT_EQ(bench.pipe().remembered(), 0);
}

TEST(Windows, AGapYieldsNothing) {
  Bench bench(one("Sum", {{"window", 10.0}, {"grace", 0.0}}));
  bench.push(1, 1).tick(10).tick(20).tick(30).push(31, 2).tick(40);
  EXPECT_THAT(bench.said_when(), ElementsAre("@10 1", "@40 2"));
}

TEST(Windows, PutSeriesTogetherByLabels) {
  auto series = [](const char* host, const char* cpu) { return Labels{{"cpu", cpu}, {"host", host}}; };
  Bench by_host(one("Sum", {{"by", "host"}, {"grace", 0.0}}));
  Bench all(one("Sum", {{"by", ""}, {"grace", 0.0}}));
  for (auto* bench : {&by_host, &all}) {
    bench->push(1, 1, series("x", "0")).push(1, 2, series("x", "1")).push(1, 4, series("y", "0")).tick(10);
  }
  EXPECT_THAT(by_host.said(), ElementsAre("{host=\"x\"} 3", "{host=\"y\"} 4"));
  EXPECT_THAT(all.said(), ElementsAre("7"));
}

TEST(Windows, TheEndOfASeriesLeavesWhatTheyHold) {
  Bench bench(one("Max", {{"grace", 0.0}}));
  bench.push(1, 5).push(2, stale_marker()).tick(10);
  EXPECT_THAT(bench.said(), ElementsAre("5"));
  EXPECT_EQ(bench.counters().not_numbers, 0);
}

TEST(Windows, MinMaxSumAndCount) {
  for (const auto& [mixin, expected] : std::map<std::string, std::string>{
           {"Min", "-3"}, {"Max", "7"}, {"Sum", "5"}, {"Count", "3"}, {"Mean", "1.6666666666666667"}}) {
    Bench bench(one(mixin, {{"grace", 0.0}}));
    bench.push(1, 7).push(2, -3).push(3, 1).push(4, kNan).tick(10);
    EXPECT_THAT(bench.said(), ElementsAre(expected)) << mixin;
    EXPECT_EQ(bench.counters().not_numbers, 1) << mixin;
  }
}

TEST(Windows, ASumKeepsItsRoundingError) {
  Bench bench(one("Sum", {{"grace", 0.0}}));
  bench.push(1, 1).push(2, 1e100).push(3, 1).push(4, -1e100).tick(10);
  EXPECT_THAT(bench.said(), ElementsAre("2"));
}

TEST(Count, CountsLinesToo) {
  Bench bench(one("Count", {{"grace", 0.0}, {"by", ""}}));
  bench.line(1, "one", {{"level", "error"}}).line(2, "two").tick(10);
  EXPECT_THAT(bench.said(), ElementsAre("2"));
}

TEST(Percentile, LiesBetweenRanks) {
  Bench bench(one("Percentile", {{"percent", 50.0}, {"grace", 0.0}}));
  bench.push(1, 4).push(2, 1).push(3, 3).push(4, 2).tick(10);
  EXPECT_THAT(bench.said(), ElementsAre("2.5"));
}

TEST(Percentile, OfVeryManyValuesIsAnEstimateInBoundedMemory) {
  Bench bench(one("Percentile", {{"percent", 50.0}, {"grace", 0.0}}));
  for (int i = 0; i < 100'000; ++i) bench.push(1 + i * 1e-5, i);
  bench.tick(10);
  const auto out = bench.take();
  ASSERT_EQ(out.size(), 1);
  // Of 1,024 values chosen by chance the median lies within 7 standard errors (11%), and the choice is always the same.
  EXPECT_NEAR(out[0].record.value, 50'000, 11'000);
}

TEST(Histogram, CountsWhatIsNotAboveEachBound) {
  Bench bench(one("Histogram", {{"bounds", "0.1, 0.5,1"}, {"grace", 0.0}}));
  bench.push(1, 0.1).push(2, 0.3).push(3, 0.5).push(4, 7).push(5, -1).tick(10);
  EXPECT_THAT(bench.said(), ElementsAre("{le=\"0.1\"} 2", "{le=\"0.5\"} 4", "{le=\"1\"} 4", "{le=\"+Inf\"} 5"));
}

TEST(Histogram, WantsAscendingBounds) {
  EXPECT_THAT(error_of(one("Histogram", {{"bounds", "1,1"}})), HasSubstr("bounds: 1 does not follow 1"));
  EXPECT_THAT(error_of(one("Histogram", {{"bounds", "1,x"}})), HasSubstr("bounds: \"x\" is no number"));
  EXPECT_THAT(error_of(one("Histogram", {{"bounds", "+Inf"}})), HasSubstr("is no number"));
  EXPECT_THAT(error_of(one("Histogram", {{"bounds", ""}})), HasSubstr("bounds: it names none"));
}

TEST(Downsample, KeepsOneRecordOfAWindowWithItsTime) {
  Bench last(one("Downsample", {{"grace", 0.0}}));
  Bench first(one("Downsample", {{"grace", 0.0}, {"take", "first"}}));
  for (auto* bench : {&last, &first}) bench->push(2, 20).push(7, 70).push(1, 10).tick(10);
  EXPECT_THAT(last.said_when(), ElementsAre("@7 70"));
  EXPECT_THAT(first.said_when(), ElementsAre("@1 10"));
}

TEST(Filter, ByLabelsValuesAndLines) {
  Bench labels(one("Filter", {{"match", "{device!=\"sda\"}"}}));
  labels.push(0, 1, {{"device", "sda"}}).push(0, 2, {{"device", "sdb"}}).push(0, 3);
  EXPECT_THAT(labels.said(), ElementsAre("{device=\"sdb\"} 2", "3"));
  EXPECT_EQ(labels.counters().refused, 1);

  Bench values(one("Filter", {{"least", 1.0}, {"most", 2.0}}));
  values.push(0, 0.9).push(1, 1).push(2, 2).push(3, 2.1).push(4, kNan).line(5, "a line");
  EXPECT_THAT(values.said(), ElementsAre("1", "2"));

  Bench lines(one("Filter", {{"line", "err(or)?\\b"}}));
  lines.line(0, "an error came").line(1, "all is well").push(2, 3);
  EXPECT_THAT(lines.said(), ElementsAre("an error came"));
}

TEST(Filter, TheEndOfASeriesPassesWhateverItsValuesWere) {
  Bench bench(one("Filter", {{"least", 1.0}}));
  bench.push(0, stale_marker());
  EXPECT_EQ(bench.take().size(), 1);
}

TEST(Filter, RefusesWhatIsNoCondition) {
  EXPECT_THAT(error_of(one("Filter", {})), HasSubstr("it filters by nothing"));
  EXPECT_THAT(error_of(one("Filter", {{"match", "{a="}})), HasSubstr("Filter: match"));
  EXPECT_THAT(error_of(one("Filter", {{"match", "{a=\"b\"} + y{c=\"d\"}"}})), HasSubstr("one pair of braces"));
  EXPECT_THAT(error_of(one("Filter", {{"match", "{a=\"b\"}[5m]"}})), HasSubstr("one pair of braces"));
  EXPECT_THAT(error_of(one("Filter", {{"match", "up"}})), HasSubstr("begin with {"));
  EXPECT_THAT(error_of(one("Filter", {{"line", "("}})), HasSubstr("Filter: line"));
  EXPECT_THAT(error_of(one("Filter", {{"line", "x"}, {"least", 1.0}})), HasSubstr("lines have no values"));
}

TEST(Relabel, RewritesAndDropsAsPrometheusDoes) {
  Bench replace(one("Relabel", {{"sourcelabels", "host, port"},
                                {"regex", "([^;]+);(.*)"},
                                {"targetlabel", "instance"},
                                {"replacement", "$1:$2"}}));
  replace.push(0, 1, {{"host", "x"}, {"port", "80"}});
  EXPECT_THAT(replace.said(), ElementsAre("{host=\"x\", instance=\"x:80\", port=\"80\"} 1"));

  Bench drop(one("Relabel", {{"action", "drop"}, {"sourcelabels", "host"}, {"regex", "x.*"}}));
  drop.push(0, 1, {{"host", "x1"}}).push(0, 2, {{"host", "y"}});
  EXPECT_THAT(drop.said(), ElementsAre("{host=\"y\"} 2"));
  EXPECT_EQ(drop.counters().refused, 1);

  EXPECT_THAT(error_of(one("Relabel", {{"action", "shout"}})), HasSubstr("Relabel: action"));
  EXPECT_THAT(error_of(one("Relabel", {{"regex", "("}, {"targetlabel", "x"}})), HasSubstr("Relabel"));
}

PipeSpec join(const std::string& expression, Settings more = {}) {
  more.insert({{"instream", "a,b"}, {"outstream", "z"}, {"expression", expression}});
  return spec_of({{"Join", more}}, {"a", "b"});
}

TEST(Join, EvaluatesTheNewestValuesTogether) {
  Bench bench(join("a / b * 100", {{"every", 5.0}}));
  bench.push(0, 1, {{"disk", "x"}}, "a").push(1, 4, {{"disk", "x"}}, "b").push(2, 3, {{"disk", "x"}}, "a");
  bench.push(2, 1, {{"disk", "y"}}, "a").tick(4.9);
  EXPECT_THAT(bench.said(), IsEmpty());
  bench.tick(5);
  EXPECT_THAT(bench.said(), ElementsAre("{disk=\"x\"} 75"));
}

TEST(Join, AValueCountsAsLongAsItsLookback) {
  Bench bench(join("a + b", {{"every", 5.0}, {"lookback", 8.0}}));
  bench.push(3, 1, {}, "a").push(9, 2, {}, "b").tick(10);
  EXPECT_THAT(bench.said_when(), ElementsAre("@10 3"));
  bench.push(11, 5, {}, "b").tick(15);
  EXPECT_THAT(bench.said(), IsEmpty());
}

TEST(Join, AggregatesAndTakesTheStreamsNameFromTheResult) {
  Bench bench(join("sum(a) or b", {{"every", 1.0}}));
  bench.push(0, 1, {{"x", "1"}}, "a").push(0, 2, {{"x", "2"}}, "a").push(0, 9, {{"__name__", "m"}, {"y", "3"}}, "b");
  bench.tick(1);
  EXPECT_THAT(bench.said(), ::testing::UnorderedElementsAre("3", "{y=\"3\"} 9"));
}

TEST(Join, TheEndOfASeriesTakesItAway) {
  Bench bench(join("a", {{"every", 1.0}}));
  bench.push(0, 1, {}, "a").push(0.5, stale_marker(), {}, "a").tick(1);
  EXPECT_THAT(bench.said(), IsEmpty());
  EXPECT_EQ(bench.pipe().remembered(), 0);
}

TEST(Join, WhatCannotBeMatchedIsCounted) {
  Bench bench(join("a / on () b", {{"every", 1.0}}));
  bench.push(0, 1, {{"x", "1"}}, "a").push(0, 1, {{"x", "1"}}, "b").push(0, 1, {{"x", "2"}}, "b").tick(1);
  EXPECT_THAT(bench.said(), IsEmpty());
  EXPECT_EQ(bench.counters().failed, 1);
}

TEST(Join, RefusesWhatNewestValuesCannotAnswer) {
  EXPECT_THAT(error_of(join("rate(a[5m])")), HasSubstr("values of the past"));
  EXPECT_THAT(error_of(join("a offset 5m")), HasSubstr("values of the past"));
  EXPECT_THAT(error_of(join("a + c")), HasSubstr("it names c, which is none of instream"));
  EXPECT_THAT(error_of(join("{x=\"y\"}")), HasSubstr("does not name its stream"));
  EXPECT_THAT(error_of(join("a +")), HasSubstr("Join: expression"));
  EXPECT_THAT(error_of(join("\"text\"")), HasSubstr("it yields a string"));
}

}  // namespace
}  // namespace atalaya::sense
