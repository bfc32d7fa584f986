#include "occi/monitoring.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "occi/reference_data.h"
#include "occi/test_world.h"

namespace atalaya::occi {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view kMonitoring = "http://schemas.ogf.org/occi/monitoring#";
constexpr std::string_view kMetrics = "http://example.com/occi/monitoring/metric#";
constexpr std::string_view kAggregators = "http://example.com/occi/monitoring/aggregator#";
constexpr std::string_view kPublishers = "http://example.com/occi/monitoring/publisher#";
constexpr Time kNow = from_ms(1'700'000'000'000);

std::string of(std::string_view term_and_name, const std::string& value) {
  return attribute("com.example.occi.monitoring." + std::string(term_and_name), value);
}

class MonitoringTest : public testing::Test, public TestWorld {
 protected:
  MonitoringTest() {
    rules.whole = check_wiring;
    rules.behaviours[std::string(kSensor)] = {
        [](const World&, Entity& entity, const Entity* before, std::vector<std::string>& warnings) {
          return check_sensor(entity, before, kNow, warnings);
        }};
  }

  std::string sensor_text(const std::string& rest = {}) { return category("sensor", "kind", kMonitoring) + rest; }
  /// One that averages a into c and sends c to an address.
  std::string usual(const std::string& rest = {}) {
    return sensor_text(category("EWMA", "mixin", kAggregators) + category("SendUDP", "mixin", kPublishers) +
                       of("EWMA.instream", "\"a\"") + of("EWMA.outstream", "\"c\"") + of("SendUDP.input", "\"c\"") +
                       of("SendUDP.udpAddr", "\"127.0.0.1:8888\"") + rest);
  }
  std::string collector_text(const std::string& rest, const std::string& from = "web", const std::string& to = "s") {
    return category("collector", "kind", kMonitoring) + attribute("occi.core.source", '"' + from + '"') +
           attribute("occi.core.target", '"' + to + '"') + rest;
  }
  std::string cpu(const std::string& out = "a") {
    return category("CPUPercent", "mixin", kMetrics) + of("CPUPercent.out", '"' + out + '"');
  }
  void make(const std::string& text, const std::string& id) {
    const auto made = create(text, id);
    ASSERT_TRUE(made) << to_string(made.error());
    told = made->warnings;
  }
  void make_usual() {
    make(category("compute") + attribute("occi.compute.hostname", "\"web-1\""), "web");
    make(usual(), "s");
    make(collector_text(cpu()), "c1");
  }
  std::string refusal(const Result<Change>& change) {
    return change ? "taken" : std::string(name(change.error().code)) + ": " + to_string(change.error());
  }
  Deployment deploy(Time now = kNow) {
    return deployment_of(world, [](const Entity& compute) { return compute.text("occi.compute.hostname"); }, now);
  }

