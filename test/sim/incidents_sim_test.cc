// Alerts, flaps, people, silences, inhibitions, reloads, broken channels and a clock that jumps, all chosen by a seed:
// wherever the process dies, people hear the same, once, and alerts and incidents stand as if it had not.
// ATALAYA_TEST_SEED replays one seed.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "alerts/queries.h"
#include "alerts/report.h"
#include "dispatch/scenario_world.h"
#include "incidents/queries.h"
#include "telemetry/log.h"

namespace atalaya::sim {
namespace {

using alerts::Level;
using dispatch::World;
using incidents::IncidentId;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr int kSteps = 150;

std::string routes(std::string_view interval, std::string_view wait) {
  return fmt::format(R"(
route:
  receiver: ops
  group_by: [alertname]
  group_wait: {1}
  group_interval: {0}
  repeat_interval: 1h
  routes:
  - matchers: [team="dba"]
    receiver: dba
    group_wait: 0s
receivers:
- name: ops
  webhook_configs: [{{url: 'http://ops'}}]
- name: dba
  webhook_configs: [{{url: 'http://dba', send_resolved: false}}]
inhibit_rules:
- source_matchers: [alertname="link"]
  target_matchers: [alertname="cpu"]
  equal: [team]
)",
                     interval, wait);
}

incidents::Settings settings(bool more) {
  incidents::Settings out;
  out.depends["p/g/disk"] = {"p/g/link"};
  if (more) out.rules["p/g/slow"].alerts = {"disk"};
  return out;
}

Labels labels_of(std::string_view name, std::string_view instance) {
  return Labels{{"alertname", name}, {"instance", instance}, {"team", instance == "c" ? "dba" : "web"}};
}

/// Tells one seed's story. What happens follows from the seed and the clock alone.
class Story {
 public:
  Story(World& world, std::uint64_t seed, bool clock_jumps) : world_(world), random_(seed), clock_jumps_(clock_jumps) {}

  void tell() {
    EXPECT_TRUE(world_.configure(routes("1m", "10s")));
    say(incidents::ConfigureIncidents{incidents::write_settings(settings(false))});
    for (int i = 0; i < kSteps; ++i) {
      act();
      world_.pass(below(4) == 0 ? Duration{0} : below(8) == 0 ? Duration{minutes{below(90)}} : seconds{below(200)});
      if (clock_jumps_ && below(70) == 0) world_.clock_jumps_back(seconds{below(300)});
    }
    settle();
  }
  /// Instances that were hidden at some time: their ends may have stayed unsaid.
  const std::set<std::string>& hidden() const { return hidden_; }

