#include "promql/engine.h"

#include <gtest/gtest.h>

#include <utility>

#include "promql/test_series.h"

namespace atalaya::promql {
namespace {

class EngineTest : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 100; ++i) {
      series_.add(Labels{{"__name__", "a"}, {"x", "1"}}, from_ms(i * 1000), i);
      series_.add(Labels{{"__name__", "a"}, {"x", "2"}}, from_ms(i * 1000), 2 * i);
    }
  }
  ExpressionPtr expression(std::string_view text) { return parse(text).value(); }

  TestSeries series_;
  Engine engine_{series_, Limits{}};
};

TEST_F(EngineTest, ARangeQueryReadsEachSelectorOnce) {
  const auto matrix =
      engine_.range(default_tenant(), *expression("rate(a[10s])"), from_ms(10'000), from_ms(90'000), Duration{1000});
  ASSERT_TRUE(matrix);
  EXPECT_EQ(matrix->size(), 2u);
  EXPECT_EQ((*matrix)[0].samples.size(), 81u);
  EXPECT_EQ(series_.selects, 1);
}

TEST_F(EngineTest, RestrictNarrowsEverySelector) {
  const auto value =
      engine_.instant(default_tenant(), *expression("sum(a) + sum(a)"), from_ms(50'000), {Matcher::equal("x", "2")});
  ASSERT_TRUE(value);
  const auto& vector = std::get<Vector>(*value);
  ASSERT_EQ(vector.size(), 1u);
  EXPECT_EQ(vector[0].value, 200);
}

TEST_F(EngineTest, ARangeSelectorGivesItsSamples) {
  const auto value = engine_.instant(default_tenant(), *expression("a{x=\"1\"}[3s]"), from_ms(10'000));
  ASSERT_TRUE(value);
  const auto& matrix = std::get<Matrix>(*value);
  ASSERT_EQ(matrix.size(), 1u);
  ASSERT_EQ(matrix[0].samples.size(), 3u);
  EXPECT_EQ(matrix[0].samples[0].time, from_ms(8'000));
}

TEST_F(EngineTest, StepsAndPointsAreBounded) {
  const auto error = [&](std::int64_t to, std::int64_t step) {
    const auto result = engine_.range(default_tenant(), *expression("a"), from_ms(0), from_ms(to), Duration{step});
    return result ? "" : result.error().message;
  };
  EXPECT_NE(error(1000, 0).find("zero or negative"), std::string::npos);
  EXPECT_NE(error(11'000, 1).find("11000 points"), std::string::npos);
  EXPECT_EQ(error(10'999, 1), "");
  EXPECT_NE(error(-1, 1).find("end timestamp"), std::string::npos);
}

TEST_F(EngineTest, SamplesAreBounded) {
  const Engine small(series_, Limits{.max_samples = 150});
  const auto result = small.range(default_tenant(), *expression("a"), from_ms(0), from_ms(99'000), Duration{1000});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kUnprocessable);
  EXPECT_NE(result.error().message.find("too many samples"), std::string::npos);
}

TEST_F(EngineTest, SamplesAreBoundedByWhatIsHeldAtOnce) {
  // 200 samples are read, but never more than one series' 100 with a row of each.
  const Engine small(series_, Limits{.max_samples = 150});
  const auto result = small.instant(default_tenant(), *expression("sum_over_time(a[200s])"), from_ms(99'000));
  EXPECT_TRUE(result);
}

TEST_F(EngineTest, BytesAreBounded) {
  const Engine small(series_, Limits{.max_bytes = 1000});
  const auto result = small.range(default_tenant(), *expression("a"), from_ms(0), from_ms(99'000), Duration{1000});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kUnprocessable);
  EXPECT_NE(result.error().message.find("memory"), std::string::npos);
}

TEST_F(EngineTest, WhatIsHeldAndTheResultCountInTheMemoryOfAllQueries) {
  telemetry::Registry metrics;
  std::uint64_t taken = 0;
  const telemetry::MemoryBudget process(100'000, {[&] { return taken; }, [] {}}, metrics);
  telemetry::QueryMemory all(process, metrics, [] {});
  const auto ask = [&](telemetry::QueryMemory::Share& share) {
    return engine_.range(default_tenant(), *expression("a + 1"), from_ms(0), from_ms(99'000), Duration{1000},
                         {.memory = &share});
  };
  {
    telemetry::QueryMemory::Share share(all);
    const auto matrix = ask(share);
    ASSERT_TRUE(matrix) << to_string(matrix.error());
    EXPECT_GE(share.held(), 2 * 100 * sizeof(Sample)) << "the result";
    EXPECT_LT(share.held(), 5'000u) << "and nothing else, when it is over";
  }
  EXPECT_EQ(all.held(), 0u);
  telemetry::QueryMemory::Share second(all);
  ASSERT_TRUE(second.take(9'500));
  taken = 100'000;
  const auto refused = ask(second);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(refused.error().message.find("--memory is 100000"), std::string::npos);
  EXPECT_EQ(all.held(), 9'500u);
}

TEST_F(EngineTest, ASubqueryOfTooManyStepsIsRefusedBeforeItTakesTheMemory) {
  for (const auto* text : {"sum_over_time(vector(1)[100y:1ms])", "sum_over_time(a[100y:1ms])"}) {
    const auto result = engine_.instant(default_tenant(), *expression(text), from_ms(0));
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code, ErrorCode::kUnprocessable);
  }
}

TEST_F(EngineTest, WhatASubqueryYieldsCountsBesideItsTable) {
  const auto bytes_do = [&](std::size_t most) {
    const Engine small(series_, Limits{.max_bytes = most});
    return small.instant(default_tenant(), *expression("sum_over_time(a[100s:1s])"), from_ms(99'000)).has_value();
  };
  constexpr std::size_t kSamples = 200;
  EXPECT_FALSE(bytes_do(kSamples * (sizeof(double) + sizeof(Sample))));
  EXPECT_TRUE(bytes_do(kSamples * 100));
}

TEST_F(EngineTest, TimesAtTheEndOfTheCalendarAreNoTrouble) {
  for (const auto at : {kMinTime, kMaxTime}) {
    for (const auto* text : {"a", "rate(a[1h])", "sum_over_time(a[1h:1m])", "a offset 1y", "a offset -1y", "hour()",
                             "increase(a[1h] smoothed)", "a @ 9e15", "info(a)"}) {
      EXPECT_TRUE(engine_.instant(default_tenant(), *expression(text), at)) << text;
    }
  }
}

TEST_F(EngineTest, AStoppedEvaluationIsCancelled) {
  std::stop_source stop;
  stop.request_stop();
  Conditions conditions;
  conditions.stop = stop.get_token();
  const auto result = engine_.instant(default_tenant(), *expression("sum(a)"), from_ms(0), {}, conditions);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kCancelled);
}

TEST_F(EngineTest, AnEvaluationEndsAtItsDeadline) {
  ManualClock clock(from_ms(0));
  Conditions conditions;
  conditions.clock = &clock;
  conditions.deadline = clock.steady() + std::chrono::seconds{1};
  EXPECT_TRUE(engine_.instant(default_tenant(), *expression("a"), from_ms(0), {}, conditions));
  clock.advance(Duration{2000});
  const auto result = engine_.instant(default_tenant(), *expression("a"), from_ms(0), {}, conditions);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kDeadlineExceeded);
}

TEST_F(EngineTest, ASubqueryReadsItsSeriesOnceForAllSteps) {
  const auto matrix = engine_.range(default_tenant(), *expression("max_over_time(rate(a[10s])[20s:5s])"),
                                    from_ms(30'000), from_ms(90'000), Duration{1000});
  ASSERT_TRUE(matrix);
  EXPECT_EQ(matrix->size(), 2u);
  EXPECT_EQ(series_.selects, 1);
}

TEST_F(EngineTest, WarningsComeBesideTheValue) {
  Annotations said;
  Conditions conditions;
  conditions.annotations = &said;
  const auto text = expression("quantile(2, rate(a[10s]))");
  ASSERT_TRUE(engine_.instant(default_tenant(), *text, from_ms(50'000), {}, conditions));
  ASSERT_EQ(said.warnings.size(), 1u);
  EXPECT_EQ(said.warnings[0], "PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)");
  ASSERT_EQ(said.infos.size(), 1u);
  EXPECT_EQ(
      said.infos[0],
      "PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"a\" (1:18)");
}

/// A series whose last samples cannot be read.
class DamagedSeries final : public MemorySeries {
 public:
  Result<std::vector<storage::SelectedSeries>> select(const TenantId&, const Matchers&,
                                                      storage::TimeRange) const override {
    std::vector<storage::SelectedSeries> out;
    out.push_back({SeriesId{}, std::make_shared<const Labels>(Labels{{"__name__", "a"}}), std::make_unique<Broken>()});
    return out;
  }

 private:
  class Broken final : public storage::SampleIterator {
   public:
    bool next(Sample& out) override {
      out = {from_ms(1000), 5};
      return !std::exchange(read_, true);
    }
    Status status() const override { return fail(ErrorCode::kCorruption, "chunk 7: crc 1, stored 2"); }

   private:
    bool read_ = false;
  };
};

TEST(EngineOverDamage, MissingSamplesAreAWarningOrElseAnError) {
  const DamagedSeries series;
  const Engine engine(series, Limits{});
  const auto text = parse("a").value();
  Annotations said;
  Conditions conditions;
  conditions.annotations = &said;
  const auto warned = engine.instant(default_tenant(), *text, from_ms(1000), {}, conditions);
  ASSERT_TRUE(warned);
  EXPECT_EQ(std::get<Vector>(*warned).size(), 1u);
  ASSERT_EQ(said.warnings.size(), 1u);
  EXPECT_NE(said.warnings[0].find("chunk 7"), std::string::npos);
  const auto alone = engine.instant(default_tenant(), *text, from_ms(1000));
  ASSERT_FALSE(alone);
  EXPECT_EQ(alone.error().code, ErrorCode::kCorruption);
}

TEST(EngineOverManySeries, ThreadsChangeNothing) {
  MemorySeries series;
  for (int i = 0; i < 9'000; ++i) {
    const auto name = std::to_string(i);
    for (int k = 0; k < 6; ++k) series.add(Labels{{"__name__", "c_total"}, {"i", name}}, from_ms(k * 15'000), i * k);
  }
  const auto text = parse("sum by (j) (label_replace(rate(c_total[1m]), 'j', '$1', 'i', '.*(.)'))").value();
  const auto with = [&](unsigned threads) {
    return Engine(series, Limits{.threads = threads})
        .range(default_tenant(), *text, from_ms(60'000), from_ms(75'000), Duration{15'000});
  };
  const auto one = with(1);
  const auto four = with(4);
  ASSERT_TRUE(one && four);
  ASSERT_EQ(one->size(), 10u);
  for (std::size_t i = 0; i < one->size(); ++i) {
    EXPECT_EQ((*one)[i].labels, (*four)[i].labels);
    for (std::size_t k = 0; k < (*one)[i].samples.size(); ++k) {
      EXPECT_EQ((*one)[i].samples[k].value, (*four)[i].samples[k].value);
    }
  }
}

TEST(QuerySlotsTest, NoMoreThanAllowedRunAtOnce) {
  QuerySlots slots(1);
  const std::stop_token never;
  {
    const auto first = slots.take(std::chrono::milliseconds{0}, never);
    ASSERT_TRUE(first);
    const auto second = slots.take(std::chrono::milliseconds{0}, never);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kResourceExhausted);
    std::stop_source stop;
    stop.request_stop();
    const auto third = slots.take(std::chrono::milliseconds{60'000}, stop.get_token());
    ASSERT_FALSE(third);
    EXPECT_EQ(third.error().code, ErrorCode::kCancelled);
  }
  EXPECT_TRUE(slots.take(std::chrono::milliseconds{0}, never));
}

TEST_F(EngineTest, ARangeQueryOfAStringIsRefused) {
  const auto result = engine_.range(default_tenant(), *expression("'x'"), from_ms(0), from_ms(1), Duration{1});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(EngineTest, AScalarOverARangeIsOneSeriesWithoutLabels) {
  const auto result = engine_.range(default_tenant(), *expression("1 + 1"), from_ms(0), from_ms(2), Duration{1});
  ASSERT_TRUE(result);
  ASSERT_EQ(result->size(), 1u);
  EXPECT_TRUE((*result)[0].labels.empty());
  EXPECT_EQ((*result)[0].samples.size(), 3u);
}

}  // namespace
}  // namespace atalaya::promql