  std::vector<std::string> told;  ///< warnings of the last entity that was made
};

TEST_F(MonitoringTest, TheModelHasSensorsCollectorsAndThreeFamiliesOfMixins) {
  const auto& model = world.model();
  ASSERT_TRUE(model.kind(kSensor));
  EXPECT_TRUE(model.is_resource(kSensor));
  EXPECT_TRUE(model.is_link(kCollector));
  for (const auto& [scheme, term, family] :
       {std::tuple{kMetrics, "CPUPercent", kMetric}, std::tuple{kMetrics, "IsReachable", kMetric},
        std::tuple{kAggregators, "EWMA", kAggregator}, std::tuple{kPublishers, "SendUDP", kPublisher},
        std::tuple{kPublishers, "Log", kPublisher}, std::tuple{kPublishers, "EmailOnAlarm", kPublisher}}) {
    EXPECT_TRUE(model.builds_on(std::string(scheme) + term, family)) << term;
  }
  for (const auto* one : model.all()) {
    if (one->cls != Category::Class::kMixin || !model.builds_on(one->id(), kMetric) || one->id() == kMetric) continue;
    EXPECT_TRUE(one->measure) << one->id() << " can be measured";
    EXPECT_TRUE(model.attribute_of(*one, "com.example.occi.monitoring." + one->term + ".out")) << one->id();
    EXPECT_TRUE(model.applies(*one, kCollector)) << one->id();
    EXPECT_FALSE(model.applies(*one, kSensor)) << one->id();
  }
}

TEST_F(MonitoringTest, AnUnknownMixinIsRefused) {
  make(category("compute"), "web");
  EXPECT_THAT(refusal(create(sensor_text(category("EWMAA", "mixin", kAggregators)))),
              testing::AllOf(HasSubstr("invalid_argument"), HasSubstr("no such mixin"), HasSubstr("#EWMA")));
  make(usual(), "s");
  EXPECT_THAT(refusal(create(collector_text(category("CPUPercnt", "mixin", kMetrics)))), HasSubstr("no such mixin"));
  EXPECT_THAT(refusal(create(collector_text(category("EWMA", "mixin", kAggregators)))), HasSubstr("does not apply"));
}

TEST_F(MonitoringTest, ACollectorJoinsASensorAndAResourceInEitherDirection) {
  make_usual();
  make(collector_text(cpu(), "s", "web"), "c2");
  EXPECT_THAT(told, IsEmpty());
  make(category("storage") + attribute("occi.storage.size", "1"), "disk");
  EXPECT_THAT(refusal(create(collector_text(cpu(), "web", "disk"))), HasSubstr("joins a sensor and another resource"));
  EXPECT_THAT(refusal(create(collector_text(cpu(), "s", "s"))), HasSubstr("joins a sensor and another resource"));
  EXPECT_THAT(refusal(create(collector_text(cpu(), "web", "none"))), HasSubstr("there is no entity"));
  make(collector_text(cpu(), "disk", "s"), "c3");
  EXPECT_THAT(told, ElementsAre(HasSubstr("no compute")));
  make(collector_text(""), "c4");
  EXPECT_THAT(told, ElementsAre(HasSubstr("no metric mixin")));
}

TEST_F(MonitoringTest, AStreamThatNothingReadsIsNamed) {
  make_usual();
  const auto text = refusal(create(collector_text(cpu("x"))));
  EXPECT_THAT(text, HasSubstr("CPUPercent.out"));
  EXPECT_THAT(text, HasSubstr("\"x\""));
  EXPECT_THAT(text, HasSubstr("it reads a, c"));
  EXPECT_THAT(refusal(create(collector_text(category("CPUPercent", "mixin", kMetrics)))),
              HasSubstr("attribute com.example.occi.monitoring.CPUPercent.out is missing"));
}

TEST_F(MonitoringTest, ACircleIsNamed) {
  const auto text =
      refusal(create(sensor_text(category("EWMA", "mixin", kAggregators) + category("Delta", "mixin", kAggregators) +
                                 of("EWMA.instream", "\"a\"") + of("EWMA.outstream", "\"b\"") +
                                 of("Delta.instream", "\"b\"") + of("Delta.outstream", "\"a\""))));
  EXPECT_THAT(text, HasSubstr("invalid_argument"));
  EXPECT_THAT(text, HasSubstr("b → a → b"));
}

TEST_F(MonitoringTest, AStreamThatNothingMakesIsAwaitedUnlessTheCollectorsCameAlong) {
  make(category("compute"), "web");
  const auto wired = [](const std::string& stream) {
    return R"([{"id":"s9","kind":"http://schemas.ogf.org/occi/monitoring#sensor",
      "mixins":["http://example.com/occi/monitoring/publisher#SendUDP"],
      "attributes":{"com.example.occi.monitoring.SendUDP.input":")" +
           stream +
           R"(","com.example.occi.monitoring.SendUDP.udpAddr":"127.0.0.1:1"}},
     {"id":"c9","kind":"http://schemas.ogf.org/occi/monitoring#collector","source":"web","target":"s9",
      "mixins":["http://example.com/occi/monitoring/metric#CPUPercent"],
      "attributes":{"com.example.occi.monitoring.CPUPercent.out":"a"}}])";
  };
  EXPECT_THAT(refusal(create_json(wired("a,zz"))), testing::AllOf(HasSubstr("SendUDP"), HasSubstr("zz")));
  make(usual(), "s");
  EXPECT_THAT(told, ElementsAre(HasSubstr("no collector feeds stream \"a\" yet")));
  EXPECT_EQ(refusal(create_json(wired("a"))), "taken");
}

TEST_F(MonitoringTest, ASensorKeepsWhatItsCollectorsWrite) {
  make_usual();
  EXPECT_THAT(refusal(update("s", of("EWMA.instream", "\"other\""), false)),
              HasSubstr("CPUPercent.out of collector c1"));
  EXPECT_TRUE(take(Engine(world, rules).remove({"c1"})));
  EXPECT_TRUE(update("s", of("EWMA.instream", "\"other\""), false));
}

