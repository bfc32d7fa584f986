// Control loop, alerts, incidents, routing and deliveries on one simulated clock, with the database in memory: what
// people are told, and that it is the same wherever the process dies.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dispatch/scenario_world.h"
#include "incidents/queries.h"

namespace atalaya::dispatch {
namespace {

using alerts::Level;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kRoutes = R"(
route:
  receiver: ops
  group_by: [cluster]
  group_wait: 10s
  group_interval: 1m
  repeat_interval: 4h
  routes:
  - matchers: [team="dba"]
    receiver: dba
    group_wait: 0s
receivers:
- name: ops
  webhook_configs: [{url: 'http://ops'}]
- name: dba
  webhook_configs: [{url: 'http://dba', send_resolved: false}]
inhibit_rules:
- source_matchers: [alertname="cluster_down"]
  target_matchers: [alertname="disk"]
  equal: [cluster]
)";

Labels alert(const std::string& name, const std::string& instance, const std::string& team = "web") {
  return Labels{{"alertname", name}, {"instance", instance}, {"cluster", "c1"}, {"team", team}};
}

TEST(Dispatch, ManyAlertsOfAGroupAreOnePageAndTheirEndIsTold) {
  World world;
  ASSERT_TRUE(world.configure(kRoutes));
  world.judge({{alert("disk", "a"), Level::kCritical}, {alert("disk", "b"), Level::kCritical}});
  world.pass(seconds(5));
  world.judge({{alert("cpu", "a"), Level::kWarning}});
  EXPECT_THAT(world.told(), IsEmpty());
  world.pass(seconds(5));
  EXPECT_THAT(world.told(), ElementsAre("ops firing: cpu/a disk/a disk/b"));
  world.judge({{alert("disk", "a"), Level::kOk}});
  world.pass(minutes(1));
  EXPECT_THAT(world.told(), ElementsAre("ops firing: cpu/a -disk/a disk/b"));
  world.judge({{alert("disk", "b"), Level::kOk}, {alert("cpu", "a"), Level::kOk}});
  world.pass(minutes(1));
  EXPECT_THAT(world.told(), ElementsAre("ops resolved: -cpu/a -disk/b"));
  world.pass(hours(9));
  EXPECT_THAT(world.told(), IsEmpty());
}

TEST(Dispatch, AGroupWaitOfZeroTellsInTheSameStep) {
  World world;
  ASSERT_TRUE(world.configure(kRoutes));
  world.judge({{alert("slow", "a", "dba"), Level::kCritical}, {alert("slow", "b", "dba"), Level::kCritical}});
  EXPECT_THAT(world.told(), ElementsAre("dba firing: slow/a slow/b"));
  world.pass(hours(4) + minutes(1));
  EXPECT_THAT(world.told(), ElementsAre("dba firing: slow/a slow/b"));
}

TEST(Dispatch, ASilenceHidesAndItsEndTells) {
  World world;
  ASSERT_TRUE(world.configure(kRoutes));
  world.silence("s1", "a", minutes(10));
  world.judge({{alert("disk", "a"), Level::kCritical}});
  world.pass(minutes(9));
  EXPECT_THAT(world.told(), IsEmpty());
  world.pass(minutes(3));
  EXPECT_THAT(world.told(), ElementsAre("ops firing: disk/a"));
}

TEST(Dispatch, AShelvedAlertIsQuietAndNoOther) {
  World world;
  ASSERT_TRUE(world.configure(kRoutes));
  world.judge({{alert("disk", "a"), Level::kCritical}});
  const auto id = alerts::identity(default_tenant(), "p/g/disk", alert("disk", "a"));
  ASSERT_TRUE(world.command(alerts::Shelve{id, "ana", "", world.now() + minutes(30)}));
  world.judge({{alert("disk", "b"), Level::kCritical}});
  world.pass(minutes(29));
  EXPECT_THAT(world.told(), ElementsAre("ops firing: disk/b"));
  world.pass(minutes(3));
  EXPECT_THAT(world.told(), ElementsAre("ops firing: disk/a disk/b"));
}

TEST(Dispatch, AnInhibitedAlertIsNotTold) {
  World world;
  ASSERT_TRUE(world.configure(kRoutes));
  world.judge({{alert("cluster_down", "x"), Level::kCritical}, {alert("disk", "a"), Level::kCritical}});
  world.pass(minutes(1));
  EXPECT_THAT(world.told(), ElementsAre("ops firing: cluster_down/x"));
  EXPECT_EQ(world.machine().mutes(default_tenant(), alert("disk", "a"), world.now()).inhibited_by.size(), 1U);
  world.judge({{alert("cluster_down", "x"), Level::kOk}});
  world.pass(minutes(3));
  EXPECT_THAT(world.told(), ElementsAre("ops firing: disk/a -cluster_down/x"));
}

TEST(Dispatch, AnotherConfigurationTellsNothingTwice) {
  World world;
  ASSERT_TRUE(world.configure(kRoutes));
  world.judge({{alert("disk", "a"), Level::kCritical}});
  world.pass(minutes(1));
  EXPECT_EQ(world.told().size(), 1U);
  auto other = std::string(kRoutes);
  other.replace(other.find("repeat_interval: 4h"), 19, "repeat_interval: 5h");
  ASSERT_TRUE(world.configure(other));
  world.pass(minutes(10));
  EXPECT_THAT(world.told(), IsEmpty());
  EXPECT_FALSE(world.configure("route: {receiver: nobody}\nreceivers: []\n"));
  EXPECT_EQ(world.machine().configuration(default_tenant()).text, other);
}

TEST(Dispatch, WithoutAConfigurationEveryChannelHearsAtOnceAndGoesOnWhenOneGoes) {
  World world;
  world.judge({{alert("disk", "a"), Level::kCritical}});
  EXPECT_THAT(world.told(), ElementsAre("own firing: disk/a"));
  ASSERT_TRUE(world.configure(kRoutes));
  world.pass(minutes(1));
  EXPECT_THAT(world.told(), ElementsAre("ops firing: disk/a"));
  ASSERT_TRUE(world.configure(""));
  world.judge({{alert("disk", "a"), Level::kOk}});
  world.pass(minutes(10));
  EXPECT_THAT(world.told(), ElementsAre("own resolved: -disk/a"));
}

TEST(Dispatch, WhatIsNotDeliveredIsToldAtTheNextFlushUnderAnotherKey) {
  World world;
  ASSERT_TRUE(world.configure(kRoutes));
  world.down.insert(channel_of({"ops", "webhook", 0}));
  world.judge({{alert("disk", "a"), Level::kCritical}});
  world.pass(minutes(5));
  EXPECT_THAT(world.told(), IsEmpty());
  world.down.clear();
  world.pass(minutes(2));
  EXPECT_THAT(world.told(), ElementsAre("ops firing: disk/a"));
  EXPECT_THAT(world.repeated, IsEmpty());
}

TEST(Dispatch, ARefusedEventLeavesTheMachineAsItsRowsAre) {
  World world;
  ASSERT_TRUE(world.configure(kRoutes));
  world.judge({{alert("disk", "a"), Level::kCritical}});
  EXPECT_FALSE(world.command(alerts::Acknowledge{AlertId{"nobody"}, "ana", "", {}}));
  EXPECT_FALSE(world.configure("route: ["));
  world.pass(minutes(1));
  EXPECT_THAT(world.told(), ElementsAre("ops firing: disk/a"));
}

/// A little of everything.
void story(World& world) {
  EXPECT_TRUE(world.configure(kRoutes));
  world.judge({{alert("disk", "a"), Level::kCritical}, {alert("slow", "q", "dba"), Level::kCritical}});
  world.pass(seconds(3));
  world.judge({{alert("disk", "b"), Level::kCritical}});
  world.pass(seconds(20));
  world.silence("s1", "a", minutes(2));
  world.judge({{alert("disk", "c"), Level::kWarning}});
  world.pass(minutes(1));
  world.judge({{alert("disk", "b"), Level::kOk}, {alert("cluster_down", "x"), Level::kCritical}});
  world.pass(minutes(4));
  world.judge({{alert("cluster_down", "x"), Level::kOk}, {alert("disk", "c"), Level::kCritical}});
  auto other = std::string(kRoutes);
  other.replace(other.find("group_interval: 1m"), 18, "group_interval: 2m");
  EXPECT_TRUE(world.configure(other));
  world.pass(minutes(5));
  world.judge(
      {{alert("disk", "a"), Level::kOk}, {alert("disk", "c"), Level::kOk}, {alert("slow", "q", "dba"), Level::kOk}});
  world.pass(hours(1));
}

/// Incidents with all that becomes of them: joined, gone over, acknowledged, closed, opened again.
void story_of_incidents(World& world) {
  incidents::Settings settings;
  settings.depends["p/g/disk"] = {"p/g/cluster_down"};
  settings.rules["p/g/slow"].alerts = {"disk"};
  EXPECT_TRUE(world.configure(kRoutes));
  EXPECT_TRUE(world.command(incidents::ConfigureIncidents{incidents::write_settings(settings)}));
  world.judge({{alert("disk", "a"), Level::kCritical}, {alert("disk", "b"), Level::kWarning}});
  world.pass(seconds(20));
  EXPECT_TRUE(world.command(incidents::AcknowledgeIncident{incidents::IncidentId{1}, "ana", "", {}, "ana"}));
  world.judge({{alert("slow", "a", "dba"), Level::kWarning}});
  world.judge({{alert("cluster_down", "x"), Level::kCritical}, {alert("disk", "c"), Level::kCritical}});
  world.pass(minutes(1));
  world.judge({{alert("disk", "b"), Level::kOk}});
  world.pass(minutes(2));
  world.judge({{alert("cluster_down", "x"), Level::kOk}});
  world.pass(minutes(1));
  EXPECT_TRUE(world.command(
      incidents::AcknowledgeIncident{incidents::IncidentId{1}, "bob", "", world.now() + minutes(3), "bob"}));
  world.judge({{alert("disk", "a"), Level::kOk}, {alert("disk", "c"), Level::kOk}});
  world.pass(minutes(5));
  world.judge({{alert("slow", "a", "dba"), Level::kOk}});
  world.judge({{alert("disk", "c"), Level::kCritical}});
  world.pass(minutes(1));
  world.judge({{alert("disk", "c"), Level::kOk}});
  world.pass(hours(1));
}

std::vector<std::string> incident_lines(World& world) {
  std::vector<std::string> out;
  const incidents::Queries queries(world.database());
  const auto page = queries.list(default_tenant(), {.state = incidents::StateFilter::kAll, .limit = 1000});
  for (const auto& incident : page->incidents) {
    out.push_back(boost::json::serialize(incidents::to_json(incident)));
    const auto details = queries.get(default_tenant(), incident.id);
    for (const auto& line : details->lines) {
      out.push_back(fmt::format("{} {} {} {} {}", line.number, to_ms(line.at), line.kind, line.text, line.by));
    }
    for (const auto& [one, member] : details->alerts) {
      out.push_back(fmt::format("{} {} {} {} {}", one.id.value(), one.incident, name(member.by), to_ms(member.joined),
                                member.left ? to_ms(*member.left) : 0));
    }
  }
  return out;
}

TEST(Dispatch, WhereverTheProcessDiesIncidentsAreTheSame) {
  World whole;
  int points = 0;
  whole.crash = [&] { ++points; };
  story_of_incidents(whole);
  const auto expected = incident_lines(whole);
  ASSERT_GT(expected.size(), 10U);
  EXPECT_THAT(expected, testing::Contains(testing::HasSubstr("\"merged_into\"")));
  EXPECT_THAT(expected, testing::Contains(testing::HasSubstr("reopened")));
  for (int die_at = 1; die_at <= points; ++die_at) {
    World world;
    int seen = 0;
    world.crash = [&] {
      if (++seen == die_at) throw Dies{};
    };
    story_of_incidents(world);
    ASSERT_EQ(world.crashes, 1) << die_at;
    ASSERT_EQ(incident_lines(world), expected) << "dies at point " << die_at << " of " << points;
    ASSERT_EQ(world.all_told(), whole.all_told()) << "dies at point " << die_at << " of " << points;
  }
}

TEST(Dispatch, WhereverTheProcessDiesTheSameIsToldOnce) {
  World whole;
  int points = 0;
  whole.crash = [&] { ++points; };
  story(whole);
  ASSERT_GT(whole.all_told().size(), 5U);
  ASSERT_GT(points, 100);
  for (int die_at = 1; die_at <= points; ++die_at) {
    World world;
    int seen = 0;
    world.crash = [&] {
      if (++seen == die_at) throw Dies{};
    };
    story(world);
    ASSERT_EQ(world.crashes, 1) << die_at;
    ASSERT_EQ(world.all_told(), whole.all_told()) << "dies at point " << die_at << " of " << points;
  }
}

}  // namespace
}  // namespace atalaya::dispatch
