#include "app/own_metrics.h"

#include <gtest/gtest.h>

#include "ingest/stores_for_tests.h"

namespace atalaya::app {
namespace {

class OwnMetricsTest : public testing::Test {
 protected:
  std::map<std::string, double> stored() {
    std::map<std::string, double> out;
    for (const auto& sample : stores_.samples) {
      EXPECT_EQ(sample.time, clock_.now());
      out[sample.series] = sample.value;
    }
    stores_.samples.clear();
    return out;
  }

  telemetry::Registry metrics_;
  ingest::StoresForTests stores_;
  ManualClock clock_{from_ms(1'700'000'000'000)};
  OwnMetrics own_{metrics_, stores_, clock_, default_tenant(), "srv"};
};

TEST_F(OwnMetricsTest, WhatIsExposedIsStoredWithInstanceAndJob) {
  metrics_.counter("atalaya_x_total", "X.", {{"reason", "a \"b\""}}).add(3);
  metrics_.histogram("atalaya_y_seconds", "Y.", {0.1, 1}).observe(0.5);
  stores_.commit_at_once = true;
  own_.collect();
  const auto values = stored();
  EXPECT_EQ(values.at(R"(atalaya_x_total{instance="srv", job="atalaya", reason="a \"b\""})"), 3);
  EXPECT_EQ(values.at(R"(atalaya_y_seconds_sum{instance="srv", job="atalaya"})"), 0.5);
  EXPECT_EQ(values.at(R"(atalaya_y_seconds_count{instance="srv", job="atalaya"})"), 1);
  EXPECT_EQ(values.at(R"(up{instance="srv", job="atalaya"})"), 1);
  EXPECT_EQ(values.size(), 4u);
}

TEST_F(OwnMetricsTest, WhileTheStoreIsHeldUpNothingMoreIsAsked) {
  metrics_.gauge("atalaya_z", "Z.").set(1);
  own_.collect();
  own_.collect();
  EXPECT_EQ(stores_.series_appends, 1u);
  stores_.commit_series();
  own_.collect();
  EXPECT_EQ(stores_.series_appends, 2u);
}

TEST_F(OwnMetricsTest, TheDataDirectoryHasItsSpace) {
  add_data_metrics(metrics_, "/");
  stores_.commit_at_once = true;
  own_.collect();
  const auto values = stored();
  const auto size = values.at(R"(atalaya_data_size_bytes{instance="srv", job="atalaya"})");
  EXPECT_GT(size, 0);
  EXPECT_LE(values.at(R"(atalaya_data_available_bytes{instance="srv", job="atalaya"})"), size);
}

}  // namespace
}  // namespace atalaya::app
