// Queries that look far, and queries of what is left in buckets alone: the engine over the store.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "io/memory_file_system.h"
#include "promql/engine.h"
#include "tsdb/store.h"

namespace atalaya::app {
namespace {

constexpr std::int64_t kDay = 86'400'000;
constexpr std::int64_t kHour = 3'600'000;
constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kStart = 20'000 * kDay;
constexpr int kDays = 10;

/// Ten days, a sample a minute: a gauge with a peak of one minute each day, and a counter of one a second.
class LongQueries : public testing::Test {
 protected:
  LongQueries() {
    tsdb::Options options;
    options.directory = "series";
    options.commit_inline = true;
    options.flush_on_stop = false;
    options.disk_reserve_bytes = 0;
    options.retention = Duration{20 * kDay};
    options.keep_five_minutes = Duration{60 * kDay};
    options.keep_one_hour = Duration{400 * kDay};
    store_ = tsdb::Store::open(files_, clock_, metrics_, options).value();
    const auto gauge = store_->resolve(default_tenant(), Labels{{"__name__", "load"}}).value();
    const auto counter = store_->resolve(default_tenant(), Labels{{"__name__", "seconds_total"}}).value();
    for (int day = 0; day < kDays; ++day) {
      clock_.advance(Duration{kDay});
      storage::SampleBatch batch;
      for (std::int64_t minute = 0; minute < 1440; ++minute) {
        const auto ms = day * kDay + minute * kMinute;
        const double load = minute == 777 ? 100 + day : static_cast<double>(minute % 10);
        batch.samples.push_back({gauge, from_ms(kStart + ms), load});
        batch.samples.push_back({counter, from_ms(kStart + ms), static_cast<double>(ms) / 1000});
      }
      store_->append(default_tenant(), std::move(batch), [](auto done) { EXPECT_TRUE(done); });
    }
    clock_.advance(Duration{kDay});
    EXPECT_TRUE(store_->flush());
    store_->maintain();
  }

  promql::Matrix range(const std::string& query, Duration step) {
    notes_ = {};
    promql::Conditions conditions;
    conditions.annotations = &notes_;
    auto expression = promql::parse(query).value();
    return promql::Engine(*store_, {})
        .range(default_tenant(), *expression, from_ms(kStart + kDay), from_ms(kStart + kDays * kDay), step, conditions)
        .value();
  }
  std::optional<double> at(const std::string& query, std::int64_t ms) {
    auto expression = promql::parse(query).value();
    auto value = std::get<promql::Vector>(
        promql::Engine(*store_, {}).instant(default_tenant(), *expression, from_ms(kStart + ms)).value());
    return value.empty() ? std::nullopt : std::optional(value[0].value);
  }

  ManualClock clock_{from_ms(kStart)};
  telemetry::Registry metrics_;
  io::MemoryFileSystem files_;
  std::unique_ptr<tsdb::Store> store_;
  promql::Annotations notes_;
};

constexpr Duration kTwelveHours{12 * kHour};
constexpr Duration kOneHour{kHour};

TEST_F(LongQueries, NoPeakIsLostInBuckets) {
  const auto peaks = range("max_over_time(load[1d])", Duration{kDay});
  ASSERT_EQ(peaks.size(), 1u);
  ASSERT_EQ(peaks[0].samples.size(), 10u);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(peaks[0].samples[i].value, 100.0 + static_cast<double>(i));
  ASSERT_EQ(notes_.infos.size(), 1u);
  EXPECT_NE(notes_.infos[0].find("buckets of 1h stand for samples until"), std::string::npos) << notes_.infos[0];
}

TEST_F(LongQueries, CountsSumsAndAveragesAreThoseOfTheSamples) {
  for (const auto* query : {"count_over_time(load[12h])", "sum_over_time(load[12h])", "avg_over_time(load[12h])",
                            "min_over_time(load[12h])"}) {
    const auto far = range(query, kTwelveHours);
    ASSERT_EQ(far.size(), 1u) << query;
    EXPECT_FALSE(notes_.infos.empty()) << query;
    for (const auto& sample : far[0].samples) {
      // An hour ends a millisecond before the next begins, so the window of samples that is the same begins there.
      const auto exact = at(query, to_ms(sample.time) - kStart - 1).value();
      EXPECT_NEAR(sample.value, exact, 1e-9 * std::abs(exact)) << query;
    }
  }
}

TEST_F(LongQueries, RatesAreThoseOfTheCounter) {
  const auto rates = range("rate(seconds_total[12h])", kTwelveHours);
  ASSERT_EQ(rates.size(), 1u);
  for (const auto& sample : rates[0].samples) EXPECT_NEAR(sample.value, 1, 0.01);
}

/// Where it ended the hour above where it began it, its buckets know nothing of what was in between.
TEST_F(LongQueries, WhatACounterCountedBeforeItBeganAnewIsCounted) {
  const auto restarts = store_->resolve(default_tenant(), Labels{{"__name__", "restarts_total"}}).value();
  storage::SampleBatch batch;
  for (std::int64_t minute = 0; minute < 1440; ++minute) {
    const auto hour = minute / 60;
    const auto value = minute % 60 == 0 ? 0.0 : static_cast<double>(minute % 60 * 10 + hour);
    batch.samples.push_back({restarts, from_ms(kStart + 5 * kDay + minute * kMinute), value});
  }
  store_->append(default_tenant(), std::move(batch), [](auto done) { EXPECT_TRUE(done); });
  ASSERT_TRUE(store_->flush());
  store_->maintain();
  const auto increases = range("increase(restarts_total[1d])", Duration{kDay});
  ASSERT_FALSE(increases.empty());
  double most = 0;
  for (const auto& sample : increases[0].samples) most = std::max(most, sample.value);
  EXPECT_GT(most, 23 * 590);
  EXPECT_TRUE(notes_.infos.empty());
}

TEST_F(LongQueries, WhatLooksCloseOrNeedsEverySampleGetsSamples) {
  for (const auto* query : {"max_over_time(load[30m])", "stddev_over_time(load[12h])", "changes(load[12h])"}) {
    range(query, kTwelveHours);
    EXPECT_TRUE(notes_.infos.empty()) << query;
  }
  range("max_over_time(load[1h])", kOneHour);
  ASSERT_EQ(notes_.infos.size(), 1u);
  EXPECT_NE(notes_.infos[0].find("buckets of 5m"), std::string::npos);
  range("load", Duration{10 * kMinute});
  EXPECT_TRUE(notes_.infos.empty());
}

TEST_F(LongQueries, AValueOfABucketHoldsUntilTheNext) {
  clock_.advance(Duration{100 * kDay});  // hours are left
  store_->maintain();
  EXPECT_EQ(at("load", kDay + 5 * kHour), 9);
  EXPECT_EQ(at("load", kDay + 5 * kHour + 59 * kMinute), 9);
  EXPECT_EQ(at("load", kDays * kDay + 59 * kMinute), 9);
  EXPECT_EQ(at("load", kDays * kDay + 61 * kMinute), std::nullopt);
  EXPECT_EQ(at("max_over_time(load[1d])", 3 * kDay), 102);
  EXPECT_EQ(at("avg_over_time(load[1h])", kDay + 5 * kHour), 4.5);
  EXPECT_EQ(at("count_over_time(load[1d])", 3 * kDay), 1440);
}

}  // namespace
}  // namespace atalaya::app
