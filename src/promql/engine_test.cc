#include "promql/engine.h"

#include <gtest/gtest.h>

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
