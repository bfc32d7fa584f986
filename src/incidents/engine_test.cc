#include "incidents/engine.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atalaya::incidents {
namespace {

using alerts::Severity;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Duration kMinute{60'000};
constexpr Time kBegin = from_ms(1'700'000'000'000);

alerts::Alert alert(const std::string& name, const Labels& labels = Labels{{"instance", "web1"}},
                    Severity severity = Severity::kCritical) {
  alerts::Alert out;
  out.name = name;
  out.rule = "p/g/" + name;
  out.labels = labels.with("alertname", name);
  out.id = alerts::identity(TenantId{"default"}, out.rule, out.labels);
  out.kind = alerts::Kind::kBinary;
  out.state = alerts::State::kFiring;
  out.severity = severity;
  out.started = kBegin;
  return out;
}

alerts::Alert over(alerts::Alert one) {
  one.state = alerts::State::kResolved;
  return one;
}

/// What the engine made of an alert.
alerts::Alert placed(Engine& engine, alerts::Alert one, Time now) {
  engine.place(one, now);
  return one;
}

Engine engine_with(Settings settings) { return Engine(std::make_shared<const Settings>(std::move(settings)), {}, 0); }

TEST(Incidents, AlertsOfOneHostAreOneIncidentAndEndIt) {
  Engine engine(built_in_settings(), {}, 0);
  const auto disk = placed(engine, alert("disk", Labels{{"instance", "web1"}}, Severity::kWarning), kBegin);
  const auto cpu = placed(engine, alert("cpu"), kBegin + kMinute);
  EXPECT_EQ(disk.incident, 1U);
  EXPECT_EQ(cpu.incident, 1U);
  const auto* incident = engine.find(IncidentId{1});
  EXPECT_EQ(incident->severity, Severity::kCritical);
  EXPECT_EQ(incident->counts, (Counts{.critical = 1, .warning = 1, .total = 2}));
  placed(engine, over(cpu), kBegin + 2 * kMinute);
  EXPECT_EQ(trend(*incident), "less_severe");
  EXPECT_EQ(incident->worst, Severity::kCritical);
  placed(engine, over(disk), kBegin + 3 * kMinute);
  EXPECT_EQ(incident->state(), State::kClosed);
  const auto changes = engine.take_changes();
  std::vector<std::string> lines;
  for (const auto& line : changes.lines) lines.push_back(line.kind + " " + line.text);
  EXPECT_THAT(
      lines, ElementsAre("opened disk: web1", "severity warning → critical", "severity critical → warning", "closed "));
  EXPECT_TRUE(engine.take_changes().empty());
}

TEST(Incidents, ANumberIsNeverGivenTwice) {
  Engine engine(built_in_settings(), {}, 7);
  EXPECT_EQ(placed(engine, alert("disk"), kBegin).incident, 8U);
  EXPECT_EQ(engine.take_changes().last, 8U);
  // Told again: nothing is different.
  EXPECT_EQ(placed(engine, alert("disk"), kBegin).incident, 8U);
  EXPECT_TRUE(engine.take_changes().empty());
}

TEST(Incidents, PoliciesOfPackagesComeBeforeTheBuiltInOnes) {
  Settings settings;
  Policy policy;
  policy.name = "p/databases";
  policy.matchers = {*Matcher::make("team", Matcher::Op::kEqual, "dba")};
  policy.labels = {"cluster"};
  settings.policies.push_back(policy);
  auto engine = engine_with(settings);
  const Labels first{{"instance", "db1"}, {"cluster", "c1"}, {"team", "dba"}};
  const Labels second{{"instance", "db2"}, {"cluster", "c1"}, {"team", "dba"}};
  EXPECT_EQ(placed(engine, alert("slow", first), kBegin).incident, 1U);
  EXPECT_EQ(placed(engine, alert("slow", second), kBegin).incident, 1U);
  EXPECT_EQ(placed(engine, alert("slow", second.with("team", "web")), kBegin).incident, 2U);
}

TEST(Incidents, SettingsAreReadAsTheyAreWritten) {
  Settings settings;
  Policy policy;
  policy.name = "p/x";
  policy.matchers = {*Matcher::make("team", Matcher::Op::kRegex, "a|b")};
  policy.labels = {"cluster", "service"};
  settings.policies.push_back(policy);
  settings.rules["p/g/r"] = {{"switch"}, {"raid", "disk"}};
  settings.depends["p/g/web"] = {"p/g/switch"};
  settings.placed["web1"] = {"p/g/check"};
  const auto text = write_settings(settings);
  const auto read = read_settings(text);
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(write_settings(**read), text);
  EXPECT_EQ((*read)->rules.at("p/g/r"), settings.rules["p/g/r"]);
  EXPECT_EQ(read_settings("{}").error().code, ErrorCode::kCorruption);
}

TEST(Incidents, WhoIsLoadedAgainGoesOnTheSame) {
  Engine engine(built_in_settings(), {}, 0);
  auto disk = placed(engine, alert("disk"), kBegin);
  const auto changes = engine.take_changes();
  Engine again(built_in_settings(), changes.incidents, *changes.last);
  again.restore(disk, changes.members.front());
  EXPECT_EQ(placed(again, disk, kBegin).incident, 1U);
  EXPECT_TRUE(again.take_changes().empty());
  placed(again, over(disk), kBegin + kMinute);
  EXPECT_EQ(again.find(IncidentId{1})->state(), State::kClosed);
}

TEST(Incidents, CommandsAreRefusedWithTheirReason) {
  Engine engine(built_in_settings(), {}, 0);
  const auto disk = placed(engine, alert("disk"), kBegin);
  const IncidentId id{1};
  EXPECT_EQ(engine.acknowledge({IncidentId{2}, "ana", "", {}, "ana"}, kBegin).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(engine.acknowledge({id, "ana", "", kBegin, "ana"}, kBegin).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(engine.note({id, "ana", ""}, kBegin).error().code, ErrorCode::kInvalidArgument);
  placed(engine, over(disk), kBegin);
  EXPECT_EQ(engine.acknowledge({id, "ana", "", {}, "ana"}, kBegin).error().code, ErrorCode::kConflict);
  EXPECT_EQ(engine.assign({id, "ana", "bob", ""}, kBegin).error().code, ErrorCode::kConflict);
  EXPECT_TRUE(engine.note({id, "ana", "it was the cable"}, kBegin));
}

TEST(Incidents, RepeatingACommandChangesNothing) {
  Engine engine(built_in_settings(), {}, 0);
  placed(engine, alert("disk"), kBegin);
  ASSERT_TRUE(engine.acknowledge({IncidentId{1}, "ana", "x", {}, "ana"}, kBegin));
  engine.take_changes();
  ASSERT_TRUE(engine.acknowledge({IncidentId{1}, "ana", "x", {}, "ana"}, kBegin + kMinute));
  ASSERT_TRUE(engine.assign({IncidentId{1}, "ana", "ana", ""}, kBegin + kMinute));
  EXPECT_TRUE(engine.take_changes().empty());
}

std::string kind_of(const Line& line) { return fmt::format("{} {} {}", line.incident.value(), line.kind, line.by); }

TEST(Incidents, WhatIsMergedGoesOnInTheOtherOne) {
  Engine engine(built_in_settings(), {}, 0);
  const auto disk = placed(engine, alert("disk", Labels{{"instance", "web1"}}, Severity::kWarning), kBegin);
  const auto cpu = placed(engine, alert("cpu", Labels{{"instance", "web2"}}), kBegin);
  ASSERT_TRUE(engine.acknowledge({IncidentId{1}, "bob", "", {}, "bob"}, kBegin));
  engine.take_again();
  engine.take_changes();
  ASSERT_TRUE(engine.merge({IncidentId{2}, IncidentId{1}, "ana", "one cable"}, kBegin + kMinute));
  const auto* first = engine.find(IncidentId{1});
  const auto* second = engine.find(IncidentId{2});
  EXPECT_EQ(second->state(), State::kClosed);
  EXPECT_EQ(second->merged_into, IncidentId{1});
  EXPECT_EQ(second->counts, (Counts{.total = 1}));
  EXPECT_EQ(first->counts, (Counts{.critical = 1, .warning = 1, .total = 2}));
  EXPECT_EQ(first->severity, Severity::kCritical);
  EXPECT_FALSE(first->ack) << "who takes care of a warning has not seen what is critical";
  EXPECT_THAT(engine.take_again().alerts, testing::UnorderedElementsAre(cpu.id, disk.id));
  EXPECT_EQ(placed(engine, cpu, kBegin + kMinute).incident, 1U);
  const auto changes = engine.take_changes();
  std::vector<std::string> kinds;
  for (const auto& line : changes.lines) kinds.push_back(kind_of(line));
  EXPECT_THAT(kinds, ElementsAre("1 severity ", "1 unacknowledged ", "2 closed ana", "1 merged ana"));
  ASSERT_THAT(changes.members, SizeIs(2));
  EXPECT_EQ(changes.members[0].left, kBegin + kMinute);
  EXPECT_EQ(changes.members[1].incident, IncidentId{1});
  EXPECT_EQ(changes.members[1].by, JoinedBy::kPerson);
  // The like of it joins the one that goes on, also after its own alerts are over.
  EXPECT_EQ(placed(engine, alert("fan", Labels{{"instance", "web2"}}), kBegin + 2 * kMinute).incident, 1U);
  placed(engine, over(cpu), kBegin + 3 * kMinute);
  EXPECT_EQ(placed(engine, cpu, kBegin + 4 * kMinute).incident, 1U);
}

TEST(Incidents, WhatCannotBeMergedIsRefusedAndWhatIsMergedStays) {
  Engine engine(built_in_settings(), {}, 0);
  placed(engine, alert("disk", Labels{{"instance", "web1"}}), kBegin);
  const auto cpu = placed(engine, alert("cpu", Labels{{"instance", "web2"}}), kBegin);
  placed(engine, alert("fan", Labels{{"instance", "web3"}}), kBegin);
  const IncidentId first{1}, second{2}, third{3};
  EXPECT_EQ(engine.merge({first, first, "ana", ""}, kBegin).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(engine.merge({first, IncidentId{9}, "ana", ""}, kBegin).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(engine.merge({IncidentId{9}, first, "ana", ""}, kBegin).error().code, ErrorCode::kNotFound);
  placed(engine, over(cpu), kBegin);
  EXPECT_EQ(engine.merge({second, first, "ana", ""}, kBegin).error().code, ErrorCode::kConflict);
  EXPECT_EQ(engine.merge({first, second, "ana", ""}, kBegin).error().code, ErrorCode::kConflict);
  EXPECT_EQ(engine.find(first)->counts, (Counts{.critical = 1, .total = 1}));
  ASSERT_TRUE(engine.merge({first, third, "ana", ""}, kBegin));
  engine.take_changes();
  ASSERT_TRUE(engine.merge({first, third, "ana", ""}, kBegin));
  EXPECT_TRUE(engine.take_changes().empty());
  EXPECT_EQ(engine.merge({third, first, "ana", ""}, kBegin).error().code, ErrorCode::kConflict);
}

Settings depending() {
  Settings settings;
  settings.depends["p/g/web"] = {"p/g/host"};
  settings.depends["p/g/host"] = {"p/g/switch"};
  return settings;
}

TEST(Topology, AParentCountsOnTheSameInstanceWhereItIsJudgedAndElseOnAny) {
  auto engine = engine_with(depending());
  const auto down = placed(engine, alert("host", Labels{{"instance", "web1"}}), kBegin);
  auto same = alert("web", Labels{{"instance", "web1"}});
  auto other = alert("web", Labels{{"instance", "web2"}});
  same.judged_with = other.judged_with = {"p/g/host"};
  EXPECT_EQ(placed(engine, same, kBegin).because->alert, down.id);
  EXPECT_FALSE(placed(engine, other, kBegin).because);
  const auto router = placed(engine, alert("switch", Labels{{"instance", "s1"}}), kBegin);
  EXPECT_EQ(placed(engine, other, kBegin).because->alert, router.id);
}

TEST(Topology, ACheckIsTheCollectorOnItsHost) {
  Settings settings;
  settings.depends["p/c/web"] = {"p/c/gate"};
  settings.placed["probe1"] = {"p/c/web", "p/c/gate"};
  settings.placed["probe2"] = {"p/c/web", "p/c/gate"};
  settings.placed["elsewhere"] = {};
  auto engine = engine_with(settings);
  const auto check = [](const std::string& name, const std::string& host) {
    return alert("check_down", Labels{{"instance", host}, {"check", name}});
  };
  placed(engine, check("gate", "probe1"), kBegin);
  EXPECT_TRUE(placed(engine, check("web", "probe1"), kBegin).because);
  EXPECT_FALSE(placed(engine, check("web", "probe2"), kBegin).because);
  EXPECT_FALSE(placed(engine, check("web", "elsewhere"), kBegin).because);
  EXPECT_TRUE(placed(engine, check("web", "new"), kBegin).because) << "what runs there is not known yet";
}

TEST(Topology, WhoMayDependWaitsForItsParentAndAgainWhenThatIsBack) {
  auto engine = engine_with(depending());
  auto web = placed(engine, alert("web"), kBegin);
  EXPECT_EQ(web.held, kBegin + Duration{5000});
  auto host = placed(engine, alert("host"), kBegin + Duration{1000});
  EXPECT_THAT(engine.take_again().alerts, ElementsAre(web.id));
  web = placed(engine, web, kBegin + Duration{1000});
  EXPECT_FALSE(web.held);
  EXPECT_EQ(web.because->alert, host.id);
  placed(engine, over(host), kBegin + kMinute);
  const auto again = engine.take_again();
  EXPECT_THAT(again.alerts, ElementsAre(web.id));
  EXPECT_THAT(again.recovered, ElementsAre(host.id));
  web = placed(engine, web, kBegin + kMinute);
  EXPECT_FALSE(web.because);
  EXPECT_EQ(web.held, kBegin + kMinute + Duration{5000});
  EXPECT_FALSE(placed(engine, web, kBegin + 2 * kMinute).held);
  EXPECT_TRUE(engine.take_again().empty());
}

TEST(Topology, WhatGoesOverToTheParentTakesItsOwnerAlong) {
  auto engine = engine_with(depending());
  auto web = placed(engine, alert("web", Labels{{"instance", "web1"}}), kBegin);
  ASSERT_TRUE(engine.assign({IncidentId{1}, "ana", "ana", ""}, kBegin));
  placed(engine, alert("switch", Labels{{"instance", "s1"}}), kBegin + kMinute);
  web = placed(engine, web, kBegin + kMinute);
  EXPECT_EQ(web.incident, 2U);
  EXPECT_EQ(engine.find(IncidentId{1})->merged_into, IncidentId{2});
  EXPECT_EQ(engine.find(IncidentId{2})->owner, "ana");
  EXPECT_EQ(engine.find(IncidentId{2})->counts, (Counts{.critical = 1, .unknown = 1, .total = 2}));
}

}  // namespace
}  // namespace atalaya::incidents
