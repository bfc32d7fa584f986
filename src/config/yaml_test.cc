#include "config/yaml.h"

#include <gtest/gtest.h>

#include <cmath>

namespace atalaya::config {
namespace {

Document parse(std::string text) {
  auto document = Document::parse(std::move(text), "a.yaml");
  if (!document) throw std::runtime_error(to_string(document.error()));
  return std::move(*document);
}

std::string error_of(std::string text, const YamlLimits& limits = {}) {
  const auto document = Document::parse(std::move(text), "a.yaml", limits);
  return document ? "no error" : to_string(document.error());
}

std::string_view bytes_of(const Document& document, const Node& node) {
  return std::string_view(document.text()).substr(node.begin(), node.end() - node.begin());
}

TEST(Yaml, ATreeHasKindsTextsAndStyles) {
  const auto document = parse("name: web\nports: [80, '443']\nbox:\n  text: |\n    a\n    b\n  none:\n");
  const auto& root = document.root();
  ASSERT_TRUE(root.is_mapping());
  EXPECT_EQ(root.style(), Node::Style::kBlock);
  EXPECT_EQ(root.get("name")->text(), "web");
  const auto& ports = *root.get("ports");
  EXPECT_EQ(ports.style(), Node::Style::kFlow);
  ASSERT_EQ(ports.items().size(), 2u);
  EXPECT_EQ(ports.items()[1]->style(), Node::Style::kSingleQuoted);
  EXPECT_EQ(root.get({"box", "text"})->text(), "a\nb\n");
  EXPECT_EQ(root.get({"box", "text"})->style(), Node::Style::kLiteral);
  EXPECT_TRUE(root.get({"box", "none"})->is_null());
  EXPECT_EQ(root.get({"box", "absent"}), nullptr);
  EXPECT_EQ(root.get("absent"), nullptr);
}

TEST(Yaml, EveryNodeKnowsItsPlace) {
  const auto document = parse("# first\na:\n  b: [x,\n      y]\n");
  const auto* y = document.root().get({"a", "b"})->items()[1];
  EXPECT_EQ(to_string(y->place()), "a.yaml:4:7");
  EXPECT_EQ(to_string(document.root().get("a")->place()), "a.yaml:3:3");
  EXPECT_EQ(to_string(document.root().entries()[0].key->place()), "a.yaml:2:1");
}

TEST(Yaml, EveryNodeKnowsItsBytesAlsoAfterOtherAlphabets) {
  const auto document = parse("\xef\xbb\xbfñandú: 'größe' # €\nb: &x !t {c: ½, d: [1]}\ne:\n  f: g\n\n# end\n");
  const auto& root = document.root();
  EXPECT_EQ(bytes_of(document, *root.get("ñandú")), "'größe'");
  EXPECT_EQ(bytes_of(document, *root.entries()[0].key), "ñandú");
  EXPECT_EQ(bytes_of(document, *root.get("b")), "{c: ½, d: [1]}");
  EXPECT_EQ(document.text().substr(root.get("b")->full_begin(), 5), "&x !t");
  EXPECT_EQ(root.get("b")->tag(), "!t");
  EXPECT_EQ(bytes_of(document, *root.get({"b", "d"})), "[1]");
  EXPECT_EQ(bytes_of(document, *root.get("e")), "f: g");
}

TEST(Yaml, BytesAreRightPastManyWideCharacters) {
  std::string text = "k: [";
  for (int i = 0; i < 300; ++i) text += "€, ";
  text += "last]\n";
  const auto document = parse(text);
  EXPECT_EQ(bytes_of(document, *document.root().get("k")->items().back()), "last");
}

TEST(Yaml, AnEmptyTextIsNull) {
  EXPECT_TRUE(parse("").root().is_null());
  EXPECT_TRUE(parse("# only a comment\n").root().is_null());
}

TEST(Yaml, ScalarsMeanWhatTheCoreSchemaSays) {
  const auto document = parse("{a: 12, b: -0x1f, c: 1.5e3, d: true, e: yes, f: '12', g: .inf, h: ~, i: 15s, j: 8MiB}");
  const auto& root = document.root();
  EXPECT_EQ(as_integer(*root.get("a")).value(), 12);
  EXPECT_FALSE(as_integer(*root.get("b")));
  EXPECT_EQ(as_number(*root.get("c")).value(), 1500);
  EXPECT_FALSE(as_integer(*root.get("c")));
  EXPECT_TRUE(as_boolean(*root.get("d")).value());
  EXPECT_FALSE(as_boolean(*root.get("e")));
  EXPECT_EQ(as_text(*root.get("e")).value(), "yes");
  EXPECT_TRUE(std::isinf(as_number(*root.get("g")).value()));
  EXPECT_FALSE(as_text(*root.get("h")));
  EXPECT_EQ(as_duration(*root.get("i")).value(), Duration{15000});
  EXPECT_EQ(as_bytes(*root.get("j")).value(), 8u << 20);
  EXPECT_EQ(as_bytes(*root.get("a")).value(), 12u);
  EXPECT_FALSE(as_bytes(*root.get("c")));
}

TEST(Yaml, AWrongTypeNamesThePlaceAndTheRemedy) {
  const auto document = parse("a: '12'\nb: [1]\nc: soon\n");
  const auto& root = document.root();
  EXPECT_EQ(to_string(as_integer(*root.get("a")).error()),
            "a.yaml:1:4: expected a whole number, found the text \"12\" (write it without quotes)");
  EXPECT_EQ(to_string(as_text(*root.get("b")).error()), "a.yaml:2:4: expected a text, found a list");
  EXPECT_EQ(as_duration(*root.get("c")).error().remedy, "write units from large to small, such as 1h30m, 15s, 250ms");
}

TEST(Yaml, NumbersOutsideTheirRangeAreRefused) {
  for (const auto* bad : {"9223372036854775808", "1e999", "0x", "0x-1", "+-1", "infinity", "nan", "1_000", "--1"}) {
    const auto document = parse(std::string("[\"\", ") + bad + "]");
    EXPECT_FALSE(as_integer(*document.root().items()[1])) << bad;
  }
  for (const auto* bad : {"1e999", "infinity", "nan", "1_000", "--1", "-", "."}) {
    const auto document = parse(std::string("[") + bad + "]");
    EXPECT_FALSE(as_number(*document.root().items()[0])) << bad;
  }
}

TEST(Yaml, AKeyTwiceIsAnErrorAtTheSecond) {
  EXPECT_EQ(error_of("a: 1\nb: 2\na: 3\n"),
            "a.yaml:3:1: key \"a\" is already in line 1 (remove or rename one of the two)");
  EXPECT_NE(error_of("x: {a: 1, \"a\": 2}"), "no error");
}

TEST(Yaml, WhatIsNotYamlIsAnErrorWithPlaceAndRemedy) {
  EXPECT_EQ(error_of("a:\n\t- b\n"),
            "a.yaml:2:1: found character that cannot start any token, while scanning for the next token"
            " (indent with spaces, not tabs)");
  EXPECT_NE(error_of("a:\n  b: c\n\td: e\n").find("(indent with spaces, not tabs)"), std::string::npos);
  EXPECT_EQ(error_of("a: b: c\n"),
            "a.yaml:1:5: mapping values are not allowed in this context"
            " (put text that holds \": \" in quotes, or check the indentation)");
  EXPECT_EQ(error_of("a: 1\n---\nb: 2\n"), "a.yaml:2:1: a second document begins here (put it into a file of its own)");
  EXPECT_NE(error_of("a: [1, 2\nb: 3\n").find("that begins in line 1"), std::string::npos);
  EXPECT_EQ(error_of("a: 1\nb: \xff\n"), "a.yaml:2: invalid leading UTF-8 octet (save the file as UTF-8 text)");
  EXPECT_EQ(
      error_of("[a, b]: c\n"),
      "a.yaml:1:1: a key must be a text, not a list (write a name before the colon; a text in quotes may hold any "
      "character)");
}

TEST(Yaml, AnAliasHasTheContentOfItsAnchorAndAPlaceOfItsOwn) {
  const auto document = parse("a: &x {n: 1}\nb: *x\n");
  const auto& b = *document.root().get("b");
  EXPECT_TRUE(b.is_alias());
  EXPECT_EQ(b.get("n")->text(), "1");
  EXPECT_EQ(b.place().line, 2u);
  EXPECT_EQ(bytes_of(document, b), "*x");
}

TEST(Yaml, UnknownAndRecursiveAliasesAreErrors) {
  EXPECT_EQ(error_of("a: *x\n"), "a.yaml:1:4: no anchor &x before this");
  EXPECT_EQ(error_of("a: &x [*x]\n"), "a.yaml:1:8: *x stands inside itself");
}

TEST(Yaml, MergedKeysGiveWayToOwnOnes) {
  const auto document = parse("base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\nuse:\n  <<: [*b, *m]\n  x: 9\n");
  const auto& use = *document.root().get("use");
  EXPECT_EQ(use.get("x")->text(), "9");
  EXPECT_EQ(use.get("y")->text(), "2");
  EXPECT_EQ(use.get("z")->text(), "4");
  EXPECT_FALSE(use.entries()[0].merged);
  EXPECT_TRUE(use.entries()[1].merged);
  EXPECT_EQ(error_of("a:\n  <<: 3\n"), "a.yaml:2:7: << takes mappings, not \"3\"");
}

TEST(Yaml, AnAliasBombIsTooLarge) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const auto before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += (j ? ", " : "") + before;
    bomb += "]\n";
  }
  const auto document = Document::parse(bomb, "bomb");
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().code, ErrorCode::kTooLarge);
}

