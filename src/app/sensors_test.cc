#include "app/sensors.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/sample.h"
#include "occi/test_world.h"

namespace atalaya::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

constexpr Time kNow = from_ms(1'700'000'000'000);
const TenantId kTenant = default_tenant();

class SensorsTest : public testing::Test {
 protected:
  SensorsTest() {
    world.rules.whole = occi::check_wiring;
    add(occi::category("compute") + occi::attribute("occi.compute.hostname", "\"web-1\""), "web");
  }

  class Kept final : public Outlet {
   public:
    Kept(SensorsTest& test, std::string name) : test_(test), name_(std::move(name)) { ++test_.outlets; }
    ~Kept() override { --test_.outlets; }
    void publish(std::string_view, const sense::Record& record) override {
      test_.published.push_back(fmt::format("{} {}", name_, record.value));
      test_.labels = record.labels;
    }
    std::string problem() const override { return test_.trouble; }

   private:
    SensorsTest& test_;
    const std::string name_;
  };

  SensorNeighbours neighbours() {
    return {
        [this](const TenantId&) { return std::make_shared<const occi::World>(world.world); },
        [](const TenantId&, const auto&) {
          return [](const occi::Entity& compute) { return compute.text("occi.compute.hostname"); };
        },
        [this](const TenantId&, const std::string&) { return connected; },
        [this](const TenantId&, const std::string& host) { told.push_back(host); },
        [this](const TenantId&, const std::string& sensor, const sense::Part& part) -> Result<std::unique_ptr<Outlet>> {
          const auto address = part.attributes.find("udpAddr");
          if (address != part.attributes.end() && std::get<std::string>(address->second).starts_with("10."))
            return fail(ErrorCode::kPermissionDenied, "that address is not allowed");
          ++made;
          return std::make_unique<Kept>(*this, sensor);
        },
        [](std::move_only_function<void()> work) { work(); },
        clock,
        registry,
        {},
        nullptr,
        [this](const TenantId&, const std::string& sensor, const sense::PipeSpec& spec,
               TakePublished take) -> Result<std::unique_ptr<RemotePipe>> {
          ++remotes;
          remote_pipe = spec;
          back = std::move(take);
          return std::make_unique<Remote>(*this, sensor);
        }};
  }

  class Remote final : public RemotePipe {
   public:
    Remote(SensorsTest& test, std::string name) : test_(test), name_(std::move(name)) {}
    ~Remote() override { --test_.remotes; }
    void push(std::string_view stream, const sense::Record& record) override {
      test_.published.push_back(fmt::format("{}'s process {} {}", name_, stream, record.value));
    }
    std::string problem() const override { return test_.trouble; }

   private:
    SensorsTest& test_;
    const std::string name_;
  };

  void add(const std::string& text, const std::string& id) {
    const auto done = world.create(text, id);
    ASSERT_TRUE(done) << to_string(done.error());
  }
  void change(const std::string& id, const std::string& text) {
    const auto done = world.update(id, text, false);
    ASSERT_TRUE(done) << to_string(done.error());
    sensors.changed(kTenant);
  }
  static std::string mixin(const std::string& family, const std::string& term) {
    return occi::category(term, "mixin", "http://example.com/occi/monitoring/" + family + "#");
  }
  static std::string own(const std::string& name, const std::string& value) {
    return occi::attribute("com.example.occi.monitoring." + name, '"' + value + '"');
  }
  void add_sensor(const std::string& id, const std::string& rest = {}, const std::string& address = "127.0.0.1:1") {
    add(occi::category("sensor", "kind", "http://schemas.ogf.org/occi/monitoring#") + mixin("publisher", "SendUDP") +
            own("SendUDP.input", "a") + own("SendUDP.udpAddr", address) + rest,
        id);
  }
  void add_collector(const std::string& id, const std::string& sensor) {
    add(occi::category("collector", "kind", "http://schemas.ogf.org/occi/monitoring#") + mixin("metric", "CPUPercent") +
            own("CPUPercent.out", "a") + occi::attribute("occi.core.source", '"' + sensor + '"') +
            occi::attribute("occi.core.target", "\"web\""),
        id);
  }
  void usual() {
    add_sensor("s");
    add_collector("c", "s");
    sensors.changed(kTenant);
  }
  ingest::SensorValue value(double amount, const std::string& collector = "c", Duration ago = {}) {
    return {std::make_shared<const ingest::SensorSeries>(
                ingest::SensorSeries{collector, "CPUPercent", Labels{{"instance", "web-1"}}}),
            clock.now() - ago, amount};
  }
  void bring(std::vector<ingest::SensorValue> values) {
    sensors.measured(kTenant, "agent:1/spool", ++sequence, std::move(values));
  }
  std::string sight(const std::string& id) {
    const auto seen = sensors.sight(kTenant, *world.world.find(id));
    return seen ? seen->state + ": " + seen->message : "nothing";
  }
  double counted(const std::string& name) {
    const auto text = registry.expose();
    const auto at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
  }

