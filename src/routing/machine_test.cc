#include "routing/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "routing/alert_world.h"
#include "routing/machine_impl.h"
#include "routing/matchers.h"

namespace atalaya::routing {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;

const Time kBegin = *parse_time("2026-01-05T00:00:00Z");

Alert alert(std::string_view name, Time starts, Time ends = kMaxTime) {
  Alert out;
  out.labels = Labels{{"alertname", name}};
  out.starts_at = starts;
  out.ends_at = ends;
  out.updated_at = starts;
  return out;
}

ConfigPtr config(const std::string& text) {
  config::Errors errors;
  config::Errors warnings;
  auto read = read_config_text(text, "am.yml", errors, warnings);
  for (const auto& error : errors) ADD_FAILURE() << to_string(error);
  return read;
}

std::vector<std::string> words(const std::vector<Notification>& told) {
  std::vector<std::string> out;
  for (const auto& one : told) {
    std::string line = fmt::format("{} {}", format_duration(one.at - kBegin), name(one.reason));
    for (const auto& item : one.alerts) {
      line += fmt::format(" {}{}", item.firing ? "" : "-", item.labels.get("alertname"));
    }
    out.push_back(std::move(line));
  }
  return out;
}

const char* const kPlain =
    "route: {receiver: a, group_wait: 1s, group_interval: 10s, repeat_interval: 1h}\n"
    "receivers: [{name: a, webhook_configs: [{url: 'http://x'}]}]\n";

Receiver everybody() { return {"everybody", {{"channel", 0}, {"channel", 1}}, {}}; }

TEST(RoutingMachine, BuiltInRouteTellsEveryChangeAtOnceAndNothingTwice) {
  AlertWorld world(built_in_config({"everybody", {{"channel", 0}}, {}}), kBegin);
  world.take({alert("disk", kBegin), alert("load", kBegin)});
  world.advance_to(kBegin + minutes{1});
  world.take({alert("disk", kBegin, kBegin + minutes{1})});
  world.advance_to(kBegin + hours{30});
  EXPECT_THAT(words(world.told()), ElementsAre("0s first disk", "0s first load", "1m resolved -disk"));
}

TEST(RoutingMachine, BuiltInRouteTriesAgainAfterAMinute) {
  AlertWorld world(built_in_config(everybody()), kBegin);
  world.conduct("everybody/channel/1", Conduct::kFails);
  world.take({alert("disk", kBegin)});
  world.advance_to(kBegin + seconds{90});
  world.conduct("everybody/channel/1", Conduct::kAnswers);
  world.advance_to(kBegin + hours{1});
  EXPECT_THAT(words(world.told()), ElementsAre("0s first disk", "0s first disk", "1m first disk", "2m first disk"));
}

TEST(RoutingMachine, BuiltInRouteSendsWhatASlowChannelMissed) {
  AlertWorld world(built_in_config({"everybody", {{"channel", 0}}, {}}), kBegin);
  world.conduct("everybody", Conduct::kHangs);
  world.take({alert("disk", kBegin)});
  world.advance_to(kBegin + minutes{10});
  world.take({alert("disk", kBegin, kBegin + minutes{10})});
  world.advance_to(kBegin + minutes{20});
  EXPECT_EQ(world.told().size(), 1u) << "a message is on its way";
  world.conduct("everybody", Conduct::kAnswers);
  EXPECT_THAT(words(world.told()), ElementsAre("0s first disk", "20m resolved -disk"));
  world.advance_to(kBegin + hours{5});
  EXPECT_TRUE(world.machine().state().groups.empty());
}

TEST(RoutingMachine, AnAnswerThatNeverComesUnderASilenceHoldsNothingUp) {
  AlertWorld world(built_in_config({"everybody", {{"channel", 0}}, {}}), kBegin);
  world.conduct("everybody", Conduct::kHangs);
  world.take({alert("disk", kBegin)});
  world.advance_to(kBegin + minutes{1});
  world.silence({"s", *parse_matchers("alertname=disk"), kBegin, kBegin + hours{3}, {}});
  world.advance_to(kBegin + hours{2});
  EXPECT_EQ(world.told().size(), 1u);
  world.advance_to(kBegin + hours{3});
  EXPECT_THAT(words(world.told()), ElementsAre("0s first disk", "3h first disk"));
}

TEST(RoutingMachine, ASilenceOverTheBuiltInRouteEndsInTime) {
  AlertWorld world(built_in_config({"everybody", {{"channel", 0}}, {}}), kBegin);
  world.silence({"s", *parse_matchers("alertname=disk"), kBegin, kBegin + minutes{7}, {}});
  world.take({alert("disk", kBegin)});
  world.advance_to(kBegin + hours{1});
  EXPECT_THAT(words(world.told()), ElementsAre("7m first disk"));
}

TEST(RoutingMachine, ASilenceWithWindowsHoldsWithinThemAlone) {
  AlertWorld world(config(kPlain), kBegin);
  calendar::TimeInterval window;
  window.times = {{60, 120}};
  world.silence({"s", *parse_matchers("alertname=disk"), kBegin, kMaxTime, {window}});
  world.advance_to(kBegin + minutes{90}, false);
  world.take({alert("disk", kBegin + minutes{90})});
  EXPECT_TRUE(world.machine().mutes(*world.machine().alerts().front(), world.now()).muted());
  world.advance_to(kBegin + hours{4});
  ASSERT_EQ(world.told().size(), 2u);
  EXPECT_EQ(world.told()[0].at, kBegin + hours{2} + seconds{1}) << "the first flush after the window";
  EXPECT_EQ(world.told()[1].reason, Reason::kRepeated);
}

TEST(RoutingMachine, AClockSetBackLetsNobodyWait) {
  AlertWorld world(config(kPlain), kBegin + hours{10});
  world.take({alert("disk", kBegin + hours{10})});
  auto& machine = world.machine();
  EXPECT_EQ(machine.next_due(), kBegin + hours{10} + seconds{1});
  EXPECT_TRUE(machine.advance(kBegin).empty());
  ASSERT_TRUE(machine.next_due());
  EXPECT_LE(*machine.next_due(), kBegin + seconds{10});
  const auto told = machine.advance(kBegin + seconds{10});
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(told.front().firing());
}

TEST(RoutingMachine, OnlyTheLastOfManyMissedFlushesIsMadeUpFor) {
  Machine machine(config(kPlain));
  ASSERT_TRUE(machine.take({alert("disk", kBegin)}, kBegin).empty());
  auto told = machine.advance(kBegin + seconds{1});
  ASSERT_EQ(told.size(), 1u);
  machine.delivered(told.front().key, kBegin + seconds{1});
  machine.take({alert("load", kBegin + seconds{5})}, kBegin + seconds{5});
  told = machine.advance(kBegin + seconds{57});
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told.front().at, kBegin + seconds{51});
  EXPECT_EQ(told.front().deadline, kBegin + seconds{67}) << "from the present on";
  EXPECT_EQ(told.front().key.flush, 2u);
  EXPECT_EQ(to_string(told.front().key), "a/webhook/0:2:{}:{}");
}