TEST(Yaml, ManyAliasesOfOneLongTextAreTooLarge) {
  std::string bomb = "a: &a \"" + std::string(1 << 20, 'x') + "\"\nb: [";
  for (int i = 0; i < 1000; ++i) bomb += "*a, ";
  EXPECT_EQ(Document::parse(bomb + "]", "bomb").error().code, ErrorCode::kTooLarge);
}

TEST(Yaml, EachLimitIsHit) {
  const YamlLimits small{.bytes = 40, .depth = 3, .nodes = 8};
  EXPECT_EQ(error_of("a: {b: {c: 1}}", {.bytes = 40, .depth = 4, .nodes = 8}), "no error");
  EXPECT_EQ(error_of("a: {b: {c: 1}}", small), "a.yaml:1:9: nested deeper than 3 (close brackets, or nest less)");
  EXPECT_EQ(error_of("[1, 2, 3, 4, 5, 6, 7]", small), "no error");
  EXPECT_EQ(error_of("[1, 2, 3, 4, 5, 6, 7, 8]", small),
            "a.yaml:1:23: more than 8 values (split the file, or use fewer aliases)");
  EXPECT_EQ(error_of(std::string(41, '#'), small), "a.yaml: 41 bytes of YAML, more than 40 (split the file)");
  EXPECT_EQ(Document::parse(std::string(100000, '['), "x").error().code, ErrorCode::kTooLarge);
}

TEST(Yaml, SameValueLooksThroughStyleAndOrder) {
  const auto a = parse("x: 1\ny: [a, 'b']\n");
  EXPECT_TRUE(same_value(a.root(), parse("{y: [\"a\", b], x: 1}").root()));
  EXPECT_FALSE(same_value(a.root(), parse("{y: [a, b], x: '1'}").root()));
  EXPECT_FALSE(same_value(a.root(), parse("{y: [b, a], x: 1}").root()));
  EXPECT_FALSE(same_value(a.root(), parse("{y: [a, b]}").root()));
}

}  // namespace
}  // namespace atalaya::config
