#include "config/yaml_compose.h"

#include <gtest/gtest.h>

namespace atalaya::config {
namespace {

Document parse(std::string text, std::string file) {
  auto document = Document::parse(std::move(text), std::move(file));
  EXPECT_TRUE(document) << to_string(document.error());
  return std::move(*document);
}

TEST(YamlCompose, AnOverlayReplacesSingleFieldsAndKeepsBothPlaces) {
  const auto base = parse("gauge:\n  expr: up\n  below: {warning: 1, critical: 2}\nfor: 5m\n", "a.yaml");
  const auto over = parse("gauge: {below: {warning: 3}}\nlabels: {team: x}\n", "b.yaml");
  const auto both = overlay(base, base.root(), over, over.root());
  ASSERT_TRUE(both);
  EXPECT_EQ(write_flow(value_of(both->root())),
            "{gauge: {expr: up, below: {warning: 3, critical: 2}}, for: 5m, labels: {team: x}}");
  EXPECT_EQ(both->root().get({"gauge", "below", "warning"})->place(), (Place{"b.yaml", 1, 26}));
  EXPECT_EQ(both->root().get({"gauge", "below", "critical"})->place(), (Place{"a.yaml", 3, 33}));
}

TEST(YamlCompose, AnOverlayOfAnotherKindReplacesTheWhole) {
  const auto base = parse("on: {a: 1}", "a.yaml");
  const auto over = parse("on: [x, y]", "b.yaml");
  EXPECT_EQ(write_flow(value_of(overlay(base, base.root(), over, over.root())->root())), "{on: [x, y]}");
}

TEST(YamlCompose, TheResultOutlivesItsSources) {
  std::optional<Document> both;
  {
    const auto base = parse("a: 1\nb: 2\n", "a.yaml");
    const auto over = parse("b: 3\n", "b.yaml");
    both = *overlay(base, base.root(), over, over.root());
  }
  EXPECT_EQ(both->root().get("a")->place().file, "a.yaml");
  EXPECT_EQ(both->root().get("b")->text(), "3");
}

TEST(YamlCompose, SubstitutesScalarsAndKeysAtTheirPlaces) {
  const auto document = parse("rules:\n  HOST: {port: PORT, same: x}\n", "a.yaml");
  const auto made = substitute(document, document.root(), [](const Node& scalar) -> std::optional<YamlValue> {
    if (scalar.text() == "HOST") return YamlValue("db1");
    if (scalar.text() == "PORT") return YamlValue(3306);
    return std::nullopt;
  });
  ASSERT_TRUE(made);
  EXPECT_EQ(write_flow(value_of(made->root())), "{rules: {db1: {port: 3306, same: x}}}");
  EXPECT_EQ(made->root().get({"rules", "db1", "port"})->place(), (Place{"a.yaml", 2, 16}));
}

TEST(YamlCompose, KeysThatBecomeEqualAreToldWithTheirPlace) {
  const auto document = parse("A: 1\nB: 2\n", "a.yaml");
  const auto made = substitute(document, document.root(), [](const Node& scalar) -> std::optional<YamlValue> {
    if (scalar.text() == "A" || scalar.text() == "B") return YamlValue("same");
    return std::nullopt;
  });
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().place, (Place{"a.yaml", 2, 1}));
}

TEST(YamlCompose, WhatIsNotReplacedIsShared) {
  const auto document = parse("a: {b: c}\n", "a.yaml");
  const auto made = substitute(document, document.root(), [](const Node&) { return std::nullopt; });
  ASSERT_TRUE(made);
  EXPECT_EQ(&made->root(), &document.root());
}

}  // namespace
}  // namespace atalaya::config
