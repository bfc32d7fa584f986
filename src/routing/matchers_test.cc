#include "routing/matchers.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "routing/reference_data.h"

namespace atalaya::routing {
namespace {

namespace json = boost::json;

std::string text_of(const Result<Matchers>& parsed) { return parsed ? to_string(*parsed) : parsed.error().message; }

TEST(Matchers, AlertmanagersCasesOfTheUtf8Notation) {
  const auto data = reference_data("alerting/matchers_utf8.json");
  if (!data) GTEST_SKIP() << data.error().message;
  constexpr std::string_view kOps[] = {"=", "!=", "=~", "!~"};
  for (const auto& value : data->at("cases").as_array()) {
    const auto& one = value.as_object();
    const std::string name(one.at("name").as_string());
    const auto parsed = parse_matchers(std::string(one.at("input").as_string()), MatcherSyntax::kUtf8);
    if (const auto* error = one.if_contains("error")) {
      ASSERT_FALSE(parsed) << name;
      EXPECT_EQ(parsed.error().message, error->as_string()) << name;
      continue;
    }
    ASSERT_TRUE(parsed) << name << ": " << parsed.error().message;
    const auto& expected = one.at("expected").as_array();
    ASSERT_EQ(parsed->size(), expected.size()) << name;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const auto& wanted = expected[i].as_object();
      EXPECT_EQ((*parsed)[i].name(), wanted.at("name").as_string()) << name;
      EXPECT_EQ(kOps[static_cast<int>((*parsed)[i].op())], wanted.at("op").as_string()) << name;
      EXPECT_EQ((*parsed)[i].value(), wanted.at("value").as_string()) << name;
    }
  }
}

TEST(Matchers, Utf8NotationTakesQuotedNamesAndGoEscapes) {
  const auto utf8 = [](std::string_view text) { return text_of(parse_matchers(text, MatcherSyntax::kUtf8)); };
  EXPECT_EQ(utf8(""), "{}");
  EXPECT_EQ(utf8("{}"), "{}");
  EXPECT_EQ(utf8("{foo=bar,}"), R"({foo="bar"})");
  EXPECT_EQ(utf8("foo!~[a-z]+ , x = y,"), R"({foo!~"[a-z]+",x="y"})");
  EXPECT_EQ(utf8(R"({"a b"="c\td"})"), "{\"a b\"=\"c\td\"}");
  EXPECT_EQ(utf8(R"("foo"="\"b\\")"), R"({foo="\"b\\"})");
  EXPECT_EQ(utf8(R"(a="\101\x42\u00e9")"), "{a=\"ABé\"}");
  EXPECT_EQ(utf8(R"(🙂=🙂)"), R"({"🙂"="🙂"})");
}

TEST(Matchers, Utf8NotationSaysWhereItStumbled) {
  const auto utf8 = [](std::string_view text) { return text_of(parse_matchers(text, MatcherSyntax::kUtf8)); };
  EXPECT_EQ(utf8("{"), "0:1: end of input: expected close brace");
  EXPECT_EQ(utf8("}"), "0:1: }: expected opening brace");
  EXPECT_EQ(utf8("foo=bar}"), "0:8: }: expected opening brace");
  EXPECT_EQ(utf8("{foo=bar"), "0:8: end of input: expected close brace");
  EXPECT_EQ(utf8(R"({foo=:"bar"})"), R"(6:11: unexpected "bar": expected a comma or close brace)");
  EXPECT_EQ(utf8(R"({foo="bar\w"})"), R"(5:12: "bar\w": invalid input)");
  EXPECT_EQ(utf8(R"({"foo"="\xf0\x9f"})"), R"(7:17: "\xf0\x9f": invalid input)");
  EXPECT_EQ(utf8("foo"), "end of input: expected an operator such as '=', '!=', '=~' or '!~'");
  EXPECT_EQ(utf8("foo="), "end of input: expected label value");
  EXPECT_EQ(utf8("foo!"),
            "3:4: unexpected end of input, expected one of '=~': expected an operator such as '=', "
            "'!=', '=~' or '!~'");
  EXPECT_EQ(utf8("foo!!"), "3:4: !: expected one of '=~': expected an operator such as '=', '!=', '=~' or '!~'");
  EXPECT_EQ(utf8(R"(foo="bar)"), R"(4:8: "bar: missing end ": expected label value)");
  EXPECT_EQ(utf8("{a=b}x"), "5:6: x: expected end of input");
  EXPECT_EQ(utf8("a=b,="), "4:5: unexpected =: expected a matcher or close brace after comma");
}

TEST(Matchers, ClassicNotationIsTolerant) {
  const auto classic = [](std::string_view text) { return text_of(parse_matchers(text, MatcherSyntax::kClassic)); };
  EXPECT_EQ(classic(R"({foo = "bar", dings != "bums", })"), R"({foo="bar",dings!="bums"})");
  EXPECT_EQ(classic("foo=bar,dings!=bums"), R"({foo="bar",dings!="bums"})");
  EXPECT_EQ(classic(R"x(quote="She said: \"Hi, ladies! \"")x"), R"x({quote="She said: \"Hi, ladies! \""})x");
  EXPECT_EQ(classic(R"(statuscode=~"5..")"), R"({statuscode=~"5.."})");
  EXPECT_EQ(classic("tricky=~~=!=~"), R"({tricky=~"~=!=~"})");
  EXPECT_EQ(classic(R"(job=\w)"), R"({job="\\w"})");
  EXPECT_EQ(classic("foo="), R"({foo=""})");
  EXPECT_EQ(classic(R"(foo="bar)"), R"(matcher value contains unescaped double quote: "bar)");
  EXPECT_EQ(classic(R"(foo=b"ar)"), R"(matcher value contains unescaped double quote: b"ar)");
  EXPECT_EQ(classic("1foo=bar"), "bad matcher format: 1foo=bar");
  EXPECT_EQ(classic("foo"), "bad matcher format: foo");
  EXPECT_EQ(classic(",a=b"), "bad matcher format: ");
}

TEST(Matchers, WhatOnlyTheClassicNotationKnowsIsReadAsSuch) {
  const auto both = [](std::string_view text) { return text_of(parse_matchers(text)); };
  EXPECT_EQ(both("a=b"), R"({a="b"})");
  EXPECT_EQ(both(R"("a b"=c)"), R"({"a b"="c"})") << "only UTF-8";
  EXPECT_EQ(both("foo=~(a|b),x=y z"), R"x({foo=~"(a|b)",x="y z"})x") << "only classic";
  EXPECT_EQ(both(R"(foo="\x62")"), R"({foo="\\x62"})") << "the two differ: classic";
  EXPECT_EQ(both("foo"), "end of input: expected an operator such as '=', '!=', '=~' or '!~'");
}

TEST(Matchers, OneMatcherIsOneWithoutBraces) {
  EXPECT_EQ(parse_matcher("a=b")->value(), "b");
  EXPECT_EQ(parse_matcher("{a=b}").error().message, "unexpected open or close brace: {a=b}");
  EXPECT_EQ(parse_matcher("").error().message, "no matchers");
  EXPECT_EQ(parse_matcher("a=b,c=d").error().message, "expected 1 matcher, found 2");
  EXPECT_FALSE(parse_matcher("a=~(")) << "no expression";
  EXPECT_FALSE(parse_matcher("a=\xff")) << "no UTF-8";
}

}  // namespace
}  // namespace atalaya::routing