  occi::TestWorld world;
  ManualClock clock{kNow};
  telemetry::Registry registry;
  std::vector<std::string> published, told;
  Labels labels;
  std::string trouble;
  bool connected = true;
  int made = 0;
  int outlets = 0;
  int remotes = 0;
  sense::PipeSpec remote_pipe;
  TakePublished back;
  std::uint64_t sequence = 0;
  Sensors sensors{neighbours()};
};

TEST_F(SensorsTest, ASensorOfItsOwnProcessIsFedAndItsOutletsAreThere) {
  const auto process = occi::attribute("atalaya.sensor.placement", "\"process\"");
  add_sensor("s", process);
  add_collector("c", "s");
  sensors.changed(kTenant);
  EXPECT_EQ(remotes, 1);
  EXPECT_EQ(outlets, 0);
  EXPECT_THAT(remote_pipe.publishers, SizeIs(1));
  EXPECT_TRUE(remote_pipe.more_sources);
  bring({value(12.5)});
  EXPECT_THAT(published, ElementsAre("s's process a 12.5"));
  back(0, "a", {});  // its publisher is in the process
  back(7, "a", {});
  EXPECT_THAT(published, SizeIs(1));
  trouble = "it ended";
  sensors.tick();
  EXPECT_EQ(sight("s"), "error: it ended");
  change("s", occi::attribute("atalaya.sensor.placement", "\"server\""));
  EXPECT_EQ(remotes, 0);
  EXPECT_EQ(outlets, 1);
}

TEST_F(SensorsTest, ValuesFlowFromTheAgentThroughThePipe) {
  usual();
  EXPECT_THAT(told, ElementsAre("web-1"));
  EXPECT_THAT(sensors.orders(kTenant, "web-1", 1 << 20).text, HasSubstr(R"("take":"cpu_percent")"));
  EXPECT_THAT(sight("c"), HasSubstr("inactive: the agent of web-1 was told"));
  EXPECT_THAT(sight("s"), HasSubstr("active: it runs; no value has come yet"));
  bring({value(12.5), value(13.5)});
  EXPECT_THAT(published, ElementsAre("s 12.5", "s 13.5"));
  EXPECT_EQ(labels, (Labels{{"collector", "c"}, {"instance", "web-1"}, {"metric", "CPUPercent"}}));
  EXPECT_THAT(sight("c"), HasSubstr("active: CPUPercent was 13.5 at 2023-11-14"));
  EXPECT_THAT(sight("s"), HasSubstr("active: 2 values have come"));
  EXPECT_EQ(sensors.sight(kTenant, *world.world.find("web")), std::nullopt);
}

TEST_F(SensorsTest, WhoLooksSeesTheNewestOfWhatIsCollectedAndGiven) {
  EXPECT_FALSE(sensors.flow(kTenant, "s"));
  add_sensor("s", mixin("aggregator", "EWMA") + own("EWMA.instream", "b") + own("EWMA.outstream", "a"));
  add(occi::category("collector", "kind", "http://schemas.ogf.org/occi/monitoring#") + mixin("metric", "CPUPercent") +
          own("CPUPercent.out", "b") + occi::attribute("occi.core.source", "\"s\"") +
          occi::attribute("occi.core.target", "\"web\""),
      "c");
  sensors.changed(kTenant);
  auto seen = sensors.flow(kTenant, "s");
  ASSERT_TRUE(seen);
  ASSERT_THAT(seen->collected, SizeIs(1));
  EXPECT_FALSE(seen->collected[0].value);
  EXPECT_THAT(seen->given, IsEmpty());
  bring({value(0, "c", Duration{1000}), value(16)});
  trouble = "nobody answers";
  sensors.tick();
  seen = sensors.flow(kTenant, "s");
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->state, "error");
  EXPECT_EQ(seen->values, 2u);
  const auto& one = seen->collected[0];
  EXPECT_EQ(one.collector + one.metric + one.stream, "cCPUPercentb");
  EXPECT_EQ(one.value->value, 16);
  EXPECT_EQ(one.value->at, kNow);
  ASSERT_THAT(seen->given, SizeIs(1));
  EXPECT_EQ(seen->given.at("a").value, 1) << "a sixteenth of the newest value";
  EXPECT_THAT(seen->problems, ElementsAre(Pair("SendUDP", "nobody answers")));
  auto failed = value(0);
  failed.problem = "no such file";
  bring({failed});
  EXPECT_EQ(sensors.flow(kTenant, "s")->collected[0].problem, "no such file");
  EXPECT_FALSE(sensors.flow(TenantId{"other"}, "s"));
  ASSERT_TRUE(world.act("s", "stop"));
  sensors.changed(kTenant);
  EXPECT_FALSE(sensors.flow(kTenant, "s"));
}