 private:
  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(bound));
  }
  template <typename T, std::size_t N>
  const T& one_of(const T (&all)[N]) {
    return all[static_cast<std::size_t>(below(N))];
  }
  std::string instance() {
    static const std::string all[] = {"a", "b", "c"};
    return one_of(all);
  }
  Labels labels() {
    static const std::string all[] = {"disk", "cpu", "slow", "link"};
    const auto name = one_of(all);
    return labels_of(name, instance());
  }
  AlertId judged_alert() {
    const auto of = labels();
    return alerts::identity(default_tenant(), "p/g/" + std::string(of.get("alertname")), of);
  }
  IncidentId incident() { return IncidentId{static_cast<std::uint64_t>(1 + below(12))}; }
  /// What is refused changes nothing, which is as good.
  void say(const std::any& body) { (void)world_.command(body); }

  void judge() {
    static constexpr Level kLevels[] = {Level::kOk, Level::kOk, Level::kWarning, Level::kCritical, Level::kNoData};
    std::map<Labels, Level> verdicts;
    for (auto left = 1 + below(4); left > 0; --left) verdicts[labels()] = one_of(kLevels);
    world_.judge(std::vector<std::pair<Labels, Level>>(verdicts.begin(), verdicts.end()));
  }
  void post() {
    alerts::PostedAlert alert;
    alert.labels = labels_of("backup", instance());
    alert.starts = world_.now();
    alert.received = world_.now();
    alert.ends = below(3) == 0 ? world_.now() : world_.now() + minutes{1 + below(60)};
    say(alerts::Posted{"alertmanager", {alert}});
  }
  void report() {
    static const std::string kSeverities[] = {"critical", "major", "warning", "normal"};
    alerts::Reported reported;
    auto& r = reported.report;
    r.id = AlertId{fmt::format("{:08x}-0000-4000-8000-{:012x}", below(1 << 30), below(1 << 30))};
    r.environment = alerts::kDefaultEnvironment;
    r.resource = instance();
    r.event = "job";
    r.severity = one_of(kSeverities);
    r.timeout = below(2) * 1800;
    r.created = world_.now();
    say(std::move(reported));
  }
  void flap() {
    const auto of = labels();
    for (auto left = 2 + below(4); left > 0; --left) {
      world_.judge({{of, Level::kCritical}});
      world_.pass(seconds{below(40)});
      world_.judge({{of, Level::kOk}});
      world_.pass(seconds{below(40)});
    }
  }
  std::optional<Time> some_end() {
    return below(2) == 0 ? std::nullopt : std::optional(world_.now() + minutes{1 + below(100)});
  }
  void care_for_an_alert() {
    const auto id = judged_alert();
    switch (below(5)) {
      case 0: return say(alerts::Unacknowledge{id, "ana"});
      case 1: return say(alerts::Close{id, "ana", "done"});
      case 2: return say(alerts::Unshelve{id, "ana"});
      case 3: hide_all(); return say(alerts::Shelve{id, "ana", "works", world_.now() + minutes{1 + below(100)}});
      default: return say(alerts::Acknowledge{id, "ana", "", some_end()});
    }
  }
  void care_for_an_incident() {
    const auto id = incident();
    switch (below(4)) {
      case 0: return say(incidents::UnacknowledgeIncident{id, "bob"});
      case 1: return say(incidents::AssignIncident{id, "bob", "cleo", ""});
      case 2: return say(incidents::CloseIncident{id, "bob", "done"});
      default: return say(incidents::AcknowledgeIncident{id, "bob", "", some_end(), "bob"});
    }
  }
  void silence() {
    std::vector<alerts::Silence> all;
    for (auto left = below(3); left > 0; --left) {
      alerts::Silence one;
      const auto whom = instance();
      hidden_.insert(whom);
      one.id = fmt::format("s{}", below(4));
      one.matchers = {Matcher::equal("instance", whom)};
      one.starts = world_.now() + minutes{below(10)};
      one.ends = one.starts + minutes{1 + below(60)};
      one.origin = "p/" + one.id;
      if (std::ranges::count(all, one.id, &alerts::Silence::id) == 0) all.push_back(std::move(one));
    }
    say(alerts::DeclareSilences{all});
  }
  void break_or_mend_a_channel() {
    const auto channel = dispatch::channel_of({below(2) == 0 ? "ops" : "dba", "webhook", 0});
    if (!world_.down.erase(channel)) world_.down.insert(channel);
  }
  void reconfigure() {
    static const std::string kIntervals[] = {"1m", "2m", "5m"};
    static const std::string kWaits[] = {"0s", "10s", "30s"};
    if (below(2) == 0) return say(incidents::ConfigureIncidents{incidents::write_settings(settings(below(2) == 0))});
    const auto interval = one_of(kIntervals);
    EXPECT_TRUE(world_.configure(routes(interval, one_of(kWaits))));
  }
  void hide_all() { hidden_.insert({"a", "b", "c"}); }

  void act() {
    switch (below(14)) {
      case 0: return post();
      case 1: return report();
      case 2: return flap();
      case 3:
      case 4: return care_for_an_alert();
      case 5:
      case 6: return care_for_an_incident();
      case 7: return silence();
      case 8: return break_or_mend_a_channel();
      case 9: return reconfigure();
      default: return judge();
    }
  }

  /// Nothing hides anything any more, everybody can be reached, and time enough passes.
  void settle() {
    world_.down.clear();
    say(alerts::DeclareSilences{{}});
    for (const auto* name : {"disk", "cpu", "slow", "link"}) {
      for (const auto* instance : {"a", "b", "c"}) {
        const auto of = labels_of(name, instance);
        say(alerts::Unshelve{alerts::identity(default_tenant(), "p/g/" + std::string(name), of), "ana"});
        if (std::string_view(name) == "link") world_.judge({{of, Level::kOk}});
      }
    }
    world_.pass(hours{3});
  }

  World& world_;
  std::mt19937_64 random_;
  const bool clock_jumps_;
  std::set<std::string> hidden_;
};

