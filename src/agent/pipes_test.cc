#include "agent/pipes.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/sample.h"

namespace atalaya::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Time kStart = from_ms(1'700'000'000'000);
constexpr Duration kSecond{1000};

/// Measures what a test says.
class Measured final : public collect::Collector {
 public:
  Measured(collect::LabelsTable& labels, bool durable)
      : series_(
            labels.add(Labels{{"__collector__", "c"}, {"__name__", "Load"}, {"device", "sda"}, {"instance", "web-1"}})),
        durable_(durable) {}

  Duration period() const override { return kSecond; }
  bool needs_durable() const override { return durable_; }
  Status collect(Time now, collect::Batch& out) override {
    out.sample(series_, now, value);
    if (durable_) out.mark("file", "17");
    return {};
  }
  void settled(bool stored) override { settled_with = stored; }
  void finish(Time now, collect::Batch& out) override { out.sample(series_, now, stale_marker()); }

  double value = 1;
  std::optional<bool> settled_with;

 private:
  const collect::LabelsId series_;
  const bool durable_;
};

class PipesTest : public testing::Test {
 protected:
  Pipes pipes_with(std::vector<std::string> allow = {}) {
    auto destinations = sense::publish::Destinations::make(
        {.loopback_only = false, .allow = std::move(allow), .own = {}, .program = "this agent"});
    EXPECT_TRUE(destinations);
    return Pipes({"web-1", default_tenant(), labels, loop, clock, std::move(*destinations), "/nonexistent"});
  }
  collect::CollectorSpec pipe_spec(const std::string& parts) {
    collect::CollectorSpec out;
    out.id = "occi:s/pipe";
    out.what = collect::SensorSpec{"s", "{" + parts + "}"};
    return out;
  }
  collect::CollectorSpec metric_spec() {
    collect::MetricSpec metric;
    metric.collector = "c";
    metric.metric = "Load";
    metric.take = "load1";
    metric.sensor = "s";
    metric.stream = "a";
    collect::CollectorSpec out;
    out.id = "occi:c/Load";
    out.what = std::move(metric);
    return out;
  }
  std::unique_ptr<collect::Collector> metric(bool durable = false) {
    auto made = std::make_unique<Measured>(labels, durable);
    measured = made.get();
    return pipes.make_metric(metric_spec(), std::move(made));
  }
  std::unique_ptr<collect::Collector> pipe(const std::string& parts) {
    auto made = pipes.make_pipe(pipe_spec(parts), [this] { ++woken; });
    EXPECT_TRUE(made) << to_string(made.error());
    return made ? std::move(*made) : nullptr;
  }
  std::string collected(collect::Collector& from) {
    batch.clear();
    const auto status = from.collect(clock.now(), batch);
    std::string out = status ? "" : to_string(status.error()) + "\n";
    for (const auto& sample : batch.samples())
      out += fmt::format("{} {}\n", to_string(labels.at(sample.series)), sample.value);
    return out;
  }

  ManualClock clock{kStart};
  net::EventLoop loop;
  collect::LabelsTable labels;
  collect::Batch batch;
  Pipes pipes = pipes_with();
  Measured* measured = nullptr;
  int woken = 0;
};

constexpr const char* kStored =
    R"("aggregators": [{"mixin": "EWMA", "attributes": {"instream": "a", "outstream": "c", "gain": 2}}],
       "publishers": [{"mixin": "Store", "attributes": {"input": "c"}}])";

TEST_F(PipesTest, WhatIsMeasuredStaysAndWhatIsForTheServerLeaves) {
  const auto running = pipe(kStored);
  const auto load = metric();
  EXPECT_EQ(collected(*load), ":taken:Load{__collector__=\"c\", instance=\"web-1\"} 1\n");
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(collected(*running),
            R"(:published:0:c{__collector__="s", _collector="c", _device="sda", _instance="web-1", )"
            R"(_metric="Load", instance="web-1"} 1)"
            "\n");
  clock.advance(kSecond);
  measured->value = 3;
  EXPECT_EQ(collected(*load), "") << "how many there were is told now and then";
  EXPECT_THAT(collected(*running), HasSubstr("} 2"));
  EXPECT_EQ(collected(*running), "");
}

TEST_F(PipesTest, AMetricWithoutAPipeMeasuresForNobody) {
  const auto load = metric();
  EXPECT_THAT(collected(*load), HasSubstr(":taken:Load"));
  auto running = pipe(kStored);
  EXPECT_THAT(collected(*load), IsEmpty());
  EXPECT_THAT(collected(*running), HasSubstr("} 1"));
  running.reset();
  EXPECT_THAT(collected(*load), IsEmpty());
}

TEST_F(PipesTest, WhatCountsWithItsMarksWaitsForTheDisk) {
  const auto running = pipe(kStored);
  const auto lines = metric(true);
  EXPECT_TRUE(lines->needs_durable());
  EXPECT_THAT(collected(*lines), IsEmpty());
  EXPECT_THAT(batch.marks(), SizeIs(1));
  lines->settled(false);
  EXPECT_EQ(measured->settled_with, false);
  EXPECT_THAT(collected(*running), IsEmpty()) << "it is measured again";
  collected(*lines);
  lines->settled(true);
  EXPECT_THAT(collected(*running), HasSubstr("} 1"));
}

TEST_F(PipesTest, AWindowIsKeptHereAndItsChangeIsNoNewBeginning) {
  auto spec = pipe_spec(kStored);
  auto running = pipes.make_pipe(spec, [] {});
  ASSERT_TRUE(running);
  const auto load = metric();
  collected(*load);
  auto next = spec;
  std::get<collect::SensorSpec>(next.what).until = clock.now() + kSecond;
  ASSERT_TRUE((*running)->change(next));
  EXPECT_THAT(collected(**running), HasSubstr("} 1"));
  clock.advance(kSecond);
  collected(*load);
  EXPECT_THAT(collected(**running), IsEmpty());
  std::get<collect::SensorSpec>(next.what).pipe = "{}";
  EXPECT_FALSE((*running)->change(next));
}

TEST_F(PipesTest, APipeThatDoesNotHoldSaysWhy) {
  const auto refusal = [&](const std::string& parts) {
    const auto made = pipes.make_pipe(pipe_spec(parts), [] {});
    return made ? "taken" : to_string(made.error());
  };
  EXPECT_THAT(refusal(R"("publishers": [{"mixin": "SendUPD"}])"), HasSubstr("SendUDP"));
  EXPECT_THAT(refusal(R"("publishers": [{"mixin": "AMQP", "attributes": {"input": "a", "url": "amqp://127.0.0.1"}}])"),
              HasSubstr("AMQP"));
  EXPECT_THAT(refusal("nothing"), testing::Not("taken"));
}

TEST_F(PipesTest, AnEndOfASeriesEndsWhatIsPublished) {
  const auto running = pipe(R"("publishers": [{"mixin": "Store", "attributes": {"input": "a"}}])");
  const auto load = metric();
  collected(*load);
  collected(*running);
  batch.clear();
  load->finish(clock.now(), batch);
  batch.clear();
  ASSERT_TRUE(running->collect(clock.now(), batch));
  ASSERT_THAT(batch.samples(), SizeIs(1));
  EXPECT_TRUE(is_stale(batch.samples()[0].value));
}

}  // namespace
}  // namespace atalaya::agent
