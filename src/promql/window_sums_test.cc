#include "promql/window_sums.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "promql/numeric.h"
#include "promql/window_plan.h"

namespace atalaya::promql {
namespace {

double sum_alone(std::span<const Sample> samples) {
  KahanSum sum;
  for (const auto& sample : samples) sum.add(sample.value);
  return std::isinf(sum.sum()) ? sum.sum() : sum.value();
}

double mean_alone(std::span<const Sample> samples) {
  Mean mean(samples.front().value);
  for (const auto& sample : samples.subspan(1)) mean.add(sample.value);
  return mean.value();
}

/// Of every size, so that sums round; now and then what overflows or is no number.
double some_value(std::mt19937_64& random) {
  const auto kind = random() % 300;
  if (kind == 0) return std::numeric_limits<double>::infinity();
  if (kind == 1) return -std::numeric_limits<double>::infinity();
  if (kind == 2) return std::numeric_limits<double>::quiet_NaN();
  if (kind < 6) return 1.7e308;
  if (kind < 9) return -0.0;
  const double mantissa = std::uniform_real_distribution<double>(-1, 1)(random);
  return std::ldexp(mantissa, static_cast<int>(random() % 120) - 60);
}

TEST(WindowSums, SideBySideAreThoseOfEachWindowAlone) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    std::vector<Sample> samples;
    const auto count = 1 + random() % 200;
    for (std::int64_t at = 0; samples.size() < count; at += 1 + static_cast<std::int64_t>(random() % 40)) {
      samples.push_back({from_ms(at), some_value(random)});
    }
    Steps steps;
    steps.from = from_ms(static_cast<std::int64_t>(random() % 100));
    steps.step = Duration{1 + random() % 50};
    steps.count = 1 + random() % 60;
    const WindowPlan plan(steps, EffectiveTimes{.steps = steps}, Duration{1 + random() % 600},
                          WindowPlan::Extension::kNone, Duration{1});
    const double untouched = 42;
    std::vector<double> sums(steps.count, untouched);
    std::vector<double> means(steps.count, untouched);
    window_sum({samples, plan, {}, {}}, sums);
    window_average({samples, plan, {}, {}}, means);
    std::vector<double> wanted_sums(steps.count, untouched);
    std::vector<double> wanted_means(steps.count, untouched);
    plan.for_each(samples, [&](std::size_t i, std::size_t, std::size_t, const Window& window) {
      wanted_sums[i] = sum_alone(window.samples);
      wanted_means[i] = mean_alone(window.samples);
    });
    const auto same = [](double a, double b) {
      return std::isnan(a) ? std::isnan(b) : std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
    };
    for (std::size_t i = 0; i < steps.count; ++i) {
      ASSERT_TRUE(same(sums[i], wanted_sums[i])) << i << ": " << sums[i] << " and " << wanted_sums[i];
      ASSERT_TRUE(same(means[i], wanted_means[i])) << i << ": " << means[i] << " and " << wanted_means[i];
    }
  }
}

}  // namespace
}  // namespace atalaya::promql
