#include "collect/metric/metric_collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/agent_payload.h"
#include "model/sample.h"

namespace atalaya::collect::metric {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Time kStart = from_ms(1'700'000'000'000);
constexpr Duration kSecond{1000};

/// Writes what a test says, and nothing else.
class Told final : public Collector {
 public:
  Duration period() const override { return Duration{250}; }
  Status collect(Time now, Batch& out) override { return on_collect ? on_collect(now, out) : Status{}; }
  void settled(bool stored) override { settled_with = stored; }
  void finish(Time, Batch& out) override { out.mark("file", ""); }

  std::function<Status(Time, Batch&)> on_collect;
  std::optional<bool> settled_with;
};

class MetricTest : public testing::Test {
 protected:
  LabelsId series(const std::string& name, const Labels& more) {
    LabelsBuilder all(more);
    all.set("__name__", name).set("instance", "web1").set("job", "node");
    return labels.add(all.build());
  }
  /// One cycle of the host collector, a second after the last.
  void cycle(std::initializer_list<std::pair<LabelsId, double>> values) {
    now += kSecond;
    std::vector<Batch::SampleEntry> samples;
    for (const auto& [id, value] : values) samples.push_back({id, now, value});
    host.note(samples);
  }
  CollectorSpec spec(MetricSpec metric, Duration period = kSecond) {
    CollectorSpec out;
    out.id = "occi:c1/" + metric.metric;
    out.period = period;
    metric.collector = "c1";
    out.what = std::move(metric);
    return out;
  }
  Result<std::unique_ptr<MetricCollector>> make(const CollectorSpec& what) {
    return MetricCollector::make(
        what, {"web1", labels, host, [this](const CollectorSpec&) -> Result<std::unique_ptr<Collector>> {
                 auto made = std::make_unique<Told>();
                 told = made.get();
                 return made;
               }});
  }
  std::unique_ptr<MetricCollector> of_host(const std::string& take, std::map<std::string, std::string> select = {}) {
    auto made = make(spec({"", "M", take, std::move(select), "", nullptr}));
    EXPECT_TRUE(made) << to_string(made.error());
    return std::move(*made);
  }
  std::vector<double> collect(MetricCollector& metric) {
    Batch out;
    status = metric.collect(now, out);
    std::vector<double> values;
    for (const auto& sample : out.samples()) {
      values.push_back(sample.value);
      written.push_back(labels.at(sample.series));
    }
    return values;
  }

