#include "routing/config.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "routing/inhibition.h"
#include "routing/matchers.h"
#include "routing/read_parts.h"
#include "routing/reference_data.h"

namespace atalaya::routing {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;

struct Reading {
  ConfigPtr config;
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
};

Reading read(std::string text) {
  config::Errors errors;
  config::Errors warnings;
  Reading out{read_config_text(std::move(text), "am.yml", errors, warnings), {}, {}};
  for (const auto& error : errors) out.errors.push_back(to_string(error));
  for (const auto& warning : warnings) out.warnings.push_back(to_string(warning));
  return out;
}

/// The one error of a route with these lines below it.
std::string error_of(const std::string& route) {
  const auto reading = read("receivers: [{name: a}]\nroute:\n" + route);
  EXPECT_EQ(reading.config, nullptr);
  EXPECT_EQ(reading.errors.size(), 1u) << testing::PrintToString(reading.errors);
  return reading.errors.empty() ? "" : reading.errors.front();
}

TEST(RoutingConfig, DefaultsAreAlertmanagers) {
  const auto config = read("route: {receiver: a}\nreceivers: [{name: a}]\n").config;
  ASSERT_NE(config, nullptr);
  EXPECT_EQ(config->resolve_timeout, std::chrono::minutes{5});
  const auto& options = config->root.options;
  EXPECT_EQ(options.group_wait, std::chrono::seconds{30});
  EXPECT_EQ(options.group_interval, std::chrono::minutes{5});
  EXPECT_EQ(options.repeat_interval, std::chrono::hours{4});
  EXPECT_TRUE(options.group_by.empty());
  EXPECT_EQ(config->root.key, "{}");
}

TEST(RoutingConfig, TellsEveryMistakeAtOnceWithItsPlace) {
  const auto reading = read(R"(route:
  receiver: teem
  group_by: [a, a]
  routes:
  - matchers: ['foo']
    recieiver: x
  - match_re: {a: '('}
    group_interval: 0s
    mute_time_intervals: [weekends]
receivers:
- name: team
  webhook_configs: [{ulr: 'http://x'}]
- name: team
)");
  EXPECT_EQ(reading.config, nullptr);
  EXPECT_THAT(reading.errors,
              ElementsAre(HasSubstr("am.yml:2:13: there is no receiver \"teem\" (did you mean \"team\"?)"),
                          HasSubstr("am.yml:3:17: duplicated label \"a\" in group_by"),
                          HasSubstr("am.yml:5:16: bad matcher: end of input: expected an operator"),
                          HasSubstr("am.yml:6:5: a route has no key \"recieiver\" (did you mean \"receiver\"?)"),
                          HasSubstr("am.yml:7:19: error parsing regexp"),
                          HasSubstr("am.yml:8:21: group_interval cannot be zero"),
                          HasSubstr("am.yml:9:27: there is no time interval \"weekends\" (add it to time_intervals:)"),
                          HasSubstr("am.yml:12:22: webhook_configs has no key \"ulr\" (did you mean \"url\"?)"),
                          HasSubstr("am.yml:13:9: there is another receiver \"team\", at am.yml:11:9")));
}

TEST(RoutingConfig, RefusesWhatARootRouteCannotHave) {
  EXPECT_THAT(error_of("  group_wait: 30s\n"), HasSubstr("the root route names no receiver"));
  EXPECT_THAT(error_of("  {receiver: a, match: {b: c}}\n"), HasSubstr("the root route has matchers"));
  EXPECT_THAT(error_of("  {receiver: a, matchers: [b=c]}\n"), HasSubstr("the root route has matchers"));
  EXPECT_THAT(error_of("  {receiver: a, continue: true}\n"), HasSubstr("the root route has continue"));
  EXPECT_THAT(error_of("  {receiver: a, mute_time_intervals: [x]}\ntime_intervals: [{name: x}]\n"),
              HasSubstr("the root route has intervals in which nobody is told"));
  EXPECT_THAT(error_of("  {receiver: a, active_time_intervals: [x]}\nmute_time_intervals: [{name: x}]\n"),
              HasSubstr("the root route has intervals of its own"));
  EXPECT_THAT(error_of("  {receiver: a, group_by: [a, '...']}\n"), HasSubstr("group_by has \"...\" and labels"));
  EXPECT_THAT(error_of("  {receiver: a, group_by: ['']}\n"), HasSubstr("invalid label name \"\""));
  EXPECT_THAT(error_of("  {receiver: a, routes: [{match: {1a: b}}]}\n"), HasSubstr("invalid label name \"1a\""));
  EXPECT_THAT(error_of("  {receiver: a, repeat_interval: soon}\n"), HasSubstr("expected a duration"));
  EXPECT_THAT(error_of("  {receiver: a, routes: [{continue: perhaps}]}\n"), HasSubstr("true or false"));
  EXPECT_THAT(read("").errors, ElementsAre(HasSubstr("the configuration is empty")));
  EXPECT_THAT(read("receivers: [{name: a}]").errors, ElementsAre(HasSubstr("there is no route")));
  EXPECT_THAT(read("route: {receiver: a}\nreceivers: [{name: ''}, {name: a}]").errors,
              ElementsAre(HasSubstr("a receiver has no name")));
  EXPECT_THAT(read("- a").errors, testing::SizeIs(1));
}

TEST(RoutingConfig, IntegrationsTakeWhatGlobalSays) {
  const auto reading = read(R"(global:
  resolve_timeout: 1m
  smtp_smarthost: mail:25
  smtp_from: a@example.org
  smtp_auth_password: secret
  slack_api_url_file: /slack
  http_config: {follow_redirects: yes}
route: {receiver: a}
receivers:
- name: a
  email_configs:
  - {to: b@example.org, require_tls: no}
  - {to: c@example.org, auth_password_file: /pw, smarthost: other:25, send_resolved: true}
  slack_configs: [{channel: '#x'}]
)");
  ASSERT_NE(reading.config, nullptr) << testing::PrintToString(reading.errors);
  EXPECT_EQ(reading.config->resolve_timeout, std::chrono::minutes{1});
  const auto& all = reading.config->receivers.at("a").integrations;
  ASSERT_EQ(all.size(), 3u);
  const auto text = [&](std::size_t i, std::string_view key) {
    const auto* value = all[i].settings.get(key);
    return value == nullptr ? std::string("absent") : value->scalar;
  };
  EXPECT_EQ(text(0, "smarthost"), "mail:25");
  EXPECT_EQ(text(0, "auth_password"), "secret");
  EXPECT_EQ(text(0, "require_tls"), "false") << "YAML 1.1's no";
  EXPECT_FALSE(all[0].send_resolved);
  EXPECT_EQ(text(1, "auth_password"), "absent") << "the file stands in its place";
  EXPECT_EQ(text(1, "smarthost"), "other:25");
  EXPECT_EQ(all[1].index, 1u);
  EXPECT_TRUE(all[1].send_resolved);
  EXPECT_EQ(all[2].type, "slack");
  EXPECT_EQ(text(2, "api_url_file"), "/slack");
  EXPECT_NE(all[2].settings.get("http_config"), nullptr);
}

TEST(RoutingConfig, IntegrationsNeedTheirAddresses) {
  const auto error = [](const std::string& receiver) {
    const auto reading = read("route: {receiver: a}\nreceivers:\n- {name: a, " + receiver + "}\n");
    return reading.errors.empty() ? std::string("none") : reading.errors.front();
  };
  EXPECT_THAT(error("webhook_configs: [{}]"), HasSubstr("webhook_configs needs one of url, url_file"));
  EXPECT_THAT(error("webhook_configs: [{url: 'http://x', url_file: /y}]"), HasSubstr("only one may be there"));
  EXPECT_THAT(error("webhook_configs: [{url: 'telnet://x'}]"), HasSubstr("no address of HTTP"));
  EXPECT_THAT(error("webhook_configs: [{url: 'http:///path'}]"), HasSubstr("no address of HTTP"));
  EXPECT_THAT(error("slack_configs: [{channel: x}]"), HasSubstr("add api_url, or slack_api_url to global"));
  EXPECT_THAT(error("email_configs: [{to: x, from: y}]"), HasSubstr("email_configs needs smarthost"));
  EXPECT_THAT(error("pagerduty_configs: [{}]"), HasSubstr("needs one of routing_key"));
  EXPECT_THAT(error("telegram_configs: [{bot_token: x}]"), HasSubstr("needs one of chat_id"));
  EXPECT_THAT(error("discord_configs: [{}]"), HasSubstr("needs one of webhook_url"));
  EXPECT_THAT(error("opsgenie_configs: [{}]"), HasSubstr("needs one of api_key"));
  EXPECT_THAT(error("smoke_signal_configs: []"), HasSubstr("has no key \"smoke_signal_configs\""));
  EXPECT_THAT(error("webhook_configs: [{url: 'http://x', http_config: {basic_aut: {}}}]"),
              HasSubstr("http_config has no key \"basic_aut\""));
}

TEST(RoutingConfig, NamesWhatItDoesNotCarryOut) {
  const auto reading = read(R"(route: {receiver: a}
receivers:
- name: a
  pushover_configs: [{user_key: x, token: y}]
  webhook_configs: [{url: 'https://x/y'}]
)");
  ASSERT_NE(reading.config, nullptr) << testing::PrintToString(reading.errors);
  EXPECT_THAT(reading.warnings,
              ElementsAre(HasSubstr("am.yml:4:21: receiver \"a\": pushover is not carried out here")));
  const auto& integrations = reading.config->receivers.at("a").integrations;
  ASSERT_EQ(integrations.size(), 2u);
  EXPECT_TRUE(integrations[0].carried_out);
  EXPECT_FALSE(integrations[1].carried_out);
}

TEST(RoutingConfig, ReadsTimeIntervals) {
  const auto reading = read(R"(route: {receiver: a, routes: [{mute_time_intervals: [nights]}]}
receivers: [{name: a}]
time_intervals:
- name: nights
  time_intervals:
  - times: [{start_time: '22:00', end_time: '24:00'}]
    weekdays: ['monday:friday', 'Sunday']
    days_of_month: ['1:5', '-3:-1']
    months: [january, '5:6']
    years: ['2026:2028']
    location: Europe/Madrid
)");
  ASSERT_NE(reading.config, nullptr) << testing::PrintToString(reading.errors);
  const auto& interval = reading.config->time_intervals.at("nights").front();
  EXPECT_THAT(interval.times, ElementsAre(calendar::MinuteRange{22 * 60, 24 * 60}));
  EXPECT_THAT(interval.weekdays, ElementsAre(calendar::WholeRange{1, 5}, calendar::WholeRange{0, 0}));
  EXPECT_EQ(interval.zone.name(), "Europe/Madrid");
  const auto broken = read(R"(route: {receiver: a}
receivers: [{name: a}]
time_intervals:
- name: x
  time_intervals:
  - times: [{start_time: '09:00', end_time: '08:00'}]
    weekdays: []
    location: Europe/Madrit
- name: x
)");
  EXPECT_THAT(broken.errors, ElementsAre(HasSubstr("start time cannot be equal or greater than end time"),
                                         HasSubstr("weekdays lists nothing"), HasSubstr("am.yml:8:15"),
                                         HasSubstr("there is another time interval \"x\"")));
}

TEST(RoutingConfig, AlertmanagersCasesOfTimeIntervals) {
  const auto data = reference_data("alerting/time_intervals_yaml.json");
  if (!data) GTEST_SKIP() << data.error().message;
  for (const auto& one : data->at("cases").as_array()) {
    const std::string text(one.at("in").as_string());
    const auto document = config::Document::parse(text, "intervals.yml");
    ASSERT_TRUE(document) << text;
    config::Errors errors;
    const auto intervals = read_intervals(document->root(), errors);
    const auto* expected = one.as_object().if_contains("expectError");
    if (expected != nullptr && expected->as_bool()) {
      ASSERT_FALSE(errors.empty()) << text;
      EXPECT_THAT(errors.front().message, HasSubstr(std::string(one.at("err").as_string())));
      continue;
    }
    EXPECT_TRUE(errors.empty()) << text;
    EXPECT_FALSE(intervals.empty()) << text;
  }
}

Duration duration_of(const json::value& given, Duration fallback) {
  if (given.is_string()) return fallback;
  return std::chrono::duration_cast<Duration>(std::chrono::nanoseconds{given.to_number<std::int64_t>()});
}

TEST(Routes, AlertmanagersCasesOfMatching) {
  const auto data = reference_data("alerting/route_match.json");
  if (!data) GTEST_SKIP() << data.error().message;
  std::string text = "route:\n";
  std::istringstream lines(std::string(data->at("route_config").as_string()));
  for (std::string line; std::getline(lines, line);) text += "  " + line + "\n";
  text += "receivers:\n";
  for (const auto* name : {"def", "A", "testing", "productionA", "productionB", "BC"}) {
    text += std::string("- name: notify-") + name + "\n";
  }
  const auto reading = read(text);
  ASSERT_NE(reading.config, nullptr) << testing::PrintToString(reading.errors);
  const RouteOptions defaults;
  for (const auto& one : data->at("cases").as_array()) {
    LabelsBuilder labels;
    for (const auto& [name, value] : one.at("input").as_object()) labels.set(name, value.as_string());
    const auto routes = match(reading.config->root, labels.build());
    const auto& expected = one.at("result").as_array();
    const auto& keys = one.at("keys").as_array();
    ASSERT_EQ(routes.size(), expected.size());
    for (std::size_t i = 0; i < routes.size(); ++i) {
      const auto& want = expected[i].as_object();
      const auto& options = routes[i]->options;
      EXPECT_EQ(routes[i]->key, keys[i].as_string());
      EXPECT_EQ(options.receiver, want.at("Receiver").as_string());
      EXPECT_EQ(options.group_by_all, want.at("GroupByAll").as_bool());
      EXPECT_EQ(options.group_wait, duration_of(want.at("GroupWait"), defaults.group_wait));
      EXPECT_EQ(options.group_interval, duration_of(want.at("GroupInterval"), defaults.group_interval));
      EXPECT_EQ(options.repeat_interval, duration_of(want.at("RepeatInterval"), defaults.repeat_interval));
      std::set<std::string> group_by;
      if (want.at("GroupBy").is_object()) {
        for (const auto& name : want.at("GroupBy").at("$set").as_array()) group_by.emplace(name.as_string());
      }
      EXPECT_EQ(options.group_by, group_by);
    }
  }
}

TEST(Routes, InheritAndGroup) {
  const auto reading = read(R"(route:
  receiver: a
  group_by: [x]
  group_wait: 1s
  routes:
  - matchers: [k=1]
    group_by: ['...']
    continue: yes
    routes: [{matchers: [j=2], group_by: [], receiver: b}]
  - matchers: [k=1]
    group_by: [y]
  - matchers: ['{m="1"}', 'n!=2']
receivers: [{name: a}, {name: b}]
)");
  ASSERT_NE(reading.config, nullptr) << testing::PrintToString(reading.errors);
  const auto& root = reading.config->root;
  const Labels labels{{"k", "1"}, {"j", "2"}, {"x", "3"}};
  const auto routes = match(root, labels);
  ASSERT_EQ(routes.size(), 2u);
  EXPECT_EQ(routes[0]->id, R"({}/{k="1"}/0/{j="2"}/0)");
  EXPECT_EQ(routes[0]->key, R"({}/{k="1"}/{j="2"})");
  EXPECT_EQ(routes[0]->options.receiver, "b");
  EXPECT_TRUE(routes[0]->options.group_by_all) << "an empty group_by says nothing";
  EXPECT_EQ(group_labels(routes[0]->options, labels), labels);
  EXPECT_EQ(routes[1]->id, R"({}/{k="1"}/1)");
  EXPECT_EQ(routes[1]->options.group_wait, std::chrono::seconds{1});
  EXPECT_TRUE(group_labels(routes[1]->options, labels).empty());
  EXPECT_EQ(match(root, Labels{{"m", "1"}}).front()->key, R"({}/{m="1",n!="2"})");
  EXPECT_EQ(match(root, Labels{{"m", "1"}, {"n", "2"}}).front(), &root);
  EXPECT_EQ(group_labels(root.options, labels), (Labels{{"x", "3"}}));
}

TEST(Inhibition, AlertmanagersCasesOfTwoRules) {
  const auto data = reference_data("alerting/inhibit_rule_matches.json");
  if (!data) GTEST_SKIP() << data.error().message;
  const auto reading = read(R"(route: {receiver: a}
receivers: [{name: a}]
inhibit_rules:
- {source_match: {s1: '1'}, target_match: {t1: '1'}, equal: [e]}
- {source_match: {s2: '1'}, target_match: {t2: '1'}, equal: [e]}
)");
  ASSERT_NE(reading.config, nullptr);
  Inhibition inhibition(reading.config->inhibit_rules);
  const auto now = *parse_time("2026-01-01T00:00:00Z");
  for (const auto& labels :
       {Labels{{"s1", "1"}, {"t1", "2"}, {"e", "1"}}, Labels{{"s2", "1"}, {"t2", "1"}, {"e", "1"}}}) {
    Alert source;
    source.labels = labels;
    EXPECT_TRUE(inhibition.put(source, labels));
  }
  for (const auto& one : data->at("cases").as_array()) {
    LabelsBuilder target;
    for (const auto& [name, value] : one.at("target").as_object()) target.set(name, value.as_string());
    EXPECT_EQ(inhibition.inhibits(target.build(), now), one.at("expected").as_bool()) << json::serialize(one);
  }
}

TEST(Inhibition, AbsentLabelsAreEqualToEmptyOnesAndEndedSourcesDoNotCount) {
  const auto reading = read(R"(route: {receiver: a}
receivers: [{name: a}]
inhibit_rules: [{source_matchers: [s=1], target_matchers: [t=1], equal: [zone, host]}]
)");
  ASSERT_NE(reading.config, nullptr);
  Inhibition inhibition(reading.config->inhibit_rules);
  const auto now = *parse_time("2026-01-01T00:00:00Z");
  Alert source;
  source.labels = Labels{{"s", "1"}, {"zone", "a"}};
  source.ends_at = now + std::chrono::seconds{1};
  inhibition.put(source, source.labels);
  EXPECT_TRUE(inhibition.inhibits(Labels{{"t", "1"}, {"zone", "a"}}, now));
  EXPECT_FALSE(inhibition.inhibits(Labels{{"t", "1"}, {"zone", "a"}, {"host", "x"}}, now));
  EXPECT_FALSE(inhibition.inhibits(Labels{{"t", "1"}}, now));
  EXPECT_FALSE(inhibition.inhibits(Labels{{"t", "1"}, {"zone", "a"}}, now + std::chrono::seconds{1}));
  EXPECT_TRUE(inhibition.erase(source.labels, source.labels));
  EXPECT_FALSE(inhibition.inhibits(Labels{{"t", "1"}, {"zone", "a"}}, now));
}

TEST(Trace, NamesEveryRouteThatIsAskedAndWhatRefuses) {
  const auto config = read(R"(
route:
  receiver: all
  routes:
  - {receiver: dba, matchers: [team="dba"], continue: true, routes: [{receiver: night, matchers: [severity="critical"]}]}
  - {receiver: web, matchers: [team=~"web|dba", stage!="test"]}
  - {receiver: rest, matchers: [team=~".+"]}
receivers: [{name: all}, {name: dba}, {name: night}, {name: web}, {name: rest}]
)")
                          .config;
  ASSERT_TRUE(config);
  const auto told = [&](const Labels& labels) {
    std::vector<std::string> out;
    for (const auto& visit : trace(config->root, labels)) {
      EXPECT_EQ(visit.takes, visit.refuses == nullptr);
      const auto why = visit.refuses == nullptr ? "" : " refuses by " + visit.refuses->name();
      out.push_back(visit.route->options.receiver + (visit.ends ? " ends" : visit.takes ? " takes" : why));
    }
    return out;
  };
  EXPECT_THAT(told({{"team", "dba"}}), ElementsAre("all takes", "dba ends", "night refuses by severity", "web ends"));
  EXPECT_THAT(told({{"severity", "critical"}, {"stage", "test"}, {"team", "dba"}}),
              ElementsAre("all takes", "dba takes", "night ends", "web refuses by stage", "rest ends"));
  EXPECT_THAT(told({}), ElementsAre("all ends", "dba refuses by team", "web refuses by team", "rest refuses by team"));
}

/// What is asked step by step comes to the same as what is asked in passing.
TEST(Trace, EndsWhereMatchDoes) {
  const auto config = read(R"(
route:
  receiver: r
  routes:
  - {matchers: [a="1"], continue: true, routes: [{matchers: [b="1"], continue: true}, {matchers: [c="1"]}]}
  - {matchers: [b="1"], routes: [{matchers: [c="1"]}, {matchers: [a!="1"]}]}
  - {matchers: [c="1"]}
receivers: [{name: r}]
)")
                          .config;
  ASSERT_TRUE(config);
  for (int bits = 0; bits < 8; ++bits) {
    LabelsBuilder labels;
    for (const int bit : {0, 1, 2}) {
      if ((bits >> bit & 1) != 0) labels.set(std::string(1, static_cast<char>('a' + bit)), "1");
    }
    auto ends = match(config->root, labels.build());
    std::vector<const Route*> traced;
    for (const auto& visit : trace(config->root, labels.build())) {
      if (visit.ends) traced.push_back(visit.route);
    }
    // One is in the order of the tree, the other has children before their parents.
    EXPECT_THAT(traced, testing::UnorderedElementsAreArray(ends)) << bits;
  }
}

TEST(LabelsAsWritten, AreMatchersWithEqualSignsAlone) {
  EXPECT_EQ(parse_labels(R"(service="web, shop", severity=critical)").value(),
            (Labels{{"service", "web, shop"}, {"severity", "critical"}}));
  EXPECT_EQ(parse_labels("").value(), Labels{});
  EXPECT_THAT(parse_labels("a=1, b=~c").error().message, HasSubstr("b=~\"c\""));
  EXPECT_FALSE(parse_labels("a=1, b"));
}

}  // namespace
}  // namespace atalaya::routing