std::vector<alerts::Alert> all_alerts(World& world) {
  const auto page =
      alerts::Queries(world.database()).list(default_tenant(), {.state = alerts::StateFilter::kAll, .limit = 1000});
  return page ? page->alerts : std::vector<alerts::Alert>{};
}

/// All that must be the same, whatever died meanwhile.
std::vector<std::string> outcome(World& world) {
  std::vector<std::string> out;
  for (const auto& a : all_alerts(world)) {
    out.push_back(
        fmt::format("{} {} {} episode {} line {} incident {}{} told {} ack {} shelf {} because {} flapping {}",
                    to_string(a.labels), name(a.state), name(a.severity), a.episode, a.transitions, a.incident,
                    a.incident_acknowledged ? " acknowledged" : "", a.told ? name(a.told->state) : "nothing",
                    a.ack ? a.ack->by : "", a.shelf.has_value(), a.because ? a.because->name : "", a.flapping));
  }
  std::ranges::sort(out);
  const incidents::Queries queries(world.database());
  const auto page = queries.list(default_tenant(), {.state = incidents::StateFilter::kAll, .limit = 1000});
  for (const auto& incident : page->incidents) {
    out.push_back(boost::json::serialize(incidents::to_json(incident)));
    const auto details = queries.get(default_tenant(), incident.id);
    for (const auto& line : details->lines) {
      out.push_back(fmt::format("{} {} {} {} {}", line.number, to_ms(line.at), line.kind, line.text, line.by));
    }
  }
  return out;
}

bool is_open(const alerts::Alert& alert) {
  return alert.state == alerts::State::kFiring || alert.state == alerts::State::kNoData;
}

/// An alert that fires is in one open incident; an incident is open while one of its alerts is.
void check_incidents(World& world) {
  std::map<std::uint64_t, int> open;
  for (const auto& alert : all_alerts(world)) {
    if (is_open(alert)) ++open[alert.incident];
  }
  const auto page = incidents::Queries(world.database())
                        .list(default_tenant(), {.state = incidents::StateFilter::kAll, .limit = 1000});
  for (const auto& incident : page->incidents) {
    const auto members = open.find(incident.id.value());
    const int count = members == open.end() ? 0 : members->second;
    EXPECT_EQ(!incident.closed.has_value(), count > 0) << "incident " << to_string(incident.id);
    EXPECT_EQ(static_cast<int>(incident.counts.open()), count) << "incident " << to_string(incident.id);
    open.erase(incident.id.value());
  }
  EXPECT_TRUE(open.empty()) << "alerts fire that are in no incident";
}

