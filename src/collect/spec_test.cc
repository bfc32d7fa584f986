#include "collect/spec.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace atalaya::collect {
namespace {

TEST(Spec, ReadsEveryKindAsPackagesWriteIt) {
  const auto parsed = parse_configuration(R"({"revision":3,"collectors":[
    {"id":"host","type":"host","period":"1s"},
    {"id":"p/files/app","type":"log","period":"1s","path":"/var/log/*.log","labels":{"team":"a"}},
    {"id":"p/checks/web","type":"http","period":"10s","timeout":"5s","url":"https://x/","expect_status":204},
    {"id":"p/checks/db","type":"tcp","period":"10s","timeout":"5s","address":"db:5432"},
    {"id":"p/checks/sshd","type":"process","period":"10s","name":"sshd","at_least":2,"new_field":1}]})");
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->problems.empty());
  ASSERT_EQ(parsed->collectors.size(), 5u);
  EXPECT_EQ(parsed->collectors[0].period, Duration{1000});
  const auto& log = std::get<LogSpec>(parsed->collectors[1].what);
  EXPECT_EQ(log.paths, std::vector<std::string>{"/var/log/*.log"});
  EXPECT_EQ(log.labels.at("team"), "a");
  EXPECT_EQ(std::get<HttpSpec>(parsed->collectors[2].what).expect_status, 204);
  EXPECT_EQ(parsed->collectors[2].timeout, Duration{5000});
  EXPECT_EQ(parsed->collectors[3].name(), "db");
  EXPECT_EQ(std::get<ProcessSpec>(parsed->collectors[4].what).at_least, 2);
}

TEST(Spec, WhatIsWrongConcernsOneCollectorOnly) {
  const auto parsed = parse_configuration(R"({"collectors":[
    {"id":"a","type":"tcp"},{"id":"b","type":"log","path":"relative"},{"id":"c","type":"process","name":5},
    {"id":"d","type":"tcp","address":"x:1","period":"soon"},{"type":"tcp"},7,
    {"id":"e","type":"tcp","address":"x:1"},{"id":"e","type":"tcp","address":"y:1"}]})");
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->collectors.size(), 1u);
  EXPECT_EQ(parsed->collectors[0].id, "e");
  EXPECT_EQ(parsed->problems.size(), 7u);
  EXPECT_NE(parsed->problems[0].error.message.find("address is missing"), std::string::npos);
}

TEST(Spec, ATextThatIsNoConfigurationIsAnError) {
  for (const auto* text : {"", "[]", "{", R"({"collectors":5})"}) EXPECT_FALSE(parse_configuration(text)) << text;
  EXPECT_TRUE(parse_configuration("{}"));
}

TEST(Spec, AScriptCarriesItsProgram) {
  const auto spec = parse_collector(
      boost::json::parse(
          R"({"id":"p/c/orders","type":"script","period":"1m","timeout":"20s","program":"#!/bin/sh\necho a 1\n",
          "arguments":["x","y z"],"environment":{"A":"b"},"memory":134217728})")
          .as_object());
  ASSERT_TRUE(spec) << to_string(spec.error());
  EXPECT_EQ(spec->timeout, Duration{20'000});
  EXPECT_EQ(std::get<ScriptSpec>(spec->what),
            (ScriptSpec{"#!/bin/sh\necho a 1\n", {"x", "y z"}, {{"A", "b"}}, 128 << 20}));
  const auto refused = [](const char* text) { return !parse_collector(boost::json::parse(text).as_object()); };
  EXPECT_TRUE(refused(R"({"id":"p/c/o","type":"script"})"));
  EXPECT_TRUE(refused(R"({"id":"p/c/o","type":"script","program":"#!/bin/sh","memory":1})"));
  EXPECT_TRUE(refused(R"({"id":"p/c/o","type":"script","program":"#!/bin/sh","arguments":[1]})"));
}

TEST(Spec, AMetricSaysWhatItTakesAndOfWhat) {
  const auto spec = parse_collector(
      boost::json::parse(R"({"id":"occi:c1/IsReachable","type":"metric","collector":"c1","metric":"IsReachable",
      "period":3000,"take":"check_up","of":{"type":"ping","host":"h","timeout":1000,"count":1},"select":{"a":"b"}})")
          .as_object());
  ASSERT_TRUE(spec) << to_string(spec.error());
  EXPECT_EQ(spec->period, Duration{3000});
  const auto& metric = std::get<MetricSpec>(spec->what);
  EXPECT_EQ(metric.select.at("a"), "b");
  ASSERT_TRUE(metric.of);
  EXPECT_EQ(metric.of->id, "occi:c1/IsReachable");
  EXPECT_EQ(metric.of->period, Duration{3000});
  EXPECT_EQ(metric.of->timeout, Duration{1000});
  EXPECT_EQ(std::get<PingSpec>(metric.of->what).count, 1);
  EXPECT_EQ(*spec, *parse_collector(boost::json::parse(R"({"id":"occi:c1/IsReachable","type":"metric","collector":"c1",
      "metric":"IsReachable","period":"3s","take":"check_up","select":{"a":"b"},
      "of":{"type":"ping","host":"h","timeout":"1s","count":1}})")
                                        .as_object()));
  const auto refused = [](const char* text) { return !parse_collector(boost::json::parse(text).as_object()); };
  EXPECT_TRUE(refused(R"({"id":"a","type":"metric","collector":"c","metric":"M"})"));
  EXPECT_TRUE(refused(R"({"id":"a","type":"metric","collector":"c","metric":"M","take":"x","of":5})"));
  EXPECT_TRUE(refused(R"({"id":"a","type":"metric","collector":"c","metric":"M","take":"x","of":{"type":"host"}})"));
  EXPECT_TRUE(refused(R"({"id":"a","type":"metric","collector":"c","metric":"M","take":"x","of":{"type":"tcp"}})"));
}

}  // namespace
}  // namespace atalaya::collect