TEST_F(SensorsTest, ABatchThatComesAgainIsNotPublishedTwice) {
  usual();
  bring({value(1)});
  sensors.measured(kTenant, "agent:1/spool", 1, {value(1)});
  EXPECT_THAT(published, SizeIs(1));
  // Another spool counts from its own beginning.
  sensors.measured(kTenant, "agent:1/other", 1, {value(2)});
  EXPECT_THAT(published, SizeIs(2));
}

TEST_F(SensorsTest, StoppingStartingAndDeletingTellTheAgentAndLeaveNothing) {
  usual();
  ASSERT_TRUE(world.act("s", "stop"));
  sensors.changed(kTenant);
  EXPECT_EQ(outlets, 0);
  EXPECT_EQ(sensors.orders(kTenant, "web-1", 1 << 20).text, "");
  EXPECT_THAT(told, SizeIs(2));
  EXPECT_THAT(sight("s"), HasSubstr("inactive: asked for"));
  EXPECT_THAT(sight("c"), HasSubstr("inactive: its sensor does not run"));
  bring({value(1)});
  EXPECT_THAT(published, IsEmpty());
  ASSERT_TRUE(world.act("s", "start"));
  sensors.changed(kTenant);
  bring({value(2)});
  EXPECT_THAT(published, ElementsAre("s 2"));
  ASSERT_TRUE(world.take(occi::Engine(world.world, world.rules).remove({"s"})));
  sensors.changed(kTenant);
  EXPECT_EQ(outlets, 0);
  EXPECT_EQ(counted("atalaya_sensors_running"), 0);
  EXPECT_EQ(sensors.orders(kTenant, "web-1", 1 << 20).text, "");
}

TEST_F(SensorsTest, WhatDiffersIsChangedAndTheRestGoesOn) {
  usual();
  add_sensor("other", mixin("aggregator", "EWMA") + own("EWMA.instream", "b") + own("EWMA.outstream", "a"));
  sensors.changed(kTenant);
  EXPECT_EQ(made, 2);
  add_collector("c2", "s");
  sensors.changed(kTenant);
  EXPECT_EQ(made, 2) << "one more collector is no new beginning";
  EXPECT_THAT(told, SizeIs(2));
  sensors.changed(kTenant);
  EXPECT_THAT(told, SizeIs(2)) << "nothing differs";
  change("c2", occi::attribute("occi.collector.period", "5"));
  EXPECT_THAT(sensors.orders(kTenant, "web-1", 1 << 20).text, HasSubstr(R"("period":5000)"));
  EXPECT_EQ(made, 2);
  change("s", mixin("aggregator", "Delta") + own("Delta.instream", "a") + own("Delta.outstream", "d"));
  EXPECT_EQ(made, 2) << "a publisher that is as it was goes on";
  change("s", own("SendUDP.udpAddr", "127.0.0.1:2"));
  EXPECT_EQ(made, 3);
  EXPECT_EQ(outlets, 2);
}