/// Suppression hides notifications, never state: what people heard last of an alert is how it stands.
void check_told(World& world, const std::set<std::string>& hidden) {
  std::map<std::pair<std::string, std::string>, std::string> last;  // by receiver and alert
  for (const auto& message : world.messages) {
    const std::string receiver(message.data.at("receiver").as_string());
    for (const auto& one : message.data.at("alerts").as_array()) {
      const auto& labels = one.at("labels").as_object();
      const auto text = [&](std::string_view name) { return std::string(labels.at(name).as_string()); };
      last[{receiver, text("alertname") + "/" + text("instance")}] = std::string(one.at("status").as_string());
    }
  }
  for (const auto& alert : all_alerts(world)) {
    const auto instance = std::string(alert.labels.get("instance"));
    const std::string receiver = alert.labels.get("team") == "dba" ? "dba" : "ops";
    const auto heard = last.find({receiver, alert.name + "/" + instance});
    if (is_open(alert)) {
      EXPECT_TRUE(heard != last.end() && heard->second == "firing")
          << to_string(alert.labels) << " is " << name(alert.state) << ", " << receiver << " heard "
          << (heard == last.end() ? "nothing" : heard->second);
    } else if (alert.state == alerts::State::kResolved && heard != last.end() && receiver == "ops" &&
               alert.name != "cpu" && alert.name != "disk" && !hidden.contains(instance)) {
      EXPECT_EQ(heard->second, "resolved") << to_string(alert.labels);
    }
  }
}

std::vector<std::uint64_t> seeds(std::uint64_t count) {
  if (const char* wanted = std::getenv("ATALAYA_TEST_SEED")) return {std::strtoull(wanted, nullptr, 10)};
  std::vector<std::uint64_t> out;
  for (std::uint64_t seed = 1; seed <= count; ++seed) out.push_back(seed);
  return out;
}

/// Lines begin with their time: those of one instant may come in any order.
std::vector<std::string> sorted(std::vector<std::string> lines) {
  std::ranges::sort(lines);
  return lines;
}

void expect_same(std::string_view what, const std::vector<std::string>& found, const std::vector<std::string>& wanted) {
  const auto [a, b] = std::ranges::mismatch(found, wanted);
  if (a == found.end() && b == wanted.end()) return;
  ADD_FAILURE() << what << " differs after " << a - found.begin() << " of " << wanted.size() << ":\n  with deaths    "
                << (a == found.end() ? "nothing" : *a) << "\n  without deaths " << (b == wanted.end() ? "nothing" : *b);
}

void check(World& world, const std::set<std::string>& hidden) {
  EXPECT_TRUE(world.repeated.empty()) << "a notification came twice";
  check_incidents(world);
  check_told(world, hidden);
}

void tell(std::uint64_t seed) {
  World calm;
  Story story(calm, seed, false);
  story.tell();
  check(calm, story.hidden());
  World world;
  std::mt19937_64 fate(seed * 7919 + 1);
  world.crash = [&] {
    if (fate() % 300 == 0) throw dispatch::Dies{};
  };
  Story(world, seed, false).tell();
  EXPECT_GT(world.crashes, 0);
  expect_same("what was told", sorted(world.all_told()), sorted(calm.all_told()));
  expect_same("what is stored", outcome(world), outcome(calm));
  std::printf("seed %llu: %zu notifications, %d ends of the process\n", static_cast<unsigned long long>(seed),
              calm.all_told().size(), world.crashes);
}

class IncidentSimulation : public testing::Test {
 protected:
  // What goes wrong is chosen by the seed; the program's own words about it are of no interest here.
  void SetUp() override {
    telemetry::configure_log(telemetry::Level::kError, telemetry::LogFormat::kLogfmt, [](std::string_view) {});
  }
};

TEST_F(IncidentSimulation, WhateverHappensIsToldOnceAndSurvivesEveryDeath) {
  for (const auto seed : seeds(16)) {
    SCOPED_TRACE("ATALAYA_TEST_SEED=" + std::to_string(seed));
    tell(seed);
    if (HasFailure()) return;
  }
}

TEST_F(IncidentSimulation, AClockThatJumpsBackLosesNoState) {
  for (const auto seed : seeds(8)) {
    SCOPED_TRACE("ATALAYA_TEST_SEED=" + std::to_string(seed));
    World world;
    Story story(world, seed, true);
    story.tell();
    check(world, story.hidden());
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace atalaya::sim