TEST(RoutingMachine, AnswersThatNobodyAwaitsChangeNothing) {
  Machine machine(config(kPlain));
  machine.take({alert("disk", kBegin)}, kBegin);
  const auto told = machine.advance(kBegin + seconds{1});
  ASSERT_EQ(told.size(), 1u);
  auto other = told.front().key;
  other.flush = 77;
  machine.take_changes();
  machine.delivered(other, kBegin + seconds{2});
  other = told.front().key;
  other.target.receiver = "nobody";
  machine.failed(other, kBegin + seconds{2});
  EXPECT_TRUE(machine.take_changes().empty());
  machine.delivered(told.front().key, kBegin + seconds{2});
  EXPECT_EQ(machine.take_changes().log.size(), 1u);
  machine.delivered(told.front().key, kBegin + seconds{3});
  EXPECT_TRUE(machine.take_changes().empty()) << "the second answer of the same message";
}

TEST(RoutingMachine, TheLogOfAGroupThatIsGoneIsKeptForTwiceTheRepeat) {
  AlertWorld world(config(kPlain), kBegin);
  world.take({alert("disk", kBegin)});
  world.advance_to(kBegin + seconds{2});
  world.take({alert("disk", kBegin, kBegin + seconds{2})});
  world.advance_to(kBegin + minutes{1});
  EXPECT_TRUE(world.machine().state().groups.empty());
  EXPECT_EQ(world.machine().state().log.size(), 1u);
  world.advance_to(kBegin + hours{3});
  EXPECT_TRUE(world.machine().state().log.empty());
  EXPECT_TRUE(world.machine().state().alerts.empty()) << "alerts that are over are forgotten";
}

