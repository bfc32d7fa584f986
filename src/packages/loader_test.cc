#include "packages/loader.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "io/memory_file_system.h"
#include "packages/testing.h"

namespace atalaya::packages {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kWebhook =
    "package: other\nversion: 1.0.0\nchannel_types:\n  webhook:\n    settings: {url: {required: true}, headers: {kind: "
    "map}}\n";

/// The package p of these files, beside one that defines the channel type webhook.
Loaded load_files(std::map<std::string, std::string> files) {
  std::map<std::string, std::string> texts{{"other/channels/webhook.yaml", std::string(kWebhook)},
                                           {"other/package.yaml", "package: other\nversion: 1.0.0\n"}};
  for (auto& [name, text] : files) texts["p/" + name] = std::move(text);
  const auto world = world_of(texts);
  const auto& slot = world.slots().at("p");
  Loaded out;
  if (slot.running) out.package = *slot.running;
  out.errors = slot.errors;
  out.errors.insert(out.errors.end(), slot.world_errors.begin(), slot.world_errors.end());
  return out;
}

Loaded load(const std::string& text) { return load_files({{"p.yaml", "package: p\nversion: 1.0.0\n" + text}}); }

/// Errors as `line:column message (remedy)`; the two lines of the head count.
std::vector<std::string> errors(const std::string& text) {
  std::vector<std::string> out;
  for (const auto& error : load(text).errors) {
    auto words = to_string(error);
    EXPECT_TRUE(words.starts_with("p/p.yaml:")) << words;
    out.push_back(words.substr(words.find(':') + 1));
  }
  return out;
}

TEST(Loader, ReadsAGaugeWithAllItsFields) {
  const auto loaded = load(R"(rules:
  disk:
    filling:
      title: File system is filling
      gauge: {expr: 'avail / size', below: {warning: 0.15, critical: 0.05}, hysteresis: 0.01}
      for: 30s
      no_data: 1m
      labels: {team: storage}
      annotations: {summary: '{{ $value }} left'}
)");
  ASSERT_THAT(loaded.errors, IsEmpty()) << to_string(loaded.errors.front());
  ASSERT_EQ(loaded.package.rules.size(), 1u);
  const auto& rule = loaded.package.rules.front();
  EXPECT_EQ(rule.id, "p/disk/filling");
  EXPECT_EQ(rule.name, "filling");
  EXPECT_EQ(rule.threshold,
            (decltype(rule.threshold)(rules::GaugeSpec{
                .expr = "avail / size", .above = false, .warning = 0.15, .critical = 0.05, .hysteresis = 0.01})));
  EXPECT_EQ(rule.for_duration, std::chrono::seconds{30});
  EXPECT_EQ(rule.no_data, std::chrono::minutes{1});
  EXPECT_TRUE(rule.no_data_stated);
  EXPECT_EQ(rule.labels.at("team"), "storage");
  EXPECT_EQ(rule.annotations.at("summary"), "{{ $value }} left");
  EXPECT_EQ(rule.origin, (Place{"p/p.yaml", 5, 5}));
  EXPECT_EQ(loaded.package.version, "1.0.0");
}

TEST(Loader, ReadsBinaryAndTailableWithTheirDefaults) {
  const auto loaded = load(R"(rules:
  a:
    web: {binary: {expr: check_up}}
    log: {tailable: {match: '{file="/a"}', pattern: ERROR, absent: true, severity: warning}, no_data: never}
)");
  ASSERT_THAT(loaded.errors, IsEmpty()) << to_string(loaded.errors.front());
  EXPECT_EQ(std::get<rules::BinarySpec>(loaded.package.rules[0].threshold),
            (rules::BinarySpec{.expr = "check_up", .failures = 1, .severity = rules::Level::kCritical}));
  EXPECT_FALSE(loaded.package.rules[0].no_data_stated);
  EXPECT_EQ(std::get<rules::TailableSpec>(loaded.package.rules[1].threshold),
            (rules::TailableSpec{.match = R"({file="/a"})",
                                 .pattern = "ERROR",
                                 .absent = true,
                                 .count = 1,
                                 .within = std::chrono::minutes{5},
                                 .severity = rules::Level::kWarning}));
  EXPECT_EQ(loaded.package.rules[1].no_data, std::nullopt);
}

TEST(Loader, ReadsCollectorsAndChannels) {
  const auto loaded = load(R"(collectors:
  files: {app: {log: {path: /var/log/app.log}}}
  checks:
    web: {http: {url: 'http://127.0.0.1:8080/', expect_status: 200, expect_text: ok}, period: 10s, timeout: 2s, on: [web1, 'db*']}
    db: {tcp: {address: '127.0.0.1:5432'}, depends_on: p/checks/web}
channels:
  ops:
    mail: {email: {smtp: 'smtp://mail:587', from: a@b, to: [c@d, e@f]}}
    hook: {webhook: {url: 'https://user:secret@example.org/x?token=1', headers: {X-A: b}}}
)");
  ASSERT_THAT(loaded.errors, IsEmpty()) << to_string(loaded.errors.front());
  const auto& collectors = loaded.package.collectors;
  ASSERT_EQ(collectors.size(), 3u);
  EXPECT_EQ(collectors[0].period, std::chrono::seconds{1});
  EXPECT_FALSE(collectors[0].is_check());
  EXPECT_EQ(collectors[1].target(), "http://127.0.0.1:8080/");
  EXPECT_EQ(
      boost::json::serialize(collectors[1].fields),
      R"({"url":"http://127.0.0.1:8080/","method":"GET","expect_status":200,"expect_text":"ok","insecure_skip_verify":false,"timeout":"2s"})");
  EXPECT_TRUE(collectors[1].on.matches("db7"));
  EXPECT_FALSE(collectors[1].on.matches("web2"));
  EXPECT_EQ(collectors[2].fields.at("timeout"), "5s");
  EXPECT_TRUE(collectors[2].on.matches("anybody"));
  const auto& channels = loaded.package.channels;
  ASSERT_EQ(channels.size(), 2u);
  EXPECT_EQ(channels[0].target(), "c@d, e@f");
  EXPECT_EQ(channels[1].target(), "example.org");
  EXPECT_EQ(boost::json::serialize(channels[1].fields),
            R"({"url":"https://user:secret@example.org/x?token=1","headers":{"X-A":"b"}})");
  ASSERT_EQ(loaded.package.items.size(), 5u);
  EXPECT_THAT(loaded.package.find("collectors", "p/checks/db")->links, ElementsAre("p/checks/web"));
}

TEST(Loader, TellsEveryMistakeAtOnceInOrderOfPlace) {
  EXPECT_THAT(
      errors(R"(colectors: {}
rules:
  disk:
    filling:
      tittle: x
      gauge: {expr: node_load1, abov: {warning: 1}}
      for: soon
)"),
      ElementsAre(R"(3:1: a package file has no key "colectors" (did you mean "collectors"?))",
                  R"(7:7: rule "p/disk/filling" has no key "tittle" (did you mean "title"?))",
                  HasSubstr(R"(8:33: "gauge" has no key "abov" (did you mean "above"?))"), HasSubstr("9:12: ")));
}

TEST(Loader, UnknownKindOfRuleGetsAHint) {
  EXPECT_THAT(errors("rules:\n  a:\n    b:\n      guage: {expr: x}\n"),
              ElementsAre(R"(6:7: rule "p/a/b" has no key "guage" (did you mean "gauge"?))"));
  EXPECT_THAT(
      errors("rules:\n  a:\n    b: {title: x}\n"),
      ElementsAre(R"(5:8: rule "p/a/b" does not say what it is (add one of the keys binary, gauge, tailable))"));
}

TEST(Loader, WrongTypesAreNamedAtTheirPlace) {
  EXPECT_THAT(errors("rules:\n  a:\n    b:\n      gauge: {expr: x, above: {warning: hot}}\n"),
              ElementsAre(HasSubstr("6:41: ")));
  EXPECT_THAT(errors("rules:\n  a:\n    b:\n      binary: {expr: x, failures: 0}\n"),
              ElementsAre(R"(6:35: "failures" is 0; it must be 1 to 10000 (the nearest is 1))"));
  EXPECT_THAT(errors("rules:\n  a: [b]\n"), ElementsAre(HasSubstr("4:6: ")));
  EXPECT_THAT(errors("rules:\n  a:\n    b:\n      tailable: {match: '{a=\"b\"}', pattern: x, severity: bad}\n"),
              ElementsAre(HasSubstr("6:58: ")));
}

TEST(Loader, BadPromqlIsShownWithinThePlainScalar) {
  EXPECT_THAT(errors("rules:\n  a:\n    b:\n      gauge: {expr: node_load1 +, above: {warning: 1}}\n"),
              ElementsAre(HasSubstr("6:33: gauge.expr: ")));
}

TEST(Loader, BadPromqlIsShownWithinQuotes) {
  EXPECT_THAT(errors("rules:\n  a:\n    b:\n      gauge: {expr: 'node_load1 + )', above: {warning: 1}}\n"),
              ElementsAre(HasSubstr("6:35: gauge.expr: ")));
}

TEST(Loader, BadPromqlIsShownWithinALiteralBlock) {
  EXPECT_THAT(errors("rules:\n  a:\n    b:\n      gauge:\n        above: {warning: 1}\n        expr: |\n"
                     "          node_load1\n            + )\n"),
              ElementsAre(HasSubstr("10:15: gauge.expr: ")));
}

TEST(Loader, BadPatternsAreShownWithTheirReason) {
  EXPECT_THAT(errors("rules:\n  a:\n    b:\n      tailable: {match: '{a=\"b\"}', pattern: 'a(b'}\n"),
              ElementsAre(HasSubstr("6:45: tailable.pattern: bad regular expression: missing )")));
  EXPECT_THAT(errors("rules:\n  a:\n    b:\n      tailable: {match: '{a=\"b\"}', pattern: '\\pL{1000}'}\n"),
              ElementsAre(HasSubstr("6:45: tailable.pattern: bad regular expression: pattern too large")));
  EXPECT_THAT(errors("rules:\n  a:\n    b:\n      tailable: {match: up, pattern: x}\n"),
              ElementsAre(HasSubstr("6:25: tailable.match: match is a selector of log streams in braces")));
}

TEST(Loader, ThresholdsMustMakeSense) {
  EXPECT_THAT(errors("rules:\n  a:\n    b:\n      gauge: {expr: x, above: {warning: 5, critical: 3}}\n"),
              ElementsAre(HasSubstr("6:54: gauge.above.critical: critical (3) is reached before warning (5)")));
  EXPECT_THAT(errors("rules:\n  a:\n    b:\n      gauge: {expr: x}\n"),
              ElementsAre(HasSubstr("6:14: \"gauge\" has none of the keys above, below")));
  EXPECT_THAT(errors("rules:\n  a:\n    b:\n      gauge: {expr: '1 + 1', above: {warning: 5}}\n"),
              ElementsAre(HasSubstr("6:21: gauge.expr: the expression reads no series")));
}

TEST(Loader, LabelsOfARuleAreChecked) {
  EXPECT_THAT(errors("rules:\n  a:\n    b:\n      binary: {expr: x}\n      labels: {alertname: y, a.b: z}\n"),
              ElementsAre(HasSubstr("7:27: labels.alertname: the label alertname is not yours to set"),
                          HasSubstr("7:35: labels.a.b: 'a.b' is not a label name")));
}

TEST(Loader, AnItemIsDeclaredOnceAndRulesOfTwoGroupsMayHaveOneName) {
  const auto loaded = load_files(
      {{"one.yaml", "package: p\nversion: 1.0.0\nrules:\n  a:\n    b: {binary: {expr: x}}\n"},
       {"two.yaml",
        "package: p\nversion: 1.0.0\nrules:\n  a:\n    b: {binary: {expr: x}}\n  c:\n    b: {binary: {expr: y}}\n"}});
  ASSERT_EQ(loaded.errors.size(), 1u);
  EXPECT_EQ(
      to_string(loaded.errors[0]),
      R"(p/two.yaml:5:5: a rule "p/a/b" is declared twice, first at p/one.yaml:5:5 (give one of them another name))");
}

TEST(Loader, NamesOfChecksOccurOnceInAPackage) {
  const std::string check = "{http: {url: 'http://localhost/'}}";
  const auto loaded = load_files(
      {{"p.yaml", "package: p\nversion: 1.0.0\ncollectors:\n  a: {b: " + check + "}\n  c: {b: " + check + "}\n"}});
  ASSERT_EQ(loaded.errors.size(), 1u);
  EXPECT_THAT(to_string(loaded.errors[0]),
              HasSubstr("another check of this package, at p/p.yaml:4:7, is called \"b\" too"));
}

TEST(Loader, NamesHaveAForm) {
  EXPECT_THAT(errors("rules:\n  a/b:\n    c: {binary: {expr: x}}\n"),
              ElementsAre(HasSubstr("4:3: \"a/b\" is no name")));
}

TEST(Loader, ThePackageStandsInAFolderOfItsName) {
  const auto loaded = load_files({{"p.yaml", "package: q\nversion: 1.0.0\n"}});
  ASSERT_EQ(loaded.errors.size(), 1u);
  EXPECT_EQ(to_string(loaded.errors[0]),
            R"(p/p.yaml:1:10: package "q" stands in the folder "p" (write package: p, or rename the folder))");
}

TEST(Loader, TheHeadIsRequired) {
  const auto loaded = load_files({{"package.yaml", "rules: {}\n"}});
  ASSERT_EQ(loaded.errors.size(), 2u);
  EXPECT_THAT(to_string(loaded.errors[0]), HasSubstr(R"(p/package.yaml:1:1: a package file has no "package")"));
  EXPECT_THAT(to_string(loaded.errors[1]), HasSubstr(R"("version")"));
}

TEST(Loader, BrokenYamlNamesItsPlace) {
  const auto loaded = load_files({{"p.yaml", "package: p\nversion: 1.0.0\nrules: {a: [\n"}});
  ASSERT_EQ(loaded.errors.size(), 1u);
  EXPECT_EQ(loaded.errors[0].place->file, "p/p.yaml");
  EXPECT_GE(loaded.errors[0].place->line, 3u);
}

TEST(Loader, AnUnreadableFileIsAnErrorWithARemedy) {
  SourceFile source{"p/p.yaml", "p.yaml", "", Error{ErrorCode::kPermissionDenied, "permission denied", {}, {}}};
  config::Errors found;
  PackageTree::read("p", {source}, found);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(to_string(found[0]),
            "p/p.yaml: permission denied (make the file readable for the server's user, or remove it)");
}

TEST(Loader, LinksLeadToItemsThatExist) {
  EXPECT_THAT(errors("rules:\n  a:\n    b: {binary: {expr: x}, depends_on: [host/a/b]}\n    c: {binary: {expr: x}, "
                     "depends_on: p/a/d}\n    e: {binary: {expr: x}, depends_on: a/b}\n"),
              testing::UnorderedElementsAre(HasSubstr("5:41: there is no item \"host/a/b\""),
                                            HasSubstr("6:40: there is no item \"p/a/d\" (did you mean")));
  EXPECT_THAT(errors("rules:\n  a:\n    b: {binary: {expr: x}, depends_on: [host/a/b]}\n"),
              ElementsAre(HasSubstr("5:41: there is no item \"host/a/b\"")));
}

TEST(Loader, AKeyThatStandsTwiceHidesNothingElse) {
  EXPECT_THAT(
      errors("rules:\n  a:\n    b: {binary: {expr: x}, title: q, title: r}\n    c: {guage: {}}\n"),
      ElementsAre(HasSubstr("5:38: key \"title\" is already in line 5"), HasSubstr("6:9: rule \"p/a/c\" has no key")));
}

TEST(Loader, AKeyThatIsNoTextHidesNothingElse) {
  EXPECT_THAT(
      errors("rules:\n  a:\n    ? [b, c]\n    : {binary: {expr: x}}\n    c: {guage: {}}\n"),
      ElementsAre(HasSubstr("5:7: a key must be a text, not a list"), HasSubstr("7:9: rule \"p/a/c\" has no key")));
}

TEST(Loader, AnInstanceOfNothingIsToldAlongWithTheRest) {
  EXPECT_THAT(
      errors("instances: {nosuch: {one: {}}}\nrules: {a: {b: {guage: {}}}}\n"),
      testing::UnorderedElementsAre(HasSubstr("\"nosuch\" is no specification"), HasSubstr("has no key \"guage\"")));
}

TEST(Disk, MessagesDoNotSayWhereTheFolderLies) {
  io::MemoryFileSystem files;
  ASSERT_TRUE(files.create_directories("/secret/place/p/a/b/c/d/e/f/g/h/i"));
  ASSERT_TRUE(files.create_directories("/secret/place/q"));
  ASSERT_TRUE(io::write_file_atomically(files, "/secret/place/q/big.yaml", std::string(kMaxPackageFile + 1, 'x')));
  EXPECT_EQ(read_folder(files, "/secret/place/p", "p").front().unreadable->message,
            "p/a/b/c/d/e/f/g/h/i has folders deeper than 8");
  EXPECT_EQ(read_folder(files, "/secret/place/q", "q").front().unreadable->message,
            "file q/big.yaml is larger than 1048576 bytes");
  EXPECT_EQ(read_package_file(files, "/secret/place/q", "big.yaml").error().message,
            "file big.yaml is larger than 1048576 bytes");
  EXPECT_EQ(to_string(read_package_file(files, "/secret/place/q", "bgi.yaml").error()),
            "the package has no file \"bgi.yaml\" (did you mean \"big.yaml\"?)");
}

TEST(Disk, SymbolicLinksAreNotFollowed) {
  const auto files = io::real_file_system();
  std::string pattern = testing::TempDir() + "/links_XXXXXX";
  const std::string root = ::mkdtemp(pattern.data());
  ASSERT_TRUE(files->create_directories(root + "/p/pages"));
  ASSERT_TRUE(io::write_file_atomically(*files, root + "/secret", "secret"));
  ASSERT_EQ(::symlink((root + "/secret").c_str(), (root + "/p/x.yaml").c_str()), 0);
  ASSERT_EQ(::symlink(root.c_str(), (root + "/p/pages/out").c_str()), 0);
  const auto sources = read_folder(*files, root + "/p", "p");
  ASSERT_EQ(sources.size(), 1u);
  EXPECT_THAT(sources[0].unreadable.value().message, HasSubstr("symbolic link"));
  EXPECT_TRUE(sources[0].text.empty());
  for (const std::string name : {"x.yaml", "pages/out/secret", "../secret"}) {
    const auto text = read_package_file(*files, root + "/p", name);
    ASSERT_FALSE(text) << name;
    EXPECT_EQ(text.error().code, ErrorCode::kInvalidArgument) << name;
  }
  EXPECT_TRUE(files->remove_all(root));
}

TEST(Loader, ChecksNeedATargetThatCanBe) {
  EXPECT_THAT(
      errors("collectors:\n  c:\n    a: {http: {url: 'example.org'}}\n    b: {tcp: {address: 'x:99999'}}\n"
             "    d: {log: {path: x.log}}\n"),
      ElementsAre(HasSubstr("5:21: \"example.org\" is no HTTP address"), HasSubstr("6:24: \"x:99999\" is no address"),
                  HasSubstr("7:21: \"x.log\" is no absolute path")));
  EXPECT_THAT(errors("collectors:\n  c:\n    a: {tcp: {address: 'x:9'}, period: 100ms}\n    b: {tcp: {address: 'x:9'}, "
                     "timeout: 11s}\n    d: {log: {path: /x}, timeout: 1s}\n"),
              ElementsAre(HasSubstr("5:40: \"period\" is 100ms; it must be 1s to 1d"),
                          HasSubstr("6:41: a timeout of 11s with a period of 10s"),
                          HasSubstr("7:35: a log collector has no timeout")));
}

TEST(Loader, AProcessIsToldByNameOrRegex) {
  EXPECT_THAT(errors("collectors:\n  c:\n    a: {process: {at_least: 2}}\n    b: {process: {name: x, regex: y}}\n"),
              ElementsAre(HasSubstr("5:18: \"process\" has none of the keys name, regex"),
                          HasSubstr("6:28: \"process\" has both")));
}

TEST(Loader, ChecksOfAPackageHaveNamesOfTheirOwn) {
  EXPECT_THAT(errors("collectors:\n  c:\n    a: {process: {name: x}}\n  d:\n    a: {process: {name: y}}\n"),
              ElementsAre(HasSubstr("7:5: another check of this package, at p/p.yaml:5:5")));
}

TEST(Loader, ChannelsAreOfATypeThatExists) {
  EXPECT_THAT(errors("channels:\n  ops:\n    a: {webhok: {url: x}}\n"),
              ElementsAre(R"(5:9: channel "p/ops/a" has no key "webhok" (did you mean "webhook"?))"));
  EXPECT_THAT(errors("channels:\n  ops:\n    a: {email: {smtp: x, from: y}}\n"),
              ElementsAre(HasSubstr(R"("email" needs the key "to")")));
}

TEST(Loader, FilesBelowChannelsDefineTypes) {
  const auto loaded =
      load_files({{"channels/pager.yaml", "channel_types: {pager: {settings: {url: {title: where}}}}\n"},
                  {"p.yaml", "package: p\nversion: 1.0.0\nchannels: {ops: {a: {pager: {url: x}}}}\n"}});
  ASSERT_THAT(loaded.errors, IsEmpty()) << to_string(loaded.errors.front());
  ASSERT_EQ(loaded.package.channel_types.size(), 1u);
  EXPECT_EQ(loaded.package.channel_types[0].name, "pager");
}

/// The mistakes of one document of alertmanager.
std::vector<std::string> told_of_routing(const std::string& document) {
  std::vector<std::string> out;
  const auto loaded = load_files({{"package.yaml", "package: p\nversion: 1.0.0\nalertmanager:\n" + document}});
  for (const auto& error : loaded.errors) out.push_back(to_string(error));
  return out;
}

TEST(Alertmanager, NamesThatRoutesHoldMustBeThere) {
  EXPECT_THAT(
      told_of_routing("  route:\n"
                      "    receiver: ops\n"
                      "    routes:\n"
                      "      - {matchers: ['a=\"b\"'], mute_time_intervals: [nights, week]}\n"
                      "      - {receiver: opps, routes: [{receiver: nobody, active_time_intervals: [nihgts]}]}\n"
                      "  receivers: [{name: ops}, {name: dba}]\n"
                      "  time_intervals: [{name: nights, time_intervals: [{}]}]\n"
                      "  mute_time_intervals: [{name: holidays, time_intervals: [{}]}]\n"),
      ElementsAre("p/package.yaml:7:61: there is no time interval \"week\" (known are: holidays, nights)",
                  "p/package.yaml:8:20: there is no receiver \"opps\" (did you mean \"ops\"?)",
                  "p/package.yaml:8:46: there is no receiver \"nobody\" (known are: dba, ops)",
                  "p/package.yaml:8:78: there is no time interval \"nihgts\" (did you mean \"nights\"?)"));
  EXPECT_THAT(
      told_of_routing("  route: {routes: [{active_time_intervals: [zz]}]}\n  receivers: [{name: a}]\n"),
      ElementsAre("p/package.yaml:4:10: the root route names no receiver (add receiver: for what no other route "
                  "takes)",
                  "p/package.yaml:4:45: there is no time interval \"zz\" (add it to time_intervals:)"));
}

TEST(Alertmanager, ANameStandsOnce) {
  EXPECT_THAT(told_of_routing("  route: {receiver: a}\n"
                              "  receivers: [{name: a}, {name: a}]\n"
                              "  time_intervals: [{name: n, time_intervals: [{}]}]\n"
                              "  mute_time_intervals: [{name: n, time_intervals: [{}]}]\n"),
              ElementsAre("p/package.yaml:5:33: there is another receiver \"a\", at p/package.yaml:5:22 (give one of "
                          "them another name)",
                          "p/package.yaml:7:32: there is another time interval \"n\", at p/package.yaml:6:27 (give one "
                          "of them another name)"));
}

TEST(Glob, StarsAndQuestionMarks) {
  EXPECT_TRUE(glob_matches("*", ""));
  EXPECT_TRUE(glob_matches("web*.example.*", "web1.x.example.org"));
  EXPECT_TRUE(glob_matches("w?b", "wéb"[0] == 'w' ? "web" : "web"));
  EXPECT_FALSE(glob_matches("w?b", "wb"));
  EXPECT_FALSE(glob_matches("web", "web1"));
  EXPECT_FALSE(glob_matches("*1", "web2"));
  EXPECT_FALSE(glob_matches(std::string(40, '*') + "b", std::string(2000, 'a')));
}

TEST(Loader, RefusesAnAnnotationThatDoesNotParseWithItsPlace) {
  EXPECT_THAT(errors(R"(rules:
  a:
    b:
      gauge: {expr: up, above: {warning: 1}}
      annotations:
        summary: '{{ nope }} left'
)"),
              ElementsAre(testing::AllOf(testing::StartsWith("8:"), HasSubstr("annotations.summary"))));
  EXPECT_THAT(errors("rules: {a: {b: {binary: {expr: up}, annotations: {x: '{{ $labels.y | humanize }}'}}}}\n"),
              IsEmpty());
}

TEST(Loader, RefusesAddressesOfChecksThatHoldPasswordsWithoutRepeatingThem) {
  for (const std::string url : {"http://ana:hidden@h/", "http://ana:hidden@h:x/", "ftp://ana:hidden@h/"}) {
    const auto found = errors("collectors: {a: {b: {http: {url: '" + url + "'}}}}\n");
    ASSERT_EQ(found.size(), 1u) << url;
    EXPECT_THAT(found.front(), testing::Not(HasSubstr("hidden")));
  }
}

TEST(Loader, RefusesAddressesOfChecksWithControlCharacters) {
  EXPECT_EQ(errors("collectors: {a: {b: {http: {url: \"http://h/\\u0001\"}}}}\n").size(), 1u);
  EXPECT_EQ(errors("collectors: {a: {b: {http: {url: \"http://h/\\r\\nX: y\"}}}}\n").size(), 1u);
}

}  // namespace
}  // namespace atalaya::packages