  LabelsTable labels;
  HostValues host{labels};
  Time now = kStart;
  Status status;
  std::vector<Labels> written;
  Told* told = nullptr;
};

TEST_F(MetricTest, ProcessorTimeHasAValueAtOnceFromTheHostsLastTwoCycles) {
  const auto user = series("node_cpu_seconds_total", {{"cpu", "0"}, {"mode", "user"}});
  const auto idle = series("node_cpu_seconds_total", {{"cpu", "0"}, {"mode", "idle"}});
  auto metric = of_host("cpu_percent");
  EXPECT_THAT(collect(*metric), IsEmpty());
  EXPECT_THAT(status.error().message, HasSubstr("has no cpu_percent"));
  cycle({{user, 10}, {idle, 90}});
  cycle({{user, 10.25}, {idle, 90.75}});
  auto fresh = of_host("cpu_percent");
  EXPECT_THAT(collect(*fresh), ElementsAre(25));
  EXPECT_TRUE(status);
  EXPECT_EQ(written.back(), (Labels{{"__name__", "M"}, {"instance", "web1"}, {ingest::kSensorLabel, "c1"}}));
  // From now on it counts from what it has read itself.
  cycle({{user, 11.25}, {idle, 90.75}});
  cycle({{user, 11.25}, {idle, 91.75}});
  EXPECT_THAT(collect(*fresh), ElementsAre(50));
  EXPECT_THAT(collect(*fresh), ElementsAre(0)) << "no newer cycle: the last one's";
}

TEST_F(MetricTest, ACounterThatBeginsAnewTellsNothingOnce) {
  const auto read = series("node_disk_read_bytes_total", {{"device", "vda"}});
  cycle({{read, 1000}});
  cycle({{read, 3000}});
  auto metric = of_host("disk_read_bytes");
  EXPECT_THAT(collect(*metric), ElementsAre(2000));
  cycle({{read, 10}});
  Batch out;
  EXPECT_TRUE(metric->collect(now, out));
  ASSERT_EQ(out.samples().size(), 1u);
  EXPECT_TRUE(is_stale(out.samples().front().value));
  cycle({{read, 510}});
  EXPECT_THAT(collect(*metric), ElementsAre(500));
}

TEST_F(MetricTest, OneOfSeveralIsChosenByItsLabels) {
  const auto add = [&](const std::string& point, double size, double free, double available) {
    const Labels which{{"device", "/dev/" + point}, {"mountpoint", "/" + point}};
    cycle({{series("node_filesystem_size_bytes", which), size},
           {series("node_filesystem_free_bytes", which), free},
           {series("node_filesystem_avail_bytes", which), available}});
  };
  add("", 100, 60, 40);
  add("srv", 200, 50, 50);
  EXPECT_THAT(collect(*of_host("filesystem_percent", {{"mountpoint", "/srv"}})), ElementsAre(75));
  EXPECT_THAT(collect(*of_host("filesystem_percent")), ElementsAre(50, 75));
  EXPECT_EQ(written.back().get("mountpoint"), "/srv");
  EXPECT_THAT(collect(*of_host("filesystem_percent", {{"mountpoint", "/opt"}})), IsEmpty());
  EXPECT_THAT(status.error().message, HasSubstr(R"(no filesystem_percent with mountpoint="/opt")"));
}

TEST_F(MetricTest, ASeriesThatEndedIsNotRead) {
  const auto load = series("node_load1", {});
  cycle({{load, 0.5}});
  auto metric = of_host("load1");
  EXPECT_THAT(collect(*metric), ElementsAre(0.5));
  cycle({{load, stale_marker()}});
  collect(*metric);
  EXPECT_FALSE(status);
  // Its number may come back as another series'.
  labels.release(load);
  labels.sweep();
  const auto other = series("node_load5", {});
  ASSERT_EQ(other, load);
  cycle({{other, 7}});
  collect(*metric);
  EXPECT_FALSE(status);
  EXPECT_THAT(collect(*of_host("load5")), ElementsAre(7));
}

TEST_F(MetricTest, ASampleOfAnotherCollectorIsTakenAndTheRestIsNot) {
  auto of = std::make_shared<CollectorSpec>();
  auto made = make(spec({"", "IsReachable", "check_up", {}, "", of}));
  ASSERT_TRUE(made);
  const Labels check{{"check", "x"}, {"instance", "web1"}, {"job", "check"}, {"target", "h"}, {"type", "ping"}};
  const auto up = labels.add(check.with("__name__", "check_up"));
  const auto took = labels.add(check.with("__name__", "check_duration_seconds"));
  const auto line = labels.add(check.with("level", "error"));
  EXPECT_THAT(collect(**made), IsEmpty()) << "nothing was looked at yet";
  told->on_collect = [&](Time at, Batch& out) -> Status {
    out.sample(up, at, 1);
    out.sample(took, at, 0.25);
    out.log(line, at, "it answers");
    return {};
  };
  EXPECT_THAT(collect(**made), ElementsAre(1));
  EXPECT_TRUE(status);
  EXPECT_EQ(to_string(written.back()), R"(IsReachable{__collector__="c1", instance="web1"})");
}

TEST_F(MetricTest, WhyThereIsNoSampleIsTheLastLine) {
  auto of = std::make_shared<CollectorSpec>();
  auto made = make(spec({"", "RoundTrip", "ping_rtt_seconds", {}, "", of}));
  ASSERT_TRUE(made);
  const auto up = labels.add({{"__name__", "check_up"}, {"instance", "web1"}});
  told->on_collect = [&](Time at, Batch& out) -> Status {
    out.sample(up, at, 0);
    out.log(up, at, "nobody answers");
    return {};
  };
  EXPECT_THAT(collect(**made), IsEmpty());
  EXPECT_EQ(status.error().message, "nobody answers");
  told->on_collect = nullptr;
  EXPECT_THAT(collect(**made), IsEmpty());
  EXPECT_EQ(status.error().message, "nobody answers") << "it holds until a sample comes";
}

TEST_F(MetricTest, LinesAreCountedOnceAPeriodAndLostOnesAgain) {
  auto of = std::make_shared<CollectorSpec>();
  auto made = make(spec({"", "LogMatches", "lines", {}, "ERROR", of}));
  ASSERT_TRUE(made);
  const auto stream = labels.add({{"file", "/a"}, {"instance", "web1"}});
  const auto lines = [&](std::initializer_list<std::string_view> texts) {
    told->on_collect = [stream, list = std::vector<std::string>(texts.begin(), texts.end())](Time at,
                                                                                             Batch& out) -> Status {
      for (const auto& text : list) out.log(stream, at, text);
      out.mark("file", "7");
      return {};
    };
  };
  EXPECT_EQ((*made)->period(), Duration{250}) << "as often as the file is read";
  lines({});
  EXPECT_THAT(collect(**made), ElementsAre(0));
  lines({"ERROR 1", "fine", "an ERROR"});
  now += Duration{250};
  EXPECT_THAT(collect(**made), IsEmpty());
  (*made)->settled(false);
  EXPECT_EQ(told->settled_with, false);
  now += Duration{250};
  Batch out;
  EXPECT_TRUE((*made)->collect(now, out)) << "the file is read again";
  ASSERT_EQ(out.marks().size(), 1u);
  EXPECT_EQ(out.marks().front().key, "file");
  (*made)->settled(true);
  lines({});
  now += Duration{500};
  EXPECT_THAT(collect(**made), ElementsAre(2));
  now += kSecond;
  EXPECT_THAT(collect(**made), ElementsAre(0));
}

TEST_F(MetricTest, AnotherPeriodOfAHostsValueIsNoNewBeginning) {
  auto metric = of_host("load1");
  EXPECT_TRUE(metric->change(spec({"", "M", "load1", {}, "", nullptr}, Duration{5000})));
  EXPECT_EQ(metric->period(), Duration{5000});
  EXPECT_FALSE(metric->change(spec({"", "M", "load5", {}, "", nullptr})));
}

TEST_F(MetricTest, WhatCannotBeMeasuredSaysSo) {
  const auto unknown = make(spec({"", "M", "cpu_percnt", {}, "", nullptr}));
  ASSERT_FALSE(unknown);
  EXPECT_THAT(to_string(unknown.error()), HasSubstr("cpu_percent"));
  EXPECT_FALSE(make(spec({"", "M", "lines", {}, "(", std::make_shared<CollectorSpec>()})));
}

TEST_F(MetricTest, ItsEndIsAMarkerAndWhatItsCollectorForgets) {
  auto made = make(spec({"", "M", "check_up", {}, "", std::make_shared<CollectorSpec>()}));
  const auto up = labels.add({{"__name__", "check_up"}, {"instance", "web1"}});
  told->on_collect = [&](Time at, Batch& out) -> Status {
    out.sample(up, at, 1);
    return {};
  };
  collect(**made);
  Batch out;
  (*made)->finish(now, out);
  ASSERT_EQ(out.samples().size(), 1u);
  EXPECT_TRUE(is_stale(out.samples().front().value));
  EXPECT_EQ(out.marks().size(), 1u);
}

}  // namespace
}  // namespace atalaya::collect::metric
