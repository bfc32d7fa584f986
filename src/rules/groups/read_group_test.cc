#include "rules/groups/read_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/memory_file_system.h"
#include "rules/groups/first_document.h"
#include "rules/groups/glob.h"
#include "rules/groups/presence.h"
#include "rules/groups/schedule.h"

namespace atalaya::rules {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Read {
  std::vector<GroupSpec> groups;
  std::vector<std::string> errors;
};

Read read(const std::string& yaml, bool ignore_unknown = false) {
  Read out;
  config::Errors errors;
  const auto document = config::Document::parse(yaml, "r.yml", errors);
  EXPECT_TRUE(document) << to_string(document.error());
  const ReadGroups options{TenantId{}, "r.yml", "r", ignore_unknown, [](const auto& scalar, const Place& in_text) {
                             auto place = scalar.place();
                             place.column += in_text.column > 0 ? in_text.column - 1 : 0;
                             return place;
                           }};
  out.groups = read_rule_file(document->root(), options, errors);
  for (const auto& error : errors) out.errors.push_back(to_string(error));
  return out;
}

std::string group(const std::string& rule) { return "groups: [{name: g, rules: [" + rule + "]}]"; }

TEST(RuleFiles, AGroupIsReadWithAllItsFields) {
  const auto file = read(R"(
groups:
  - name: g
    interval: 30s
    limit: 7
    query_offset: 10s
    on_arrival: false
    labels: {team: a, tier: base}
    rules:
      - alert: Down
        expr: up == 0
        for: 5m
        keep_firing_for: 1m
        labels: {tier: own}
        annotations: {summary: '{{ $labels.instance }}'}
      - {record: 'a:b', expr: '1'}
)");
  ASSERT_THAT(file.errors, IsEmpty());
  const auto& g = file.groups.at(0);
  EXPECT_EQ(g.id, "r/g");
  EXPECT_EQ(g.interval, std::chrono::seconds{30});
  EXPECT_EQ(g.limit, 7u);
  EXPECT_EQ(g.query_offset, std::chrono::seconds{10});
  EXPECT_FALSE(g.on_arrival);
  EXPECT_EQ(g.rules[0].id, "r/g/Down");
  EXPECT_EQ(to_string(g.rules[0].label_set()), R"({team="a", tier="own"})");
  EXPECT_EQ(g.rules[0].hold, std::chrono::minutes{5});
  EXPECT_EQ(g.rules[0].keep_firing_for, std::chrono::minutes{1});
  EXPECT_TRUE(g.rules[0].annotations[0].parsed);
  EXPECT_FALSE(g.rules[1].alerting);
}

TEST(RuleFiles, EveryMistakeIsToldAtItsPlace) {
  const auto file = read(R"(
groups:
  - name: g
    rules:
      - {alert: A, expr: 'up ==', labels: {__name__: x}}
      - {alert: B, expr: up, annotations: {summary: '{{ $label.foo }}'}}
      - {record: r, expr: up, for: 5m, annotations: {a: b}}
  - name: g
    rules: []
)");
  ASSERT_EQ(file.errors.size(), 6u);
  EXPECT_THAT(file.errors[0], testing::StartsWith("r.yml:5:"));
  EXPECT_THAT(file.errors[0], HasSubstr("could not parse expression"));
  EXPECT_THAT(file.errors[1], HasSubstr("invalid label name: \"__name__\""));
  EXPECT_THAT(file.errors[2], testing::StartsWith("r.yml:6:"));
  EXPECT_THAT(file.errors[2], HasSubstr("annotation \"summary\""));
  EXPECT_THAT(file.errors[3], HasSubstr("invalid field 'annotations' in recording rule"));
  EXPECT_THAT(file.errors[4], HasSubstr("invalid field 'for' in recording rule"));
  EXPECT_THAT(file.errors[5], HasSubstr("groupname: \"g\" is repeated in the same file"));
}

TEST(RuleFiles, WrongRulesAreRefused) {
  for (const auto* rule : {"{expr: up}", "{alert: a, record: b, expr: up}", "{alert: a}", "{alert: a, expr: ''}",
                           "{record: 'up{x=\"y\"}', expr: up}", "{record: r, expr: up, keep_firing_for: 1m}",
                           "{alert: a, expr: up, for: soon}", "{alert: a, expr: up, labels: {a: '{{ end }}'}}",
                           "{alert: a, expr: up, annotations: {'': b}}", "{alert: a, expr: up, unknown: 1}"}) {
    EXPECT_EQ(read(group(rule)).errors.size(), 1u) << rule;
  }
}

TEST(RuleFiles, WhatIsNothingIsAsIfItWereNotThere) {
  const auto file = read(group("{alert: a, expr: up, for: null, keep_firing_for: ~, labels: null, annotations: ~}"));
  ASSERT_THAT(file.errors, IsEmpty());
  EXPECT_EQ(file.groups.at(0).rules.at(0).hold, Duration{0});
}

TEST(RuleFiles, UnknownFieldsMayBePassedOver) {
  const std::string text = "{groups: [{name: g, owner: me, rules: [{record: r, expr: up, x: 1}]}], y: 2}";
  EXPECT_EQ(read(text).errors.size(), 3u);
  EXPECT_THAT(read(text, true).errors, IsEmpty());
}

TEST(RuleFiles, AnEmptyFileHoldsNoRules) {
  EXPECT_THAT(read("").errors, IsEmpty());
  EXPECT_THAT(read("groups: []").errors, IsEmpty());
  EXPECT_THAT(read("{groups: [{name: g}]}").groups.at(0).rules, IsEmpty());
}

TEST(RuleFiles, RulesOfOneNameHaveIdsOfTheirOwn) {
  const auto file = read(group("{alert: A, expr: up, labels: {s: a}}, {alert: A, expr: up, labels: {s: b}}"));
  EXPECT_EQ(file.groups[0].rules[0].id, "r/g/A");
  EXPECT_EQ(file.groups[0].rules[1].id, "r/g/A#2");
}

TEST(RuleFiles, DuplicatesAreFoundByNameAndLabels) {
  const auto file =
      read(group("{record: a, expr: up}, {record: b, expr: up}, {record: a, expr: down}, "
                 "{record: a, expr: up, labels: {x: y}}"));
  const auto found = duplicate_rules(file.groups);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].name, "a");
}

