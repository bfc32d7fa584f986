#include "promql/pretty.h"

#include <gtest/gtest.h>

namespace atalaya::promql {
namespace {

std::string pretty(std::string_view text) {
  const auto expression = parse(text);
  if (!expression) return expression.error().message;
  auto out = prettify(**expression);
  const auto again = parse(out);
  EXPECT_EQ(again ? to_string(**again) : "", to_string(**expression));
  return out;
}

TEST(Prettify, WhatFitsStaysOnItsLine) {
  EXPECT_EQ(pretty("sum  by(a)(rate(foo [ 5m ]))"), "sum by (a) (rate(foo[5m]))");
  EXPECT_EQ(pretty("foo/bar"), "foo / bar");
}

TEST(Prettify, WhatDoesNotIsDividedAtItsParts) {
  EXPECT_EQ(pretty("histogram_quantile(0.9, sum by (le, job) (rate(a_long_name_of_a_histogram_of_seconds_bucket"
                   "{job=\"api\",path=\"/a\"}[5m])))"),
            "histogram_quantile(\n"
            "  0.9,\n"
            "  sum by (le, job) (rate(a_long_name_of_a_histogram_of_seconds_bucket{job=\"api\",path=\"/a\"}[5m]))\n"
            ")");
  EXPECT_EQ(pretty("sum(rate(the_first_counter_of_two_total{job=\"a\"}[5m])) / on (job) group_left (x) "
                   "(rate(the_second_counter_of_two_total{job=\"b\"}[5m]))"),
            "  sum(rate(the_first_counter_of_two_total{job=\"a\"}[5m]))\n"
            "/ on (job) group_left (x)\n"
            "  (rate(the_second_counter_of_two_total{job=\"b\"}[5m]))");
}

TEST(Prettify, ParametersParenthesesSignsAndSubqueries) {
  const std::string name(60, 'a');
  EXPECT_EQ(pretty("topk by (x) (3, " + name + " + " + name + ")"),
            "topk by (x) (\n  3,\n    " + name + "\n  +\n    " + name + "\n)");
  EXPECT_EQ(pretty("-(" + name + " + " + name + ")"), "-(\n    " + name + "\n  +\n    " + name + "\n)");
  EXPECT_EQ(pretty("max_over_time(sum(" + name + " + " + name + ")[1h:1m] offset 5m)"),
            "max_over_time(\n  sum(\n      " + name + "\n    +\n      " + name + "\n  )[1h:1m] offset 5m\n)");
}

}  // namespace
}  // namespace atalaya::promql
