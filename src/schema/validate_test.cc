#include "schema/validate.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/base_for_tests.h"

namespace atalaya::schema {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> texts(const config::Errors& errors) {
  std::vector<std::string> out;
  for (const auto& error : errors) out.push_back(to_string(error));
  return out;
}

config::Document yaml(const std::string& text) { return config::Document::parse(text, "p.yaml").value(); }

const SchemaSet& base() {
  static const auto set = [] {
    config::Errors errors;
    return SchemaSet::build({base_source()}, errors);
  }();
  return *set;
}

struct Outcome {
  Checked checked;
  std::vector<std::string> errors;
  std::string json() const { return boost::json::serialize(checked.fields); }
};

Outcome check(const std::string& section, const std::string& text) {
  const auto document = yaml(text);
  config::Errors errors;
  const auto& found = *base().section(section);
  Outcome out{check_item(document.root(), found, with_article(found.item) + " \"p/a/b\"", {base()}, errors), {}};
  config::sort_by_place(errors);
  out.errors = texts(errors);
  EXPECT_EQ(out.checked.ok, out.errors.empty());
  return out;
}

std::vector<std::string> dashboard(const std::string& widget, const std::string& variables = "{}") {
  return check("dashboards",
               "variables: " + variables + "\nwidgets:\n- {at: {x: 0, y: 0, w: 1, h: 1}, " + widget + "}\n")
      .errors;
}

TEST(Queries, OfWidgetsAreCheckedWithTheirVariablesFilledIn) {
  const std::string variables =
      "{instance: {label: instance}, span: {values: [1m, 5m]}, metric: {text: true}, n: {text: true}}";
  for (const auto* good :
       {R"(stat: {expr: 'up{instance=~"$instance"}'})", R"(stat: {expr: 'rate(x{a="${instance}"}[$span])'})",
        R"(stat: {expr: 'topk($n, rate($metric[$span] offset ${span}))'})",
        R"(stat: {expr: 'label_replace(up, "a", "$1", "b", "(.*)$")'})",
        R"x(stat: {expr: 'label_replace(up, "a", "$first", "b", "(?P<first>.*)")'})x",
        R"(stat: {expr: 'up{a="#$instance"} # of $whom'})", R"(logs: {match: '{instance="$instance"}'})",
        R"(logs: {match: ''})", R"(topology: {root: $instance})", R"(topology: {root: web1})",
        R"(topology: {root: 'cmdb:racks/a1'})", R"(topology: {root: /p/host/machines})"}) {
    EXPECT_THAT(dashboard(good, variables), IsEmpty()) << good;
  }
}

TEST(Queries, MistakesOfWidgetsHavePlaceAndRemedy) {
  const std::string variables = "{instance: {label: instance}, span: {values: [1m]}}";
  EXPECT_THAT(dashboard("stat: {expr: 'rate('}"),
              ElementsAre(AllOf(HasSubstr("p.yaml:3:"), HasSubstr("widgets.0.stat.expr"), HasSubstr("PromQL"))));
  EXPECT_THAT(dashboard("stat: {expr: 'rte(x[5m])'}"), ElementsAre(HasSubstr("did you mean \"rate\"?")));
  EXPECT_THAT(dashboard("chart: {queries: [{expr: up}, {expr: 'up +'}]}"),
              ElementsAre(HasSubstr("widgets.0.chart.queries.1.expr")));
  EXPECT_THAT(dashboard("logs: {match: '{'}"), ElementsAre(HasSubstr("widgets.0.logs.match")));
  EXPECT_THAT(dashboard("logs: {match: 'sum(up)'}"), ElementsAre(HasSubstr("is an expression, not a selector")));
  EXPECT_THAT(dashboard(R"(stat: {expr: 'up{instance="$instnce"}'})", variables),
              ElementsAre(AllOf(HasSubstr("p.yaml:3:61: "),
                                HasSubstr("there is no variable \"instnce\" (did you mean \"instance\"?)"))));
  EXPECT_THAT(dashboard("stat: {expr: 'a $x b $y'}"), testing::SizeIs(3)) << "both names, and the syntax";
  EXPECT_THAT(dashboard("topology: {root: $host}"), ElementsAre(HasSubstr("variables: {host: {text: true}}")));
  // Behind a filled in value the place is that in what is written.
  EXPECT_THAT(dashboard("stat: {expr: 'rate(x[$span]) )'}", variables), ElementsAre(HasSubstr("p.yaml:3:63: ")));
}

TEST(Queries, VariablesOfPagesComeFromWhoShowsThem) {
  const std::string at = "widgets: [{at: {x: 0, y: 0, w: 1, h: 1}, ";
  EXPECT_THAT(check("pages", at + R"(stat: {expr: 'up{instance="$instance"}'}}])").errors, IsEmpty());
  EXPECT_THAT(check("pages", at + "stat: {expr: 'rate('}}]").errors, testing::SizeIs(1));
}

TEST(Queries, ATopologyBeginsAtWhatIsThere) {
  const auto found = check("dashboards", "widgets: [{at: {x: 0, y: 0, w: 1, h: 1}, topology: {root: nix/a/b}}]\n");
  ASSERT_EQ(found.checked.references.size(), 1u);
  EXPECT_EQ(found.checked.references[0].target, "nix/a/b");
  EXPECT_EQ(found.checked.references[0].section, "entity");
}

/// One field `x` of that type in a section of its own.
struct OneField {
  explicit OneField(const std::string& field, const std::string& types = "{}")
      : document(yaml("types: " + types + "\nschemas: {things: {indexes: {name: {type: text}}, fields: {x: " + field +
                      "}}}\n")) {
    set = SchemaSet::build({{"p", document.root().get("schemas"), document.root().get("types"), {}}}, errors);
    EXPECT_THAT(texts(errors), IsEmpty());
  }
  /// The plain value as JSON, or the errors.
  std::string operator()(const std::string& value, const RunTypeScript& run = {}) {
    const auto item = yaml("x: " + value + "\n");
    config::Errors found;
    const auto checked = check_item(item.root(), *set->section("things"), "the thing", {*set, run}, found);
    if (!found.empty()) return testing::PrintToString(texts(found));
    return boost::json::serialize(checked.fields.at("x"));
  }
  config::Document document;
  config::Errors errors;
  std::shared_ptr<const SchemaSet> set;
};

TEST(CheckItem, FillsInDefaultsAlsoWithinRecords) {
  const auto rule = check("rules", "gauge: {expr: up, above: {warning: 1}}\n");
  EXPECT_THAT(rule.errors, IsEmpty());
  EXPECT_EQ(rule.json(),
            R"({"gauge":{"expr":"up","above":{"warning":1E0},"hysteresis":0E0},"for":0,"no_data":300000})");
}

TEST(CheckItem, AWordInPlaceOfAValueIsNull) {
  const auto rule = check("rules", "{binary: {expr: up}, no_data: never}\n");
  EXPECT_TRUE(rule.checked.fields.at("no_data").is_null());
}

TEST(CheckItem, AKindWithoutFieldsMayStandAlone) {
  const auto collector = check("collectors", "host:\n");
  EXPECT_THAT(collector.errors, IsEmpty());
  EXPECT_EQ(collector.json(), R"({"host":{},"on":["*"]})");
  EXPECT_THAT(check("collectors", "http:\n").errors, ElementsAre(HasSubstr("\"http\" needs the key \"url\"")));
}

TEST(CheckItem, OneStandsForAListOfOne) {
  EXPECT_EQ(check("collectors", "{log: {path: /x}, on: web1}").json(),
            R"({"log":{"path":["/x"],"from_start":false},"on":["web1"]})");
}

TEST(CheckItem, TellsEveryMistakeAtOnce) {
  EXPECT_THAT(check("rules", "tittle: x\ngauge: {expr: node_load1, abov: {warning: 1}}\nfor: soon\n").errors,
              ElementsAre(R"(p.yaml:1:1: a rule "p/a/b" has no key "tittle" (did you mean "title"?))",
                          R"(p.yaml:2:27: "gauge" has no key "abov" (did you mean "above"?))",
                          AllOf(HasSubstr("p.yaml:3:6: "), HasSubstr("\"for\" must be a duration such as 30s"))));
}

TEST(CheckItem, ExactlyOneKindIsWritten) {
  EXPECT_THAT(
      check("rules", "{title: x}").errors,
      ElementsAre(
          R"(p.yaml:1:1: a rule "p/a/b" does not say what it is (add one of the keys binary, gauge, tailable))"));
  EXPECT_THAT(check("rules", "guage: {expr: x}\n").errors,
              ElementsAre(R"(p.yaml:1:1: a rule "p/a/b" has no key "guage" (did you mean "gauge"?))"));
  EXPECT_THAT(check("rules", "binary: {expr: up}\ntailable: {match: '{a=\"b\"}', pattern: x}\n").errors,
              ElementsAre(R"(p.yaml:2:1: a rule "p/a/b" has both "binary" and "tailable" (keep one of them))"));
  EXPECT_THAT(
      check("rules", "gauge: {expr: up}\n").errors,
      ElementsAre(R"(p.yaml:1:8: "gauge" has none of the keys above, below (add one of the keys above, below))"));
}

TEST(CheckItem, AtLeastOneOfSomeIsWritten) {
  EXPECT_THAT(check("rules", "gauge: {expr: up, above: {}}\n").errors,
              ElementsAre(HasSubstr("\"above\" sets neither warning nor critical")));
}

TEST(CheckItem, BoundsAreToldAsPeopleWriteThem) {
  EXPECT_THAT(check("rules", "binary: {expr: x, failures: 0}\n").errors,
              ElementsAre(R"(p.yaml:1:29: "failures" is 0; it must be 1 to 10000 (the nearest is 1))"));
  EXPECT_THAT(check("collectors", "{host: , period: 100ms}").errors,
              ElementsAre(HasSubstr(R"("period" is 100ms; it must be 1s to 1d)")));
}

TEST(CheckItem, ManyUnknownKeysAreCounted) {
  std::string text = "binary: {expr: up}\n";
  for (int i = 0; i < 20'000; ++i) text += "k" + std::to_string(i) + ": 1\n";
  const auto errors = check("rules", text).errors;
  ASSERT_EQ(errors.size(), 51u);
  EXPECT_THAT(errors.back(), HasSubstr("has 19950 more keys that it does not know"));
}

TEST(CheckItem, WordsThatAreNoneAreTold) {
  EXPECT_THAT(check("rules", "binary: {expr: x, severity: bad}\n").errors,
              ElementsAre(R"(p.yaml:1:29: "bad" is no value of "severity" (known are: critical, warning))"));
}

TEST(CheckItem, SyntaxErrorsStandAtTheirPlaceWithinTheText) {
  EXPECT_THAT(check("rules", "gauge: {expr: node_load1 +, above: {warning: 1}}\n").errors,
              ElementsAre(HasSubstr("p.yaml:1:27: gauge.expr: ")));
  EXPECT_THAT(check("rules", "gauge:\n  above: {warning: 1}\n  expr: |\n    node_load1\n      + )\n").errors,
              ElementsAre(HasSubstr("p.yaml:5:9: gauge.expr: ")));
  EXPECT_THAT(check("rules", "tailable: {match: '{a=\"b\"}', pattern: 'a(b'}\n").errors,
              ElementsAre(HasSubstr("p.yaml:1:39: tailable.pattern: bad regular expression: missing )")));
}

TEST(CheckItem, SecretsAndAddressesWithPasswordsAreNotRepeated) {
  for (const auto* url : {"http://ana:hidden@h /", "ftp://ana:hidden@h/", "{a: b}"}) {
    const auto found = check("collectors", std::string("http: {url: '") + url + "'}");
    ASSERT_EQ(found.errors.size(), 1u) << url;
    EXPECT_THAT(found.errors.front(), Not(HasSubstr("hidden")));
  }
  EXPECT_THAT(check("collectors", "http: 'http://ana:hidden@h/'\n").errors, ElementsAre(Not(HasSubstr("hidden"))));
  OneField secret("{type: secret, min: 8}");
  EXPECT_THAT(secret("hidden"), AllOf(HasSubstr("has 6 characters"), Not(HasSubstr("hidden"))));
  OneField form("{type: secret, pattern: '[0-9]+', pattern_help: digits}");
  EXPECT_THAT(form("hidden"), Not(HasSubstr("hidden")));
}

TEST(CheckItem, ReferencesAreCollectedWithTheirPlaces) {
  const auto rule = check("rules", "binary: {expr: up}\ndepends_on: [a/b, p/c/d]\n");
  ASSERT_EQ(rule.checked.references.size(), 2u);
  EXPECT_EQ(rule.checked.references[1].section, "any");
  EXPECT_EQ(rule.checked.references[1].target, "p/c/d");
  EXPECT_EQ(rule.checked.references[1].field, "depends_on.1");
  EXPECT_EQ(rule.checked.references[1].place, (Place{"p.yaml", 2, 19}));
}

TEST(CheckItem, RoutesHoldRoutes) {
  const auto routing = check("alertmanager",
                             "route: {receiver: a, routes: [{matchers: ['x=\"y\"'], routes: [{recever: b}]}]}\n"
                             "receivers: [{name: a, webhook_configs: [{url: 'http://x/'}]}]\n");
  EXPECT_THAT(routing.errors, ElementsAre(R"(p.yaml:1:63: "routes" has no key "recever" (did you mean "receiver"?))"));
}

TEST(CheckItem, PrometheusGroupsAreRead) {
  EXPECT_THAT(check("groups",
                    "name: g\ninterval: 30s\nrules:\n- {record: 'a:b', expr: sum(x)}\n"
                    "- {alert: A, expr: up == 0, for: 5m, keep_firing_for: 1m, labels: {a: b}, annotations: {c: d}}\n")
                  .errors,
              IsEmpty());
  EXPECT_THAT(check("groups", "{name: g, rules: [{expr: x}]}").errors,
              ElementsAre(HasSubstr("none of the keys alert, record")));
}

TEST(CheckItem, ScrapesOfPrometheusAreRead) {
  EXPECT_THAT(check("scrape_configs",
                    "job_name: node\nscrape_interval: 15s\nbody_size_limit: 10MB\n"
                    "static_configs: [{targets: ['a:9100'], labels: {env: x}}]\n"
                    "relabel_configs: [{source_labels: [__address__], regex: '(.*):.*', target_label: host}]\n"
                    "kubernetes_sd_configs: [{role: node}]\n")
                  .errors,
              IsEmpty());
  EXPECT_THAT(check("scrape_configs", "{job_name: node, scrape_intervall: 15s}").errors,
              ElementsAre(HasSubstr("did you mean \"scrape_interval\"?")));
}

TEST(CheckItem, DashboardsAreRead) {
  EXPECT_THAT(check("dashboards",
                    "title: Machines\nvariables:\n  instance: {label: instance, of: node_load1, multi: true}\n"
                    "  mode: {values: [user, system], default: user}\n  text: {text: true, default: ''}\n"
                    "widgets:\n"
                    "- {title: CPU, at: {x: 0, y: 0, w: 12, h: 8}, chart: {queries: [{expr: 'a{b=~\"$instance\"}'}], "
                    "unit: ratio}}\n"
                    "- {at: {x: 12, y: 0, w: 25, h: 8}, text: {markdown: hi}}\n")
                  .errors,
              ElementsAre(HasSubstr("\"w\" is 25; it must be 1 to 24")));
}

TEST(CheckItem, APageHasATemplateOrWidgets) {
  EXPECT_THAT(check("pages", "template: pages/x.html\n").errors, IsEmpty());
  EXPECT_THAT(check("pages", "template: ../x.html\n").errors, ElementsAre(HasSubstr("path within the package")));
}

TEST(CheckItem, WhatItMayContainIsLeftOut) {
  const auto document = yaml(
      "schemas: {outer: {indexes: {name: {type: text}}, contains: inner}, "
      "inner: {indexes: {name: {type: text}}, fields: {a: {type: text}}}}");
  config::Errors errors;
  const auto set = SchemaSet::build({{"p", document.root().get("schemas"), nullptr, {}}}, errors);
  const auto item = yaml("{inner: {x: {a: b}}}");
  const auto checked = check_item(item.root(), *set->section("outer"), "an outer", {*set}, errors);
  EXPECT_THAT(texts(errors), IsEmpty());
  EXPECT_TRUE(checked.fields.empty());
}

TEST(Kinds, TextsCountCharacters) {
  OneField text("{type: text, max: 3}");
  EXPECT_EQ(text("añb"), "\"añb\"");
  EXPECT_THAT(text("four"), HasSubstr("has 4 characters; it must have at most 3"));
  EXPECT_THAT(text("[a]"), HasSubstr("must be a text, found a list"));
}

TEST(Kinds, NumbersAreFinite) {
  OneField number("{type: number}");
  EXPECT_EQ(number("1"), "1E0");
  EXPECT_THAT(number(".nan"), HasSubstr("finite"));
  EXPECT_THAT(number("'1'"), HasSubstr("without quotes"));
  OneField integer("{type: integer}");
  EXPECT_EQ(integer("0x10"), "16");
  EXPECT_THAT(integer("1.5"), HasSubstr("must be a whole number"));
}

TEST(Kinds, EveryRefusalSaysWhatToDo) {
  EXPECT_THAT(OneField("{type: integer}")("1.5"), HasSubstr("(e.g. 5)"));
  EXPECT_THAT(OneField("{type: integer}")("[5]"), HasSubstr("(write one value here, e.g. 5)"));
  EXPECT_THAT(OneField("{type: integer, required: true}")("~"),
              HasSubstr("(write a value, e.g. 5, or remove the key)"));
  EXPECT_THAT(OneField("{type: integer, max: 23}")("30"),
              HasSubstr("is 30; it must be at most 23 (the nearest is 23)"));
  EXPECT_THAT(OneField("{type: text, max: 3}")("five!"), HasSubstr("(take away at least 2)"));
  OneField promql("{type: promql}");
  EXPECT_THAT(promql("rtae(a[1m])"), HasSubstr("(did you mean \\\"rate\\\"?)"));
  EXPECT_THAT(promql("sum(a"), HasSubstr("(the syntax is PromQL's"));
}

TEST(Kinds, RatiosMayBePercentages) {
  OneField ratio("{type: ratio}");
  EXPECT_EQ(ratio("0.25"), "2.5E-1");
  EXPECT_EQ(ratio("25%"), "2.5E-1");
  EXPECT_EQ(ratio("25 %"), "2.5E-1");
  EXPECT_THAT(ratio("1.5"), HasSubstr("is 1.5; it must be 0 to 1"));
  EXPECT_THAT(ratio("x%"), HasSubstr("must be a number from 0 to 1"));
}

TEST(Kinds, DurationsBytesAndTimesAreIntegers) {
  EXPECT_EQ(OneField("{type: duration}")("1m30s"), "90000");
  EXPECT_EQ(OneField("{type: bytes}")("8MiB"), "8388608");
  OneField time("{type: time}");
  EXPECT_EQ(time("2026-01-31T12:00:00Z"), "1769860800000");
  EXPECT_THAT(time("1769860800"), HasSubstr("must be a time"));
}

TEST(Kinds, SchedulesAndZones) {
  OneField cron("{type: cron}");
  EXPECT_EQ(cron("'*/5 * * * *'"), "\"*/5 * * * *\"");
  EXPECT_THAT(cron("every day"), HasSubstr("is no schedule"));
  OneField zone("{type: zone}");
  EXPECT_EQ(zone("Europe/Madrid"), "\"Europe/Madrid\"");
  EXPECT_THAT(zone("Europe/Madird"), HasSubstr("is no time zone"));
}

TEST(Kinds, SelectorsAreNoExpressions) {
  OneField selector("{type: selector}");
  EXPECT_EQ(selector("'{a=\"b\"}'"), R"("{a=\"b\"}")");
  EXPECT_EQ(selector("node_load1"), "\"node_load1\"");
  EXPECT_THAT(selector("rate(a[1m])"), HasSubstr("not a selector"));
  EXPECT_THAT(selector("a[1m]"), HasSubstr("not a selector"));
}

TEST(Kinds, AddressesOfManyForms) {
  OneField url("{type: url}");
  EXPECT_EQ(url("https://example.org/x"), "\"https://example.org/x\"");
  EXPECT_THAT(url("example.org"), HasSubstr(R"(\"example.org\" is no HTTP address)"));
  OneField host("{type: host}");
  EXPECT_EQ(host("db-1.example.org"), "\"db-1.example.org\"");
  EXPECT_EQ(host("'2001:db8::1'"), "\"2001:db8::1\"");
  EXPECT_THAT(host("1.2.3"), HasSubstr("is no host"));
  EXPECT_THAT(host("a:80"), HasSubstr("is no host"));
  EXPECT_EQ(OneField("{type: port}")("443"), "443");
  EXPECT_THAT(OneField("{type: port}")("0"), HasSubstr("it must be 1 to 65535"));
  EXPECT_THAT(OneField("{type: path}")("x.log"), HasSubstr(R"(\"x.log\" is no absolute path)"));
  OneField email("{type: email}");
  EXPECT_EQ(email("ana@example.org"), "\"ana@example.org\"");
  EXPECT_THAT(email("ana@"), HasSubstr("is no e-mail address"));
}

TEST(Kinds, ColoursAreWrittenOrNamed) {
  OneField colour("{type: colour}");
  EXPECT_EQ(colour("'#2f6fab'"), "\"#2f6fab\"");
  EXPECT_EQ(colour("series-3"), "\"series-3\"");
  EXPECT_THAT(colour("blue"), HasSubstr("is no colour"));
}

TEST(Kinds, EnumerationsGetHints) {
  OneField word("{type: enumeration, values: {fast: Quick., slow: Not quick.}, or: never}");
  EXPECT_EQ(word("fast"), "\"fast\"");
  EXPECT_EQ(word("never"), "null");
  EXPECT_THAT(word("fats"), HasSubstr("did you mean \\\"fast\\\"?"));
}

TEST(Kinds, ScriptsAreProgramsOrFiles) {
  OneField script("{type: script}");
  EXPECT_EQ(script("\"#!/bin/sh\\necho 1\\n\""), R"("#!/bin/sh\necho 1\n")");
  EXPECT_EQ(script("{file: scripts/x.py}"), R"({"file":"scripts/x.py"})");
  EXPECT_EQ(script("scripts/x.py"), R"({"file":"scripts/x.py"})");
  EXPECT_THAT(script("/bin/ls"), HasSubstr("begins with #!"));
  EXPECT_THAT(script("echo 1"), HasSubstr("begins with #!"));
  EXPECT_THAT(script("{file: ../x.py}"), HasSubstr("no path within the package"));
  EXPECT_THAT(script("{file: /etc/passwd}"), HasSubstr("no path within the package"));
}

TEST(Kinds, ListsAndMapsHaveBounds) {
  OneField list("{type: list of integer, min: 1, max: 2}");
  EXPECT_EQ(list("[1, 2]"), "[1,2]");
  EXPECT_THAT(list("[]"), HasSubstr("has 0 entries; it must have 1 to 2"));
  EXPECT_THAT(list("1"), HasSubstr("\\\"x\\\" must be a list"));
  OneField map("{type: map of duration}");
  EXPECT_EQ(map("{a: 1s}"), R"({"a":1000})");
  EXPECT_THAT(map("{a: x}"), HasSubstr("\\\"a\\\" must be a duration"));
}

TEST(Kinds, AnythingIsKeptAsWritten) {
  EXPECT_EQ(OneField("{type: any}")("{a: [1, 'x', true, ~]}"), R"({"a":[1,"x",true,null]})");
}

TEST(Kinds, ATypesOwnPatternNamesTheType) {
  OneField vlan("{type: vlan}", "{vlan: {type: text, pattern: 'v[0-9]+', pattern_help: v and a number}}");
  EXPECT_EQ(vlan("v12"), "\"v12\"");
  EXPECT_THAT(vlan("x"), AllOf(HasSubstr("\\\"x\\\" is no vlan"), HasSubstr("v and a number")));
}

TEST(Kinds, ATypesProgramHasTheLastWord) {
  OneField vlan("{type: vlan}", "{vlan: {type: text, script: scripts/vlan.py}}");
  std::vector<std::string> asked;
  const auto run = [&](const std::string& package, const std::string& script, std::string_view verb,
                       const std::string& input) -> Result<std::string> {
    asked = {package, script, std::string(verb), input};
    return input == "\"v1\"" ? R"({"value": 1})" : R"({"error": "no such network", "remedy": "v1"})";
  };
  EXPECT_EQ(vlan("v1", run), "1");
  EXPECT_THAT(asked, ElementsAre("p", "scripts/vlan.py", "validate", "\"v1\""));
  EXPECT_THAT(vlan("v2", run), HasSubstr("x: no such network (v1)"));
  EXPECT_EQ(vlan("v2"), "\"v2\"");
}

TEST(Kinds, AProgramThatPrintsNonsenseIsAnError) {
  OneField vlan("{type: vlan}", "{vlan: {type: text, script: scripts/vlan.py}}");
  const auto run = [](const std::string&, const std::string&, std::string_view, const std::string&) {
    return Result<std::string>("Traceback");
  };
  EXPECT_THAT(vlan("v1", run), HasSubstr("printed no answer"));
}

}  // namespace
}  // namespace atalaya::schema
