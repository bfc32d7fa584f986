#include "model/matcher.h"

#include <gtest/gtest.h>

namespace atalaya {
namespace {

using Op = Matcher::Op;

bool test(Op op, std::string value, std::string_view against) {
  return Matcher::make("l", op, std::move(value)).value().matches(against);
}

TEST(Matcher, EqualAndNotEqualCompareWhole) {
  EXPECT_TRUE(test(Op::kEqual, "a", "a"));
  EXPECT_FALSE(test(Op::kEqual, "a", "ab"));
  EXPECT_TRUE(test(Op::kNotEqual, "a", "ab"));
  EXPECT_FALSE(test(Op::kNotEqual, "a", "a"));
}

TEST(Matcher, RegularExpressionsAreAnchoredAtBothEnds) {
  EXPECT_TRUE(test(Op::kRegex, "a|b", "b"));
  EXPECT_FALSE(test(Op::kRegex, "a|b", "ab"));
  EXPECT_FALSE(test(Op::kRegex, "b", "abc"));
  EXPECT_TRUE(test(Op::kRegex, ".*b.*", "abc"));
  EXPECT_TRUE(test(Op::kRegex, "a.b", "a\nb"));
  EXPECT_TRUE(test(Op::kNotRegex, "a.*", "ba"));
  EXPECT_FALSE(test(Op::kNotRegex, "a.*", "ab"));
}

TEST(Matcher, AnAbsentLabelHasTheEmptyValue) {
  const Labels labels{{"a", "1"}};
  EXPECT_TRUE(matches({Matcher::equal("b", "")}, labels));
  EXPECT_TRUE(matches({Matcher::make("b", Op::kRegex, ".*").value()}, labels));
  EXPECT_FALSE(matches({Matcher::make("b", Op::kRegex, ".+").value()}, labels));
  EXPECT_TRUE(matches({Matcher::make("b", Op::kNotEqual, "x").value()}, labels));
}

TEST(Matcher, AllOfAListMustMatch) {
  const Labels labels{{"a", "1"}, {"b", "2"}};
  EXPECT_TRUE(matches({}, labels));
  EXPECT_TRUE(matches({Matcher::equal("a", "1"), Matcher::equal("b", "2")}, labels));
  EXPECT_FALSE(matches({Matcher::equal("a", "1"), Matcher::equal("b", "3")}, labels));
}

TEST(Matcher, ABadExpressionIsAnErrorWithItsText) {
  const auto bad = Matcher::make("a", Op::kRegex, "x(");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(bad.error().message, "error parsing regexp: missing closing ): `x(`");
  EXPECT_FALSE(Matcher::make("a", Op::kNotRegex, "(?<!a)b"));
  EXPECT_TRUE(Matcher::make("a", Op::kEqual, "x("));
}

TEST(Matcher, AnExpressionThatWouldTakeTooMuchMemoryIsRefused) {
  EXPECT_FALSE(Matcher::make("a", Op::kRegex, "((a{100}){100}){100}"));
}

TEST(Matcher, ACopySharesItsExpression) {
  const auto first = Matcher::make("a", Op::kRegex, "x+").value();
  const auto second = first;
  EXPECT_TRUE(second.matches("xx"));
}

TEST(Matcher, AListIsWrittenInPrometheusNotation) {
  EXPECT_EQ(to_string(Matchers{}), "{}");
  EXPECT_EQ(
      to_string({Matcher::equal("a", "q\"\n"), Matcher::make("b", Op::kNotEqual, "1").value(),
                 Matcher::make("c", Op::kRegex, "\\d").value(), Matcher::make("d.e", Op::kNotRegex, "x").value()}),
      "{a=\"q\\\"\\n\",b!=\"1\",c=~\"\\\\d\",\"d.e\"!~\"x\"}");
}

}  // namespace
}  // namespace atalaya
