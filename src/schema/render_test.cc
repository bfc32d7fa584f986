// Plain values back to words, schemas as data and pages, places in texts.
#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/base_for_tests.h"
#include "schema/describe.h"
#include "schema/validate.h"

namespace atalaya::schema {
namespace {

using testing::HasSubstr;
using testing::Not;

const SchemaSet& base() {
  static const auto set = [] {
    config::Errors errors;
    return SchemaSet::build({base_source()}, errors);
  }();
  return *set;
}

config::Document yaml(const std::string& text) { return config::Document::parse(text, "p.yaml").value(); }

/// What a person wrote, checked and written again.
std::string again(const std::string& section, const std::string& text) {
  const auto document = yaml(text);
  config::Errors errors;
  const auto checked = check_item(document.root(), *base().section(section), "x", {base()}, errors);
  EXPECT_TRUE(errors.empty()) << to_string(errors.front());
  return config::write_flow(serialise(checked.fields, *base().section(section)->body, {base()}));
}

TEST(Serialise, WritesAsAPersonWould) {
  EXPECT_EQ(again("collectors", "{log: {path: [/a]}, period: 90000ms, on: [a, b]}"),
            "{log: {path: /a, from_start: false}, period: 1m30s, on: [a, b]}");
  EXPECT_EQ(again("rules", "{binary: {expr: up}, no_data: never}"),
            "{binary: {expr: up, failures: 1, severity: critical}, for: 0s, no_data: never}");
  EXPECT_EQ(again("silences", "{matchers: a=b, ends_at: '2026-01-31T12:00:00+01:00'}"),
            "{matchers: a=b, ends_at: \"2026-01-31T11:00:00.000Z\"}");
  EXPECT_EQ(again("rpc", "{script: {file: a.sh}, output_limit: 4096}"),
            "{role: operator, script: {file: a.sh}, timeout: 10s, output_limit: 4KiB}");
}

std::string shown(const boost::json::value& value, const std::string& type) {
  return format(value, **base().type(type), {base()});
}

TEST(Format, SpeaksToPeople) {
  EXPECT_EQ(shown(0.15, "ratio"), "15 %");
  EXPECT_EQ(shown(15.5, "percent"), "15.5 %");
  EXPECT_EQ(shown(8 << 20, "bytes"), "8 MiB");
  EXPECT_EQ(shown(1536, "bytes"), "1.5 KiB");
  EXPECT_EQ(shown(90000, "duration"), "1m30s");
  EXPECT_EQ(shown(0, "time"), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(shown(true, "boolean"), "yes");
  EXPECT_EQ(shown({{"warning", 0.5}, {"critical", 1.0}}, "levels"), "warning 0.5, critical 1");
  EXPECT_EQ(shown("#!/bin/sh\nexit 0\n", "script"), "2 lines");
}

TEST(Format, SecretsAreDots) { EXPECT_THAT(shown("hidden", "secret"), Not(HasSubstr("hidden"))); }

TEST(Describe, DefaultsOfSecretsAreDotsWhereverTheyStand) {
  const auto fields = yaml(
      "key: {type: secret, default: hidden}\n"
      "keys: {type: list of secret, default: [hidden]}\n"
      "any: {type: one or many secret, default: hidden}\n"
      "by_name: {type: map of secret, default: {a: hidden}}\n"
      "login: {type: record, fields: {user: {type: text, default: ana}, key: {type: secret, default: hidden}}}\n");
  config::Errors errors;
  const auto record = base().record(fields.root(), errors);
  ASSERT_TRUE(errors.empty()) << to_string(errors.front());
  for (const auto& field : record->fields) {
    const auto text = boost::json::serialize(to_json(field));
    EXPECT_THAT(text, testing::AllOf(HasSubstr(kHiddenSecret), Not(HasSubstr("hidden")))) << text;
  }
  EXPECT_THAT(boost::json::serialize(to_json(record->fields.back())), HasSubstr("\"default\":\"ana\""));
}

TEST(Values, JsonAndYamlAreTheSameValues) {
  const auto document = yaml("{a: [1, 2.5, 'true', true, ~], b: {c: text}}");
  const auto json = to_json(document.root());
  EXPECT_EQ(boost::json::serialize(json), R"({"a":[1,2.5E0,"true",true,null],"b":{"c":"text"}})");
  EXPECT_EQ(config::write_flow(to_yaml(json)), R"({a: [1, 2.5, "true", true, null], b: {c: text}})");
}

TEST(FieldAt, NamesTheFieldThatHoldsThePlace) {
  const auto item = yaml("title: x\ngauge:\n  expr: up\n  below: {warning: 1}\ndepends_on:\n- a\n- b\n");
  const auto at = [&](std::uint32_t line, std::uint32_t column) {
    return field_at(item.root(), {"p.yaml", line, column});
  };
  EXPECT_EQ(at(1, 1), "");
  EXPECT_EQ(at(1, 8), "title");
  EXPECT_EQ(at(3, 9), "gauge.expr");
  EXPECT_EQ(at(3, 10), "gauge.expr");
  EXPECT_EQ(at(4, 20), "gauge.below.warning");
  EXPECT_EQ(at(7, 3), "depends_on.1");
  EXPECT_EQ(field_at(item.root(), {"other.yaml", 3, 9}), "");
}

TEST(PlaceWithin, IsExactWhereTheWritingShowsTheText) {
  const std::string text = "a: plain text\nb: 'quoted'\nc: \"an \\\"escape\\\"\"\nd: |  # a comment\n   x\n   yz\n";
  const auto document = yaml(text);
  const auto place = [&](const char* key, std::uint32_t line, std::uint32_t column) {
    return place_within(text, *document.root().get(key), {"", line, column});
  };
  EXPECT_EQ(place("a", 1, 7), (Place{"p.yaml", 1, 10}));
  EXPECT_EQ(place("b", 1, 3), (Place{"p.yaml", 2, 7}));
  EXPECT_EQ(place("c", 1, 3), (Place{"p.yaml", 3, 4}));
  EXPECT_EQ(place("d", 2, 2), (Place{"p.yaml", 6, 5}));
  EXPECT_EQ(place("a", 0, 0), (Place{"p.yaml", 1, 4}));
}

TEST(PlaceWithin, TheEndOfABlockIsNotTheNextField) {
  const std::string text = "a: |\n  one\n  two +\n\nb: |+\n  x (\n\n\nc: 1\n";
  const auto document = yaml(text);
  const auto place = [&](const char* key, std::uint32_t line) {
    return place_within(text, *document.root().get(key), {"", line, 1});
  };
  EXPECT_EQ(place("a", 2), (Place{"p.yaml", 3, 3}));
  EXPECT_EQ(place("a", 3), (Place{"p.yaml", 3, 8}));
  EXPECT_EQ(place("b", 2), (Place{"p.yaml", 6, 6}));
  EXPECT_EQ(place("b", 4), (Place{"p.yaml", 6, 6}));
}

TEST(Describe, AFieldTellsAFormAllItNeeds) {
  const auto rules = to_json(*base().section("rules"));
  EXPECT_EQ(boost::json::serialize(rules.at("indexes").as_array().at(0).at("name")), "\"group\"");
  for (const auto& field : rules.at("fields").as_array()) {
    if (field.at("name") != "no_data") continue;
    EXPECT_EQ(boost::json::serialize(field),
              R"({"name":"no_data","title":"No data","help":"Silence after which the state is no_data; or never.",)"
              R"("required":false,"default":"5m","kind":"duration","type":"duration","or":["never"],)"
              R"("type_help":"a duration such as 30s"})");
  }
}

TEST(Describe, ARecordThatHoldsItselfEnds) {
  const auto text = boost::json::serialize(to_json(base()));
  EXPECT_LT(text.size(), 2u << 20);
  EXPECT_THAT(text, HasSubstr(R"("type":"alertmanager_route","recursive":true)"));
}

TEST(Markdown, HasEverySectionAndType) {
  const auto page = to_markdown(base());
  for (const auto* section : base().sections()) EXPECT_THAT(page, HasSubstr("\n## " + section->name + "\n"));
  for (const auto& type : base().types()) EXPECT_THAT(page, HasSubstr("\n### " + type->name + "\n"));
  EXPECT_THAT(page, HasSubstr("| `gauge.hysteresis` | number; at least 0 | `0` |"));
  EXPECT_THAT(page, HasSubstr("Exactly one of `gauge`, `binary`, `tailable`."));
}

}  // namespace
}  // namespace atalaya::schema