TEST(RoutingAlert, IsCheckedAndCompleted) {
  const auto now = kBegin;
  Alert bare;
  bare.starts_at = bare.ends_at = kMinTime;
  EXPECT_FALSE(check(received(bare, now, minutes{5}))) << "no labels";
  bare.labels = Labels{{"a", "b"}};
  const auto open = received(bare, now, minutes{5});
  EXPECT_EQ(open.starts_at, now);
  EXPECT_EQ(open.ends_at, now + minutes{5});
  EXPECT_TRUE(open.timed_out);
  bare.ends_at = now - minutes{1};
  const auto over = received(bare, now, minutes{5});
  EXPECT_EQ(over.starts_at, over.ends_at);
  EXPECT_FALSE(over.timed_out);
  bare.starts_at = now;
  EXPECT_THAT(check(received(bare, now, minutes{5})).error().message,
              testing::HasSubstr("start time must be before end time"));
  bare.ends_at = kMinTime;
  bare.annotations = Labels{{"a", "\xff"}};
  EXPECT_FALSE(check(received(bare, now, minutes{5})));
  EXPECT_EQ(fingerprint(open.labels).size(), 16u);
}

TEST(RoutingSilence, IsChecked) {
  Silence silence{"s", *parse_matchers("a=b"), kBegin, kBegin + hours{1}, {}};
  EXPECT_TRUE(check(silence));
  std::swap(silence.starts_at, silence.ends_at);
  EXPECT_THAT(check(silence).error().message, testing::HasSubstr("before it begins"));
  std::swap(silence.starts_at, silence.ends_at);
  silence.matchers = *parse_matchers("a=~\".*\",b!=c");
  EXPECT_THAT(check(silence).error().message, testing::HasSubstr("must not match the empty string"));
  silence.matchers.clear();
  EXPECT_FALSE(check(silence));
}

/// Random histories. Every manner of running the machine must tell the same.
class History {
 public:
  History(std::uint64_t seed, bool restarts, bool ticks)
      : random_(seed),
        configs_{configuration("1s", "7s", "40s", "severity=critical"), configuration("3s", "20s", "1m", "zone=a")},
        world_(configs_[seed % 2], kBegin) {
    if (restarts) world_.restart_always();
    if (ticks) world_.advance_every(milliseconds{900});
  }

  void step() {
    const auto next = world_.now() + milliseconds{pick(9000)};
    world_.advance_to(next, false);
    act();
  }
  void finish() {
    for (const auto* target : {"ops", "night/webhook/0", "night/webhook/1"}) world_.conduct(target, Conduct::kAnswers);
    for (const auto* id : {"s0", "s1", "s2"}) world_.unsilence(id);
    world_.advance_to(world_.now() + minutes{3});
    expect_all_told();
  }
  /// What was told since it was asked last.
  std::vector<std::string> news() {
    std::vector<std::string> out;
    for (; reported_ < world_.told().size(); ++reported_) {
      const auto& one = world_.told()[reported_];
      auto line = fmt::format("{} {} {}", to_ms(one.at) - to_ms(kBegin), to_string(one.key), name(one.reason));
      for (const auto& item : one.alerts) {
        line += fmt::format(" {}{}@{}", item.firing ? "+" : "-", to_string(item.labels), to_ms(item.alert.starts_at));
      }
      out.push_back(std::move(line));
    }
    return out;
  }
  std::size_t told() const { return world_.told().size(); }
  std::vector<std::string> state() { return lines_of(world_.machine().state(), world_.machine().config()); }