TEST(Presence, FiltersBecomeJudgements) {
  const auto presence = [](std::string_view text) {
    const auto of = presence_of(*promql::parse(text));
    return of ? promql::to_string(*of) : "none";
  };
  EXPECT_EQ(presence("up == 0"), "up == bool 0");
  EXPECT_EQ(presence("rate(x[5m]) > 5 and y < 3"), "rate(x[5m]) > bool 5 and y < bool 3");
  EXPECT_EQ(presence("x > 5 unless y"), "x > bool 5");
  EXPECT_EQ(presence("topk(3, x) > 5"), "x > bool 5");
  EXPECT_EQ(presence("count(up == 0) > 3"), "count(up == bool 0) > bool 3");
  EXPECT_EQ(presence("absent(up)"), "none");
  EXPECT_EQ(presence("1"), "none");
}

TEST(Schedule, InstantsAreTheSameForEverAndOneIntervalApart) {
  const Schedule schedule("f.yml", "g", std::chrono::minutes{1});
  const Time now = from_ms(1'700'000'000'123);
  const Time last = schedule.last(now);
  EXPECT_LE(last, now);
  EXPECT_LT(now - last, std::chrono::minutes{1});
  EXPECT_EQ(schedule.next(now), last + std::chrono::minutes{1});
  EXPECT_EQ(schedule.last(last), last);
  EXPECT_EQ(schedule.last(last + std::chrono::hours{5}), last + std::chrono::hours{5});
  EXPECT_NE(Schedule("f.yml", "h", std::chrono::minutes{1}).last(now), last) << "groups are spread";
}

TEST(Globs, NamePathsByPatternsInEachPart) {
  io::MemoryFileSystem files;
  for (const auto* path : {"/r/a/x.yml", "/r/a/y.yaml", "/r/b/x.yml", "/r/z.yml"}) {
    ASSERT_TRUE(files.create_directories(io::parent_path(path)));
    ASSERT_TRUE(io::write_file_atomically(files, path, "x"));
  }
  EXPECT_THAT(expand_glob(files, "/r/*/*.yml"), ElementsAre("/r/a/x.yml", "/r/b/x.yml"));
  EXPECT_THAT(expand_glob(files, "/r/[az]*"), ElementsAre("/r/a", "/r/z.yml"));
  EXPECT_THAT(expand_glob(files, "/r/nothing.yml"), ElementsAre("/r/nothing.yml"));
  EXPECT_THAT(expand_glob(files, "/q/*.yml"), IsEmpty());
}

