#include "collect/scrape/host_series.h"

#include <gtest/gtest.h>

#include "ingest/agent_payload.h"

namespace atalaya::collect::scrape {
namespace {

TEST(OnHost, TheInstanceIsTheHostAndTheTargetsOwnNameStaysBesideIt) {
  EXPECT_EQ(on_host(Labels{{"instance", "127.0.0.1:9100"}, {"job", "node"}}, "web1"),
            (Labels{{"exported_instance", "127.0.0.1:9100"}, {"instance", "web1"}, {"job", "node"}}));
  EXPECT_EQ(on_host(Labels{{"instance", "web1"}}, "web1"), (Labels{{"instance", "web1"}}));
  EXPECT_EQ(on_host(Labels{{"job", "node"}}, "web1"), (Labels{{"instance", "web1"}, {"job", "node"}}));
  EXPECT_EQ(on_host(Labels{{"exported_instance", "inner"}, {"instance", "a:1"}}, "web1"),
            (Labels{{"exported_exported_instance", "a:1"}, {"exported_instance", "inner"}, {"instance", "web1"}}));
}

class HostSeriesTest : public testing::Test {
 protected:
  SeriesId resolve(const std::string& name) {
    const auto id = series.resolve(default_tenant(), Labels{{kMetricName, name}});
    EXPECT_TRUE(id);
    return id ? *id : SeriesId{};
  }
  std::size_t append(std::vector<storage::SeriesSample> samples) {
    std::size_t accepted = 0;
    storage::SampleBatch batch;
    batch.samples = std::move(samples);
    series.append(default_tenant(), std::move(batch), [&](const Result<storage::Appended>& done) {
      ASSERT_TRUE(done);
      accepted = done->accepted;
    });
    return accepted;
  }

  ManualClock clock{from_ms(1'000'000)};
  LabelsTable table;
  int added = 0;
  HostSeries series{table, "web1", clock, [this] { ++added; }};
};

TEST_F(HostSeriesTest, SamplesWaitUntilTheyAreCollectedOnce) {
  const auto a = resolve("a");
  EXPECT_EQ(resolve("a"), a);
  EXPECT_EQ(append({{a, from_ms(1), 2.0}, {a, from_ms(2), 3.0}}), 2);
  EXPECT_EQ(added, 1);
  Batch batch;
  series.collect(batch);
  ASSERT_EQ(batch.samples().size(), 2);
  EXPECT_EQ(table.at(batch.samples()[1].series), (Labels{{kMetricName, "a"}, {"instance", "web1"}}));
  batch.clear();
  series.collect(batch);
  EXPECT_TRUE(batch.empty());
}

TEST_F(HostSeriesTest, WhatGetsNoSamplesIsForgottenAndNeverSomebodyElse) {
  const auto a = resolve("a");
  const auto b = resolve("b");
  for (int minute = 0; minute < 31; ++minute) {
    clock.advance(std::chrono::minutes{1});
    append({{b, clock.now(), 1}});
    Batch batch;
    series.collect(batch);
    series.forget_unused(storage::kIdIsGoodFor);
    table.sweep();
  }
  EXPECT_EQ(series.size(), 1);
  EXPECT_EQ(table.size(), 1);
  EXPECT_NE(resolve("c"), a);
  EXPECT_EQ(append({{a, clock.now(), 1}, {b, clock.now(), 1}}), 1) << "an id that is no longer good gets nothing";
}

TEST_F(HostSeriesTest, LabelsThatNoServerTakesAreRefused) {
  const auto id =
      series.resolve(default_tenant(), Labels{{kMetricName, "a"}, {"x", std::string(ingest::kMaxLabelsBytes, 'x')}});
  ASSERT_FALSE(id);
  EXPECT_EQ(id.error().code, ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace atalaya::collect::scrape