TEST_F(MonitoringTest, AWindowThatIsOverIsIgnoredAndKept) {
  const auto past = attribute("occi.sensor.timebase", "1386925386") + attribute("occi.sensor.timestart", "600") +
                    attribute("occi.sensor.timestop", "3600");
  make(usual(past), "old");
  EXPECT_THAT(told, testing::Contains(HasSubstr("it runs at once")));
  const auto& old = *world.find("old");
  EXPECT_EQ(window_of(old), Window{});
  EXPECT_EQ(old.attributes.at("occi.sensor.timestop"), Value(std::int64_t{3600}));
  ASSERT_TRUE(update("old", attribute("occi.core.title", "\"x\""), false));
  EXPECT_EQ(window_of(*world.find("old")), Window{}) << "another change is no new window";
  ASSERT_TRUE(update("old", attribute("occi.sensor.timestop", "3601"), false));
  EXPECT_LT(window_of(*world.find("old")).end, kNow) << "who says when it ends means it";
}

TEST_F(MonitoringTest, AWindowCountsFromItsTimebaseOrFromTheCreation) {
  make(usual(attribute("occi.sensor.timestart", "10") + attribute("occi.sensor.timestop", "20")), "s");
  const auto window = window_of(*world.find("s"));
  EXPECT_EQ(window.begin, kNow + Duration{10'000});
  EXPECT_EQ(window.end, kNow + Duration{20'000});
  EXPECT_THAT(
      refusal(create(usual(attribute("occi.sensor.timestart", "20") + attribute("occi.sensor.timestop", "20")))),
      HasSubstr("occi.sensor.timestop: 20 is not after"));
  const auto huge = std::to_string(INT64_MAX);
  EXPECT_TRUE(create(usual(attribute("occi.sensor.timebase", huge) + attribute("occi.sensor.timestart", huge))));
}

TEST_F(MonitoringTest, APlanSaysWhatAgentsMeasureAndWhereItFlows) {
  make_usual();
  ASSERT_TRUE(update("s", attribute("occi.sensor.period", "7"), false));
  auto plan = deploy();
  ASSERT_THAT(plan.orders, SizeIs(1));
  EXPECT_EQ(plan.orders[0].host, "web-1");
  EXPECT_EQ(
      boost::json::serialize(plan.orders[0].text),
      R"({"id":"occi:c1/CPUPercent","type":"metric","collector":"c1","metric":"CPUPercent","period":7000,"take":"cpu_percent"})");
  ASSERT_TRUE(plan.sensors.contains("s"));
  EXPECT_EQ(plan.sensors.at("s").streams.at("c1/CPUPercent"), "a");
  EXPECT_EQ(plan.sensors.at("s").pipe.period, Duration{7000});
  EXPECT_THAT(plan.sensors.at("s").pipe.aggregators, SizeIs(1));
  EXPECT_THAT(plan.sensors.at("s").pipe.publishers, SizeIs(1));
  make(collector_text(category("IsReachable", "mixin", kMetrics) + attribute("occi.collector.period", "2") +
                      of("IsReachable.hostname", "\"h\"") + of("IsReachable.out", "\"a\"")),
       "c2");
  plan = deploy();
  ASSERT_THAT(plan.orders, SizeIs(2));
  EXPECT_EQ(
      boost::json::serialize(plan.orders[1].text),
      R"({"id":"occi:c2/IsReachable","type":"metric","collector":"c2","metric":"IsReachable","period":2000,"take":"check_up","of":{"type":"ping","host":"h","timeout":1000,"count":1}})");
}

TEST_F(MonitoringTest, EveryMetricBecomesAnOrder) {
  make(category("compute") + attribute("occi.compute.hostname", "\"web-1\""), "web");
  make(sensor_text(category("Store", "mixin", kPublishers) + of("Store.input", "\"a\"")), "s");
  std::size_t made = 0;
  for (const auto* one : world.model().all()) {
    if (one->measure == nullptr) continue;
    auto text = category(one->term, "mixin", kMetrics);
    for (const auto& attribute : one->attributes) {
      if (!attribute.required) continue;
      const auto last = sense::short_name(attribute.name);
      const auto value = last == "out"       ? "a"
                         : last == "url"     ? "http://h/"
                         : last == "path"    ? "/var/log/a"
                         : last == "address" ? "h:1"
                         : last == "program" ? "tools/scripts/x"
                                             : "h";
      text += occi::attribute(attribute.name, '"' + std::string(value) + '"');
    }
    make(collector_text(text), "c-" + one->term);
    ++made;
  }
  const auto plan = deployment_of(
      world, [](const Entity&) { return "web-1"; }, kNow, {},
      [](const std::string&) { return std::string("#!/bin/sh"); });
  EXPECT_EQ(plan.orders.size(), made);
  for (const auto& order : plan.orders) {
    const auto text = boost::json::serialize(order.text);
    EXPECT_THAT(text, testing::Not(HasSubstr("{minutes}")));
    EXPECT_THAT(text, HasSubstr("\"take\":\""));
  }
}

TEST_F(MonitoringTest, WhatDoesNotRunSaysWhy) {
  make_usual();
  ASSERT_TRUE(act("s", "stop"));
  auto plan = deploy();
  EXPECT_THAT(plan.orders, IsEmpty());
  EXPECT_THAT(plan.sensors.at("s").idle, HasSubstr("asked for"));
  EXPECT_THAT(plan.idle.at("c1"), HasSubstr("its sensor does not run"));
  ASSERT_TRUE(act("s", "start"));
  EXPECT_THAT(deploy().orders, SizeIs(1));
  ASSERT_TRUE(act("web", "stop"));
  EXPECT_THAT(deploy().idle.at("c1"), HasSubstr("compute web is inactive"));
  ASSERT_TRUE(act("web", "start"));
  ASSERT_TRUE(update("s",
                     attribute("occi.sensor.timebase", "1700000100") + attribute("occi.sensor.timestart", "0") +
                         attribute("occi.sensor.timestop", "60"),
                     false));
  plan = deploy();
  EXPECT_THAT(plan.idle.at("c1"), HasSubstr("begins at"));
  EXPECT_EQ(plan.until, from_ms(1'700'000'100'000));
  plan = deploy(from_ms(1'700'000'100'000));
  EXPECT_THAT(plan.orders, SizeIs(1));
  EXPECT_EQ(plan.until, from_ms(1'700'000'160'000));
  EXPECT_THAT(deploy(from_ms(1'700'000'160'000)).idle.at("c1"), HasSubstr("ended at"));
  make(category("compute"), "unbound");
  make(collector_text(cpu(), "unbound", "s"), "c2");
  EXPECT_THAT(deploy(from_ms(1'700'000'100'000)).idle.at("c2"), HasSubstr("bound to no agent"));
}

TEST_F(MonitoringTest, ATenantHasAQuota) {
  Quota quota{1, 2, 1.5};
  rules.whole = [&](const World& now, Change& change) -> Status {
    AT_TRY(check_wiring(now, change));
    return check_quota(now, change, quota);
  };
  make_usual();
  EXPECT_THAT(refusal(create(usual(), "s2")), HasSubstr("a tenant may have 1"));
  const auto each = attribute("occi.collector.period", "1");
  make(collector_text(cpu() + each), "c2");
  EXPECT_THAT(refusal(create(collector_text(cpu()), "c3")), HasSubstr("2 collectors are there"));
  EXPECT_THAT(refusal(update("c1", each, false)), HasSubstr("2.0 values per second"));
  EXPECT_TRUE(update("c2", attribute("occi.collector.period", "2"), false));
  quota.values_per_second = 0.1;
  EXPECT_TRUE(update("c2", attribute("occi.collector.period", "3"), false)) << "less than before is taken";
  // What packages say beyond it does not run.
  const auto plan = deployment_of(world, [](const Entity&) { return "web-1"; }, kNow, {1, 1, 100});
  EXPECT_THAT(plan.orders, SizeIs(1));
  EXPECT_THAT(plan.idle.at("c2"), HasSubstr("a tenant may have 1 collectors"));
  EXPECT_THAT(deployment_of(world, [](const Entity&) { return "web-1"; }, kNow, {0, 9, 100}).sensors.at("s").idle,
              HasSubstr("0 sensors"));
}

TEST_F(MonitoringTest, AProgramIsReadForItsMetricAndMissedWhereItIsNotThere) {
  const ReadProgram read = [](const std::string& program) -> Result<std::string> {
    if (program == "tools/scripts/queue.sh") return "#!/bin/sh";
    return fail(ErrorCode::kNotFound, "there is no program " + program);
  };
  rules.whole = [&](const World& now, Change& change) -> Status {
    AT_TRY(check_wiring(now, change));
    return check_programs(now, change, read);
  };
  rules.program_named = [](const std::string& term) -> Result<std::string> {
    if (term == "queue") return "tools/scripts/queue.sh";
    return fail(ErrorCode::kInvalidArgument, "no package has a program scripts/" + term);
  };
  make(category("compute") + attribute("occi.compute.hostname", "\"web-1\""), "web");
  make(usual(), "s");
  const auto script = category("Script", "mixin", kMetrics) + of("Script.out", "\"a\"");
  EXPECT_THAT(refusal(create(collector_text(script))), HasSubstr("Script.program is missing"));
  EXPECT_THAT(refusal(create(collector_text(script + of("Script.program", "\"tools/scripts/none\"")))),
              HasSubstr("invalid_argument: Script of collector id-"));
  EXPECT_THAT(refusal(create(collector_text(script + of("Script.program", "\"/etc/passwd\"")))), HasSubstr("program"));
  make(collector_text(script + of("Script.program", "\"tools/scripts/queue.sh\"")), "c1");
  const auto line = [](const std::string& term) {
    CategoryLine out;
    out.term = term;
    out.scheme = "http://acme.example/metrics#";
    out.cls = "mixin";
    out.rel = {std::string(kMetric)};
    out.location = "/mixin/" + term + "/";
    return out;
  };
  EXPECT_THAT(refusal(Engine(world, rules).define({line("stack")})), HasSubstr("scripts/stack"));
  ASSERT_TRUE(take(Engine(world, rules).define({line("queue")})));
  make(collector_text(category("queue", "mixin", "http://acme.example/metrics#") + of("queue.out", "\"a\"") +
                      of("queue.series", "\"length\"")),
       "c2");
  const auto plan = deployment_of(world, [](const Entity&) { return "web-1"; }, kNow, {}, read);
  ASSERT_THAT(plan.orders, SizeIs(2));
  const auto& own = plan.orders[1].text;
  EXPECT_EQ(own.at("take").as_string(), "length");
  EXPECT_EQ(own.at("of").at("program").as_string(), "#!/bin/sh");
  EXPECT_EQ(own.at("of").at("type").as_string(), "script");
  EXPECT_EQ(plan.orders[0].text.at("take").as_string(), "value");
  const auto without = deploy();
  EXPECT_THAT(without.orders, IsEmpty());
  EXPECT_THAT(without.faulty, ElementsAre("c1", "c2"));
  EXPECT_THAT(without.idle.at("c1"), HasSubstr("no programs"));
}

TEST_F(MonitoringTest, TheDocumentsOfThePublishedDemoLoadUnchanged) {
  std::vector<std::string> all;
  for (const std::string file : {"c2222.json", "s1111.json", "2345.json"}) {
    const auto text = reference_data("occimon-live/" + file);
    if (!text) GTEST_SKIP() << text.error().message;
    const auto made = create_json(*text);
    ASSERT_TRUE(made) << file << ": " << to_string(made.error());
    all.insert(all.end(), made->warnings.begin(), made->warnings.end());
  }
  EXPECT_THAT(all, testing::Contains(HasSubstr("RMIMetricContainer is unknown; it is kept")));
  EXPECT_THAT(all, testing::Contains(HasSubstr("#SendUDP is not listed")));
  EXPECT_THAT(all, testing::Contains(HasSubstr("#IsReachable is not listed")));
  EXPECT_THAT(all, testing::Contains(HasSubstr("it runs at once")));
  const auto plan = deployment_of(world, [](const Entity& compute) { return compute.id; }, kNow);
  ASSERT_THAT(plan.orders, SizeIs(2));
  EXPECT_EQ(plan.orders[0].text.at("period").as_int64(), 3000);
  EXPECT_EQ(plan.sensors.at("s1111").streams.at("2345/CPUPercent"), "a");
  EXPECT_EQ(plan.sensors.at("s1111").streams.at("2345/IsReachable"), "b");
  EXPECT_TRUE(sense::Pipe::make(plan.sensors.at("s1111").pipe));
}

}  // namespace
}  // namespace atalaya::occi