TEST(RuleFiles, TheFirstDocumentCounts) {
  const auto first = [](std::string_view text) { return text.substr(0, first_document_size(text)); };
  EXPECT_EQ(first("a: 1\n---\nb: [\n"), "a: 1\n");
  EXPECT_EQ(first("# c\n%YAML 1.1\n\n--- # here\na: |\n  ---\n ---\n...\nmore"),
            "# c\n%YAML 1.1\n\n--- # here\na: |\n  ---\n ---\n");
  EXPECT_EQ(first("---\n--- \na: 1"), "---\n");
  EXPECT_EQ(first("a: 1\n----\n---x\n"), "a: 1\n----\n---x\n");
  EXPECT_EQ(first("a: 1\r\n---\r\nb: 2"), "a: 1\r\n");
  EXPECT_EQ(first(""), "");
}

TEST(RuleFiles, ALabelOfNothingIsEmptyAndALimitMayHaveDecimals) {
  const auto file = read(
      "groups: [{name: g, limit: 1.5, labels: {l: }, rules: [{alert: A, expr: up, labels: {a: }, "
      "annotations: {b: ~}}]}, {name: h, limit: -1}]");
  ASSERT_THAT(file.errors, IsEmpty());
  EXPECT_EQ(file.groups.at(0).limit, 1u);
  EXPECT_EQ(file.groups.at(1).limit, 0u);
  EXPECT_EQ(file.groups[0].rules.at(0).annotations.at(0).text, "");
  EXPECT_THAT(read("groups: [{name: g, limit: x}]").errors, ElementsAre(HasSubstr("a number")));
}

TEST(RuleFiles, LimitsAreReadInAllOfYamlsWays) {
  const auto limit = [](const std::string& text) {
    const auto file = read("groups: [{name: g, limit: " + text + "}]");
    return file.errors.empty() ? static_cast<int>(file.groups.at(0).limit) : -1;
  };
  EXPECT_EQ(limit("1_000"), 1000);
  EXPECT_EQ(limit("0x1F"), 31);
  EXPECT_EQ(limit("010"), 8);
  EXPECT_EQ(limit("0o10"), 8);
  EXPECT_EQ(limit("0b101"), 5);
  EXPECT_EQ(limit("08"), 8);
  EXPECT_EQ(limit("-1_0"), -1);
  for (const auto* bad : {"'1_000'", "\"7\"", "0x", "0b2", "1_x", "_"}) EXPECT_EQ(limit(bad), -1) << bad;
}

TEST(RuleFiles, TemplatesAreRefusedWhereGoDoesNotParseThem) {
  const auto errors_of = [](const std::string& text) {
    return read(group("{alert: A, expr: up, annotations: {s: '" + text + "'}}")).errors;
  };
  for (const auto* text : {"{{ humanize }}", "{{ humanize 1 2 }}", "{{ not }}", "{{ eq 1 }}", "{{ template \"x\" }}",
                           "{{ $labels \"i\" }}", "{{ call $labels }}", "{{ 1_000 }}", "{{ 0b11 }}", "{{ 1i }}"}) {
    EXPECT_THAT(errors_of(text), IsEmpty()) << text;
  }
  for (const auto* text : {"{{ /* c */ }}", "{{ nofunction }}", "{{ $nope }}", "{{ 1 | 2 }}"}) {
    EXPECT_EQ(errors_of(text).size(), 1u) << text;
  }
}

TEST(RuleFiles, PatternsThatAreNoneAreKnown) {
  for (const auto* good : {"", "a/*.yml", "[a-z]?", "[^ab]", "\\[", "[\\]]", "]"}) EXPECT_TRUE(is_glob(good)) << good;
  for (const auto* bad : {"[", "a[", "[]", "[]a]", "[a", "[a-]", "[-a]", "[^]", "\\", "[\\"})
    EXPECT_FALSE(is_glob(bad)) << bad;
}

}  // namespace
}  // namespace atalaya::rules