 private:
  static ConfigPtr configuration(const std::string& wait, const std::string& interval, const std::string& repeat,
                                 const std::string& matcher) {
    return config("route:\n  receiver: ops\n  group_by: [alertname]\n  group_wait: " + wait + "\n  group_interval: " +
                  interval + "\n  repeat_interval: " + repeat + "\n  routes:\n  - matchers: ['" + matcher +
                  "']\n    receiver: night\n    continue: true\n    group_by: ['...']\n"
                  "  - matchers: [zone=b]\n    mute_time_intervals: [first_minutes]\n    group_by: [zone]\n"
                  "receivers:\n- name: ops\n  webhook_configs: [{url: 'http://x', send_resolved: false}]\n"
                  "- name: night\n  webhook_configs: [{url: 'http://x'}, {url: 'http://y'}]\n"
                  "inhibit_rules: [{source_matchers: [alertname=n0], target_matchers: ['alertname=~n1|n2'], "
                  "equal: [zone]}]\n"
                  "time_intervals: [{name: first_minutes, time_intervals: [{times: [{start_time: '00:02', "
                  "end_time: '00:04'}]}]}]\n");
  }
  std::int64_t pick(std::int64_t below) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(below));
  }

  Alert some_alert() {
    Alert out;
    out.labels = Labels{{"alertname", fmt::format("n{}", pick(4))}, {"zone", pick(2) == 0 ? "a" : "b"}};
    out.severity = pick(3) == 0 ? "critical" : "warning";
    out.starts_at = pick(3) == 0 ? world_.now() - seconds{pick(20)} : world_.now();
    out.ends_at = pick(2) == 0 ? kMaxTime : world_.now() + seconds{pick(30)};
    if (pick(3) == 0) {
      out.ends_at = world_.now();
      out.starts_at = std::min(out.starts_at, world_.now());
    }
    out.updated_at = world_.now();
    return out;
  }

  void act() {
    switch (pick(12)) {
      case 0: {
        Silence silence{fmt::format("s{}", pick(3)), {}, world_.now() + seconds{pick(10)}, {}, {}};
        silence.matchers.push_back(Matcher::equal("alertname", fmt::format("n{}", pick(4))));
        silence.ends_at = silence.starts_at + seconds{1 + pick(60)};
        return world_.silence(std::move(silence));
      }
      case 1: return world_.unsilence(fmt::format("s{}", pick(3)));
      case 2: return world_.reload(configs_[static_cast<std::size_t>(pick(2))]);
      case 3: {
        static const char* const kTargets[] = {"ops", "night/webhook/0", "night/webhook/1"};
        return world_.conduct(kTargets[pick(3)], static_cast<Conduct>(pick(3)));
      }
      default: return world_.take({some_alert(), some_alert()});
    }
  }

  /// When all is well again, whoever should know of a firing alert does.
  void expect_all_told() {
    const auto& machine = world_.machine();
    const auto state = machine.state();
    for (const auto* one : machine.alerts()) {
      if (!one->firing_at(world_.now()) || machine.mutes(*one, world_.now()).muted()) continue;
      for (const auto* route : match(machine.config().root, seen_labels(*one))) {
        const auto group = route->key + ":" + to_string(group_labels(route->options, seen_labels(*one)));
        const auto hash = log_hash(one->labels, {one->severity, one->no_data});
        std::size_t knowing = 0;
        for (const auto& row : state.log) {
          if (row.group != group || row.target.receiver != route->options.receiver) continue;
          knowing += static_cast<std::size_t>(std::count(row.sets.firing.begin(), row.sets.firing.end(), hash));
        }
        const auto& receiver = machine.config().receivers.at(route->options.receiver);
        EXPECT_EQ(knowing, receiver.integrations.size()) << to_string(one->labels) << " in " << group;
      }
    }
  }

  std::mt19937_64 random_;
  std::vector<ConfigPtr> configs_;
  AlertWorld world_;
  std::size_t reported_ = 0;
};

/// Where two histories part, "" if nowhere.
std::string parting(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const std::string left = i < a.size() ? a[i] : "nothing";
    const std::string right = i < b.size() ? b[i] : "nothing";
    if (left != right) return fmt::format("{} of {} and {}:\n  {}\n  {}", i, a.size(), b.size(), left, right);
  }
  return "";
}

TEST(RoutingMachine, RandomHistoriesAreToldTheSameWithRestartsAndOtherClocks) {
  const char* given = std::getenv("ATALAYA_SEEDS");
  const std::uint64_t seeds = given != nullptr ? std::stoull(given) : 40;
  std::size_t told = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE(seed);
    History plain(seed, false, false);
    History restarted(seed, true, false);
    History ticking(seed, false, true);
    const auto compare = [&] {
      const auto news = plain.news();
      EXPECT_EQ(parting(news, restarted.news()), "");
      EXPECT_EQ(parting(news, ticking.news()), "");
      const auto state = plain.state();
      EXPECT_EQ(parting(state, restarted.state()), "");
      EXPECT_EQ(parting(state, ticking.state()), "");
    };
    for (int i = 0; i < 100 && !HasFailure(); ++i) {
      SCOPED_TRACE(i);
      for (auto* one : {&plain, &restarted, &ticking}) one->step();
      compare();
    }
    for (auto* one : {&plain, &restarted, &ticking}) one->finish();
    compare();
    told += plain.told();
    if (HasFailure()) return;
  }
  EXPECT_GT(told, seeds * 40) << "the histories are too quiet to prove anything";
}

}  // namespace
}  // namespace atalaya::routing
