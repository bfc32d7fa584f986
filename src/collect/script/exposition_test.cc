#include "collect/script/exposition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace atalaya::collect::script {
namespace {

using testing::HasSubstr;

std::string error_of(std::string_view text) {
  const auto parsed = parse_exposition(text);
  return parsed ? "no error" : parsed.error().message;
}

TEST(Exposition, SeriesComeWithLabelsAndValues) {
  const auto parsed = parse_exposition(
      "# HELP jobs_waiting Jobs that wait, with \"quotes\" and {braces}.\n"
      "# TYPE jobs_waiting gauge\n"
      "jobs_waiting{queue=\"a\",state=\"new\"} 3\n"
      "jobs_waiting { queue = \"b\\\\c \\\"d\\\" \\n\" , }\t-1.5e3  \n"
      "\n"
      "# just a word\n"
      "#TYPES are a comment too\n"
      "  up 1");
  ASSERT_TRUE(parsed) << to_string(parsed.error());
  EXPECT_EQ(*parsed, (std::vector<ExpositionSample>{
                         {"jobs_waiting", Labels{{"queue", "a"}, {"state", "new"}}, 3},
                         {"jobs_waiting", Labels{{"queue", "b\\c \"d\" \n"}}, -1500},
                         {"up", {}, 1},
                     }));
}

TEST(Exposition, NothingIsNoSeries) {
  EXPECT_TRUE(parse_exposition("").value().empty());
  EXPECT_TRUE(parse_exposition("\n\n# only words\n").value().empty());
}

TEST(Exposition, ValuesAreWrittenAsPrometheusReadsThem) {
  const auto value = [](const std::string& text) { return parse_exposition("a " + text).value().at(0).value; };
  EXPECT_EQ(value("+7"), 7);
  EXPECT_EQ(value(".5"), 0.5);
  EXPECT_EQ(value("1e400"), INFINITY);
  EXPECT_EQ(value("-1e400"), -INFINITY);
  EXPECT_EQ(value("1e-400"), 0);
  EXPECT_EQ(value("+Inf"), INFINITY);
  EXPECT_EQ(value("-inf"), -INFINITY);
  EXPECT_TRUE(std::isnan(value("NaN")));
  for (const auto* bad : {"", "x", "1x", "+-1", "--1", "0x10", "1,5", "nano"})
    EXPECT_THAT(error_of(std::string("a ") + bad), HasSubstr("which is no number")) << bad;
}

TEST(Exposition, WhatIsWrongIsToldWithItsLine) {
  EXPECT_EQ(error_of("a 1\n\n1a 2\n"), "line 3: \"1a\" is no metric's name");
  EXPECT_EQ(error_of("Traceback (most recent call last):"), "line 1: Traceback has \"(most\", which is no number");
  EXPECT_EQ(error_of("a{b} 1"), "line 1: label b has no value in quotes");
  EXPECT_EQ(error_of("a{b=\"c} 1"), "line 1: a label's value does not end with a quote");
  EXPECT_EQ(error_of("a{b=\"c\" d=\"e\"} 1"), "line 1: labels do not end with }");
  EXPECT_EQ(error_of("a{b=\"c\""), "line 1: labels do not end with }");
  EXPECT_EQ(error_of("a{"), "line 1: \"\" cannot be a label's name");
  EXPECT_EQ(error_of("a{__name__=\"c\"} 1"), "line 1: \"__name__\" cannot be a label's name");
  EXPECT_EQ(error_of("a{b=\"\\t\"} 1"), "line 1: a backslash stands before \\, \" or n only");
  EXPECT_EQ(error_of("a{b=\"1\",b=\"2\"} 1"), "line 1: label b is there twice");
  EXPECT_EQ(error_of("a 1 1700000000000"), "line 1: after the value of a comes \"1700000000000\"; a time is not taken");
  EXPECT_EQ(error_of("a 1\na 2"), "line 2: series of a is there twice");
  EXPECT_EQ(error_of("a{b=\"\"} 1\na 2"), "line 2: series of a is there twice");
  EXPECT_EQ(error_of("a{b=\"\xff\"} 1"), "line 1: not UTF-8");
  EXPECT_THAT(error_of("# TYPE a number\n"), HasSubstr("line 1: TYPE of a is \"number\", not one of counter, gauge"));
  EXPECT_THAT(error_of("# HELP 1 b\n"), HasSubstr("no metric's name"));
}

TEST(Exposition, ItsSizeIsBounded) {
  std::string many;
  for (std::size_t i = 0; i <= kMaxSeries; ++i) many += "a{n=\"" + std::to_string(i) + "\"} 1\n";
  EXPECT_EQ(error_of(many), "line 10001: more than 10000 series");
  std::string wide = "a{";
  for (std::size_t i = 0; i <= kMaxLabels; ++i) wide += "l" + std::to_string(i) + "=\"\",";
  EXPECT_EQ(error_of(wide + "} 1"), "line 1: more than 64 labels");
}

}  // namespace
}  // namespace atalaya::collect::script
