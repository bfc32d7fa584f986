#include "collect/scrape/relabel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atalaya::collect::scrape {
namespace {

using testing::HasSubstr;

RelabelSpec step(RelabelAction action, std::vector<std::string> from, std::string regex = "(.*)",
                 std::string target = "", std::string replacement = "$1") {
  RelabelSpec out;
  out.action = action;
  out.source_labels = std::move(from);
  out.regex = std::move(regex);
  out.target_label = std::move(target);
  out.replacement = std::move(replacement);
  return out;
}

/// The labels after the steps; "dropped" where one drops.
std::string after(const Labels& labels, const std::vector<RelabelSpec>& specs) {
  std::vector<Relabeling> steps;
  for (const auto& spec : specs) {
    auto made = Relabeling::make(spec);
    if (!made) return made.error().message;
    steps.push_back(std::move(*made));
  }
  const auto out = relabel(labels, steps);
  return out ? to_string(*out) : "dropped";
}

using enum RelabelAction;

TEST(Relabel, ReplaceWritesGroupsOfTheJoinedValuesWhereTheWholeMatches) {
  const Labels labels{{"a", "foo"}, {"b", "bar"}, {"c", "baz"}};
  EXPECT_EQ(after(labels, {step(kReplace, {"a"}, "f(.*)", "d", "ch${1}-ch${1}")}),
            R"({a="foo", b="bar", c="baz", d="choo-choo"})");
  EXPECT_EQ(after(labels, {step(kReplace, {"a", "b"}, "(?s)(f.*);(.*)r", "a", "b${1}${2}m")}),
            R"({a="bfoobam", b="bar", c="baz"})");
  EXPECT_EQ(after(labels, {step(kReplace, {"a"}, "oo", "d", "x")}), R"({a="foo", b="bar", c="baz"})")
      << "the expression must match from end to end";
  EXPECT_EQ(after(labels, {step(kReplace, {}, "(.*)", "d", "constant")}),
            R"({a="foo", b="bar", c="baz", d="constant"})");
}

TEST(Relabel, ReplacementsAreGos) {
  const Labels labels{{"a", "x-y"}};
  EXPECT_EQ(after(labels, {step(kReplace, {"a"}, "(?P<left>.)-(.)", "d", "$left/${2}/$$/$1x/$9/$")}),
            R"({a="x-y", d="x/y/$///$"})")
      << "$1x is a name that is not there";
  EXPECT_EQ(after(labels, {step(kReplace, {"a"}, "(.)-(.)", "$2_name", "v")}), R"({a="x-y"})")
      << "$2_name is one name, of nothing: no label is written";
  EXPECT_EQ(after(labels, {step(kReplace, {"a"}, "(.)-(.)", "${2}_name", "v")}), R"({a="x-y", y_name="v"})");
}

TEST(Relabel, AnEmptyResultRemovesTheLabel) {
  EXPECT_EQ(after({{"a", "x"}, {"b", "y"}}, {step(kReplace, {"a"}, "x", "b", "")}), R"({a="x"})");
}

TEST(Relabel, KeepAndDropLookAtTheJoinedValues) {
  const Labels labels{{"a", "foo"}, {"b", "bar"}};
  EXPECT_EQ(after(labels, {step(kKeep, {"a", "b"}, "foo;bar")}), R"({a="foo", b="bar"})");
  EXPECT_EQ(after(labels, {step(kKeep, {"a"}, "f")}), "dropped");
  EXPECT_EQ(after(labels, {step(kDrop, {"a"}, "f.*")}), "dropped");
  EXPECT_EQ(after(labels, {step(kDrop, {"a"}, "b.*")}), R"({a="foo", b="bar"})");
  EXPECT_EQ(after(labels, {step(kDrop, {"none"}, "")}), "dropped") << "an absent label is empty";
}

TEST(Relabel, KeepEqualAndDropEqualCompare) {
  const Labels labels{{"port", "1"}, {"wanted", "1"}, {"other", "2"}};
  EXPECT_NE(after(labels, {step(kKeepEqual, {"port"}, "(.*)", "wanted")}), "dropped");
  EXPECT_EQ(after(labels, {step(kKeepEqual, {"port"}, "(.*)", "other")}), "dropped");
  EXPECT_EQ(after(labels, {step(kDropEqual, {"port"}, "(.*)", "wanted")}), "dropped");
  EXPECT_NE(after(labels, {step(kDropEqual, {"port"}, "(.*)", "other")}), "dropped");
}

TEST(Relabel, HashModIsPrometheus) {
  auto spec = step(kHashMod, {"c"}, "(.*)", "d");
  spec.modulus = 1000;
  EXPECT_EQ(after({{"a", "foo"}, {"b", "bar"}, {"c", "baz"}}, {spec}), R"({a="foo", b="bar", c="baz", d="976"})");
  EXPECT_EQ(after({{"a", "foo\nbar"}, {"c", "baz"}}, {[] {
                    auto one = step(kHashMod, {"a"}, "(.*)", "b");
                    one.modulus = 1000;
                    return one;
                  }()}),
            "{a=\"foo\\nbar\", b=\"734\", c=\"baz\"}");
}

TEST(Relabel, NamesAreMappedDroppedAndKept) {
  const Labels labels{{"a", "foo"}, {"b1", "bar"}, {"b2", "baz"}};
  EXPECT_EQ(after(labels, {step(kLabelMap, {}, "(b.*)", "", "bar_${1}")}),
            R"({a="foo", b1="bar", b2="baz", bar_b1="bar", bar_b2="baz"})");
  EXPECT_EQ(after({{"a", "foo"}, {"__meta_my_bar", "aaa"}}, {step(kLabelMap, {}, "__meta_(my.*)", "", "$1")}),
            R"({__meta_my_bar="aaa", a="foo", my_bar="aaa"})");
  EXPECT_EQ(after(labels, {step(kLabelDrop, {}, "b.*")}), R"({a="foo"})");
  EXPECT_EQ(after(labels, {step(kLabelKeep, {}, "b.*")}), R"({b1="bar", b2="baz"})");
}

TEST(Relabel, CasesChange) {
  const Labels labels{{"a", "FoÖ-1"}};
  EXPECT_EQ(after(labels, {step(kLowercase, {"a"}, "(.*)", "b"), step(kUppercase, {"a"}, "(.*)", "c")}),
            R"({a="FoÖ-1", b="foö-1", c="FOÖ-1"})");
}

TEST(Relabel, StepsFollowEachOther) {
  const Labels labels{{"a", "foo"}};
  EXPECT_EQ(after(labels, {step(kReplace, {"a"}, "(.*)", "b", "${1}1"), step(kDrop, {"b"}, "foo1")}), "dropped");
}

TEST(Relabel, WhatAnActionNeedsIsAskedFor) {
  EXPECT_THAT(after({}, {step(kHashMod, {"a"}, "(.*)", "b")}), HasSubstr("modulus"));
  EXPECT_THAT(after({}, {step(kReplace, {"a"})}), HasSubstr("target_label"));
  EXPECT_THAT(after({}, {step(kKeepEqual, {"a"})}), HasSubstr("target_label"));
  EXPECT_THAT(after({}, {step(kKeepEqual, {"a"}, "x", "b")}), HasSubstr("alone"));
  EXPECT_THAT(after({}, {step(kLabelDrop, {"a"}, "x")}), HasSubstr("regex alone"));
  EXPECT_THAT(after({}, {step(kKeep, {"a"}, "(")}), HasSubstr("bad regular expression"));
}

}  // namespace
}  // namespace atalaya::collect::scrape