TEST_F(SensorsTest, AWindowBeginsAndEnds) {
  add_sensor("s", occi::attribute("occi.sensor.timebase", "1700000010") +
                      occi::attribute("occi.sensor.timestart", "0") + occi::attribute("occi.sensor.timestop", "10"));
  add_collector("c", "s");
  sensors.changed(kTenant);
  EXPECT_THAT(told, IsEmpty());
  EXPECT_THAT(sight("s"), HasSubstr("inactive: it begins at 2023-11-14T22:13:30"));
  clock.advance(Duration{10'000});
  sensors.tick();
  EXPECT_THAT(told, ElementsAre("web-1"));
  bring({value(1), value(2, "c", Duration{5'000})});
  EXPECT_THAT(published, ElementsAre("s 1")) << "what was measured before is not its";
  clock.advance(Duration{10'000});
  sensors.tick();
  EXPECT_THAT(told, SizeIs(2));
  EXPECT_THAT(sight("s"), HasSubstr("inactive: it ended at"));
  EXPECT_EQ(outlets, 0);
}

TEST_F(SensorsTest, TheLastErrorsAreShown) {
  usual();
  auto problem = value(0);
  problem.problem = "this host has no cpu_percent";
  bring({problem});
  EXPECT_THAT(sight("c"), HasSubstr("error: CPUPercent: this host has no cpu_percent"));
  bring({value(3)});
  EXPECT_THAT(sight("c"), HasSubstr("active"));
  trouble = "connection refused";
  sensors.tick();
  EXPECT_THAT(sight("s"), HasSubstr("error: SendUDP: connection refused"));
  trouble.clear();
  sensors.tick();
  EXPECT_THAT(sight("s"), HasSubstr("active"));
  connected = false;
  EXPECT_THAT(sight("c"), HasSubstr("inactive: the agent of web-1 is away; CPUPercent was 3"));
  connected = true;
  sensors.agent_says(kTenant, "web-1", false);
  EXPECT_THAT(sight("c"), HasSubstr("error: the agent of web-1 is from before sensors"));
  add_sensor("far", {}, "10.0.0.1:1");
  sensors.changed(kTenant);
  EXPECT_THAT(sight("far"), HasSubstr("error: SendUDP: that address is not allowed"));
}

TEST_F(SensorsTest, ASensorInTheAgentIsToldThereAndOnlyWhatItPublishesComesBack) {
  const auto agent = occi::attribute("atalaya.sensor.placement", "\"agent\"");
  add_sensor("s", agent + mixin("publisher", "Alert") + own("Alert.input", "a"));
  add_collector("c", "s");
  sensors.changed(kTenant);
  EXPECT_EQ(outlets, 1) << "the datagrams are the agent's, the alerts are the server's";
  const auto orders = sensors.orders(kTenant, "web-1", 1 << 20).text;
  EXPECT_THAT(orders, testing::StartsWith(R"({"id":"occi:s/pipe","type":"sensor","sensor":"s","pipe":{)"));
  EXPECT_THAT(orders, HasSubstr(R"("type":"piped","collector":"c")"));
  EXPECT_THAT(orders, HasSubstr(R"("sensor":"s","stream":"a")"));
  EXPECT_THAT(sight("s"), HasSubstr("active: it runs in the agent of web-1; no value has come yet"));
  const auto said = [&](const std::string& collector, const std::string& metric, double amount,
                        const std::string& host = "web-1") {
    return ingest::SensorValue{std::make_shared<const ingest::SensorSeries>(ingest::SensorSeries{
                                   collector, metric, Labels{{"_collector", "c"}, {"instance", host}}}),
                               clock.now(), amount};
  };
  bring({said("c", ":taken:CPUPercent", 17), said("s", ":published:1:a", 3), said("s", ":published:0:a", 4),
         said("s", ":published:9:a", 5), said("s", ":published:x", 6), said("c", "CPUPercent", 7),
         said("s", ":published:1:a", 8, "db-1")});
  EXPECT_THAT(published, ElementsAre("s 3"));
  EXPECT_EQ(labels, (Labels{{"collector", "c"}}));
  EXPECT_THAT(sight("s"), HasSubstr("active: it runs in the agent of web-1: 17 values have come there"));
  EXPECT_THAT(sight("c"), HasSubstr("active: CPUPercent: 17 values came in the agent"));
  auto problem = said("s", "pipe", 0);
  problem.problem = "SendUDP: 127.0.0.1 is not allowed";
  bring({problem});
  EXPECT_THAT(sight("s"), HasSubstr("error: on web-1: SendUDP: 127.0.0.1 is not allowed"));
  problem.problem = "";
  bring({problem});
  connected = false;
  EXPECT_THAT(sight("s"), HasSubstr("inactive: away, and at work as last told: the agent of web-1"));
  change("s", occi::attribute("atalaya.sensor.placement", "\"server\""));
  EXPECT_THAT(sensors.orders(kTenant, "web-1", 1 << 20).text, testing::Not(HasSubstr("piped")));
  EXPECT_EQ(outlets, 2);
}

TEST_F(SensorsTest, AnAgentGetsAsManyOrdersAsItTakes) {
  usual();
  add_collector("d", "s");
  sensors.changed(kTenant);
  const auto all = sensors.orders(kTenant, "web-1", 1 << 20);
  const auto one = sensors.orders(kTenant, "web-1", all.text.size() - 1);
  EXPECT_LT(one.text.size(), all.text.size() / 2 + 2);
  EXPECT_THAT(sight("d"), HasSubstr("error: the agent of web-1 takes no more orders"));
  EXPECT_THAT(sight("c"), HasSubstr("inactive: the agent of web-1 was told"));
  EXPECT_EQ(sensors.orders(kTenant, "db-1", 1 << 20).text, "");
  EXPECT_EQ(sensors.orders(TenantId{"other"}, "web-1", 1 << 20).text, "");
}

TEST_F(SensorsTest, AnEndOfASeriesPassesAndIsNoValue) {
  usual();
  bring({value(stale_marker())});
  EXPECT_THAT(sight("s"), HasSubstr("no value has come yet"));
  sensors.stop();
  EXPECT_EQ(outlets, 0);
  bring({value(1)});
  sensors.changed(kTenant);
  EXPECT_EQ(outlets, 0);
}

}  // namespace
}  // namespace atalaya::app
