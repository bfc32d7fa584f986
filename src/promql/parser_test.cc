#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>
#include <vector>

#include "promql/ast.h"
#include "promql/engine.h"
#include "promql/format.h"

namespace atalaya::promql {
namespace {

std::string printed(std::string_view text) {
  const auto expression = parse(text);
  return expression ? to_string(**expression) : to_string(expression.error());
}

Error error_of(std::string_view text) {
  auto expression = parse(text);
  EXPECT_FALSE(expression) << text;
  return expression ? Error{} : expression.error();
}

void expect_error(std::string_view text, std::uint32_t column, std::string_view part) {
  const auto error = error_of(text);
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument) << text;
  ASSERT_TRUE(error.place) << text;
  EXPECT_EQ(error.place->line, 1u) << text;
  EXPECT_EQ(error.place->column, column) << text << ": " << error.message;
  EXPECT_NE(error.message.find(part), std::string::npos) << text << ": " << error.message;
}

TEST(PromqlParser, PrintsTheCanonicalForm) {
  EXPECT_EQ(printed("sum(rate(a{b=\"c\"}[5m])) by (x)"), "sum by (x) (rate(a{b=\"c\"}[5m]))");
  EXPECT_EQ(printed("a+b * c"), "a + b * c");
  EXPECT_EQ(printed("(a+b)*c"), "(a + b) * c");
  EXPECT_EQ(printed("a >BOOL 1"), "a > bool 1");
  EXPECT_EQ(printed("a[90s] offset -1h @ 12.5"), "a[1m30s] @ 12.500 offset -1h");
}

TEST(PromqlParser, KeywordsMayBeMetricsAndLabels) {
  EXPECT_EQ(printed("foo * sum"), "foo * sum");
  EXPECT_EQ(printed("sum without (and, by, avg) (offset)"), "sum without (and, by, avg) (offset)");
  EXPECT_EQ(printed("end{start=\"foo\"}"), "end{start=\"foo\"}");
}

TEST(PromqlParser, NamesThatAreNoWordsAreQuoted) {
  EXPECT_EQ(printed("{\"a b\", \"c d\"='e'}"), "{\"c d\"=\"e\",__name__=\"a b\"}");
  EXPECT_EQ(printed("sum by (\"foo bar\") (x)"), "sum by (\"foo bar\") (x)");
}

TEST(PromqlParser, UnaryMinusBindsLooserThanPower) {
  const auto expression = parse("-a ^ b").value();
  EXPECT_EQ(expression->kind, Kind::kUnary);
  EXPECT_EQ(parse("-a * b").value()->kind, Kind::kBinary);
}

TEST(PromqlParser, PowerIsRightAssociative) {
  const auto expression = parse("a ^ b ^ c").value();
  EXPECT_EQ(expression->args[1]->kind, Kind::kBinary);
}

TEST(PromqlParser, NumbersAreReadAsGoReadsThem) {
  EXPECT_EQ(parse("0xc").value()->number, 12);
  EXPECT_EQ(parse("017").value()->number, 15);
  EXPECT_EQ(parse("5m").value()->number, 300);
  EXPECT_EQ(parse("5.").value()->number, 5);
  EXPECT_EQ(parse("-1e-3").value()->number, -0.001);
}

TEST(PromqlParser, ErrorsNameThePlace) {
  expect_error("2.5.", 1, "bad number or duration syntax: \"2.5.\"");
  expect_error("*1", 1, "unexpected <op:*>");
  expect_error("((1)", 5, "unclosed left parenthesis");
  expect_error("-test[5m]", 1, "unary expression only allowed");
  expect_error("some{", 6, "unexpected end of input inside braces");
  expect_error("some_metric{a=b}", 15, "unexpected identifier \"b\" in label matching, expected string");
  expect_error("foo{gibberish}", 14, "expected label matching operator");
  expect_error("{x=\"\"}", 1, "at least one non-empty matcher");
  expect_error("foo{__name__=\"bar\"}", 1, "metric name must not be set twice");
  expect_error("foo[5m1m]", 5, "not a valid duration string");
  expect_error("some_metric OFFSET 1m[5m]", 22, "no offset modifiers allowed before range");
  expect_error("(foo + bar)[5m]", 12, "ranges only allowed for vector selectors");
  expect_error("topk(some_metric,)", 17, "trailing commas not allowed");
  expect_error("sum without (test) (some_metric) by (test)", 34, "unexpected <by>");
  expect_error("foo and bool 10", 5, "bool modifier can only be used on comparison operators");
  expect_error("1 == 1", 3, "comparisons between scalars must use BOOL modifier");
  expect_error("rate(foo) + sum(", 17, "unclosed left parenthesis");
  expect_error("a[1m", 5, "parse error: unexpected end of input in duration expression");
  expect_error("a[1m:", 6, "parse error: unexpected end of input in duration expression");
  expect_error("rate(a[1m", 10, "parse error: unexpected end of input in duration expression");
  expect_error("a[(1m", 6, "parse error: unexpected end of input in duration expression");
  expect_error("sum(a +", 8, "parse error: unclosed left parenthesis");
  expect_error("a +", 4, "parse error: unexpected end of input");
  expect_error("a)", 2, "parse error: unexpected right parenthesis ')'");
  expect_error("()", 2, "parse error: unexpected \")\"");
  expect_error("rate(a[5m)", 10, "parse error: unexpected \")\" in subquery or range, expected \":\" or \"]\"");
  expect_error("sum(1) foo", 8, "unexpected identifier \"foo\"");
  expect_error("rate(foo)", 6, "expected type range vector in call to function \"rate\", got instant vector");
  expect_error("a{b=~\"(\"}", 3, "error parsing regexp: missing closing ): `(`");
  expect_error("a and on(x) group_left b", 1, "no grouping allowed for \"and\" operation");
  expect_error("a[0.0001]", 3, "duration must be greater than 0");
  expect_error("", 1, "no expression found in input");
  expect_error("a{b=\"\xff\"}", 5, "invalid UTF-8 rune");
  expect_error("a + \xc3\xa9", 5, "unexpected character: '\xc3\xa9'");
}

std::string chain(int operands, std::string_view op) {
  std::string text = "a";
  for (int i = 1; i < operands; ++i) text += fmt::format(" {} a", op);
  return text;
}

TEST(PromqlParser, ChainsMayBeMuchLongerThanNestings) {
  for (const auto* op : {"or", "+"}) {
    const auto text = chain(1500, op);
    const auto parsed = parse(text);
    ASSERT_TRUE(parsed) << to_string(parsed.error());
    EXPECT_EQ(to_string(**parsed), text);
  }
  EXPECT_NE(error_of(chain(5000, "or")).message.find("nests too deeply"), std::string::npos);
  EXPECT_NE(error_of(std::string(500, '(') + "a" + std::string(500, ')')).message.find("nests too deeply"),
            std::string::npos);
}

TEST(PromqlParser, ErrorsCountLines) {
  const auto error = error_of("sum(\n  a +\n  )");
  EXPECT_EQ(error.place, (Place{"", 3, 3}));
}

TEST(PromqlParser, LengthsOfTimeAreExpressions) {
  EXPECT_EQ(printed("a[5m*2]"), "a[5m * 2]");
  EXPECT_EQ(printed("a[-(10s-5s)+20s]"), "a[-(10s - 5s) + 20s]");
  EXPECT_EQ(printed("a offset max_of(step(),5s)"), "a offset max_of(step(), 5s)");
  EXPECT_EQ(printed("a[1h:step()] offset -range()"), "a[1h:step()] offset -range()");
  // Of an offset one term alone: the power is taken of the vector.
  EXPECT_EQ(parse("a offset -5m ^ 2").value()->kind, Kind::kBinary);
}

TEST(PromqlParser, FillingsAndExtendedRangesArePrintedAsTheyAreRead) {
  EXPECT_EQ(printed("a + fill(0) b"), "a + fill (0) b");
  EXPECT_EQ(printed("a+on(x) group_left fill_right(-1) fill_left(2) b"),
            "a + on (x) group_left () fill_left (2) fill_right (-1) b");
  EXPECT_EQ(printed("rate(a[5m] offset 1m anchored)"), "rate(a[5m] anchored offset 1m)");
  EXPECT_EQ(printed("a smoothed"), "a smoothed");
  EXPECT_EQ(printed("a offset 1m smoothed @ 10"), "a @ 10.000 smoothed offset 1m");
}

TEST(PromqlParser, MatchersArePrintedInOrderAndWhatSaysNothingIsNotPrinted) {
  EXPECT_EQ(printed("a{job=~'x|y',instance!~'i[01]'}"), R"(a{instance!~"i[01]",job=~"x|y"})");
  EXPECT_EQ(printed("{job='x',__name__='a'}"), R"({__name__="a",job="x"})");
  EXPECT_EQ(printed("a{b!='1',b='2'}"), R"(a{b!="1",b="2"})");
  EXPECT_EQ(printed("a{'x y'='1',c='2'}"), R"(a{"x y"="1",c="2"})");
  EXPECT_EQ(printed("sum by () (a)"), "sum(a)");
  EXPECT_EQ(printed("sum without () (a)"), "sum without () (a)");
  EXPECT_EQ(printed("a - ignoring () b"), "a - b");
  EXPECT_EQ(printed("a - on () b"), "a - on () b");
  EXPECT_EQ(printed("a - ignoring () group_left b"), "a - ignoring () group_left () b");
  EXPECT_EQ(printed("a and ignoring () b"), "a and b");
  EXPECT_EQ(printed("'a\\tb\\x01'"), R"("a\tb\x01")");
}

TEST(PromqlParser, NamesWithinBracesAreMatchersLikeOthers) {
  EXPECT_EQ(printed("{'a.b',c='d'}"), R"({__name__="a.b",c="d"})");
  EXPECT_EQ(printed("{'a'}"), R"({__name__="a"})");
  EXPECT_EQ((*parse("{'a'}"))->metric, "");
  EXPECT_EQ(printed("{'a',__name__=~'a.*'}"), R"({__name__="a",__name__=~"a.*"})");
  expect_error("{__name__='a',__name__='b'}", 1, "metric name must not be set twice: \"a\" or \"b\"");
  expect_error("{'a',__name__='b'}", 1, "metric name must not be set twice: \"a\" or \"b\"");
  expect_error("a{__name__=~'b'}", 1, "metric name must not be set twice: \"a\" or \"b\"");
}

TEST(PromqlParser, NumbersArePrintedWithoutExponentAndDurationsWithUnits) {
  EXPECT_EQ(printed("1e6"), "1000000");
  EXPECT_EQ(printed("1_000"), "1000");
  EXPECT_EQ(printed("5m"), "5m");
  EXPECT_EQ(printed("-90s"), "-1m30s");
}

TEST(PromqlParser, DeepNestingIsRefusedNotCrashed) {
  EXPECT_FALSE(parse(std::string(100'000, '(') + "1" + std::string(100'000, ')')));
  EXPECT_FALSE(parse(std::string(100'000, '-') + "a"));
  std::string chain = "a";
  for (int i = 0; i < 50'000; ++i) chain += "+a";
  EXPECT_FALSE(parse(chain));
  EXPECT_FALSE(parse("a[" + std::string(100'000, '(') + "1s" + std::string(100'000, ')') + "]"));
  EXPECT_FALSE(parse("a[" + std::string(100'000, '-') + "1s]"));
  std::string sum = "a[1s";
  for (int i = 0; i < 50'000; ++i) sum += "+1s";
  EXPECT_FALSE(parse(sum + "]"));
}

TEST(PromqlParser, SelectorsListsWhatAnExpressionReads) {
  const auto found = selectors(*parse("sum(rate(a{b=\"c\"}[5m])) / d > 1").value());
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(to_string(found[0]), "{__name__=\"a\",b=\"c\"}");
  EXPECT_EQ(to_string(found[1]), "{__name__=\"d\"}");
}

TEST(PromqlAnalysis, PerSeriesMeansNothingJoinsLabelSets) {
  for (const auto* yes : {"a", "rate(a[5m]) > 3", "a / b", "a and b", "abs(a) * 2", "a unless b"}) {
    EXPECT_TRUE(is_per_series(*parse(yes).value())) << yes;
  }
  for (const auto* no :
       {"sum(a)", "a / on(x) b", "absent(a)", "vector(1)", "a or vector(0)", "a * scalar(b)", "5", "hour()",
        "a + fill(0) b", "label_replace(a, 'x', '', 'y', '')", "histogram_quantile(0.9, a)"}) {
    EXPECT_FALSE(is_per_series(*parse(no).value())) << no;
  }
}

TEST(PromqlAnalysis, SingleSampleExpressionsFollowFromTheArrivingOne) {
  const auto expression = parse("100 * (1 - a) > 50").value();
  ASSERT_TRUE(is_single_sample(*expression));
  EXPECT_EQ(evaluate_sample(*expression, 0.25), 75);
  EXPECT_EQ(evaluate_sample(*expression, 0.75), std::nullopt);
  EXPECT_EQ(evaluate_sample(*parse("a > bool 5").value(), 1), 0);
  EXPECT_EQ(evaluate_sample(*parse("3 < a").value(), 4), 4);
  for (const auto* no : {"a + a", "a offset 5m", "rate(a[5m])", "5", "a @ 3", "time() - a"}) {
    EXPECT_FALSE(is_single_sample(*parse(no).value())) << no;
  }
}

TEST(PromqlFormat, MessagesPrintNumbersAsGoDoes) {
  EXPECT_EQ(format_general(2), "2");
  EXPECT_EQ(format_general(0.05), "0.05");
  EXPECT_EQ(format_general(123456), "123456");
  EXPECT_EQ(format_general(1234567), "1.234567e+06");
  EXPECT_EQ(format_general(1e-5), "1e-05");
  EXPECT_EQ(format_general(0.01234, 2), "0.012");
}

TEST(Format, AValueIsAppendedAsItIsFormatted) {
  std::mt19937_64 random(5);
  std::vector<double> values{0.0,  -0.0,     1,    -1,        0.1,      1e-6,      9e-7,
                             1e15, 1e15 - 1, 1e21, 123456.75, INFINITY, -INFINITY, NAN};
  for (int i = 0; i < 2000; ++i) {
    const auto bits = random();
    values.push_back(std::bit_cast<double>(bits));
    values.push_back(static_cast<double>(static_cast<std::int64_t>(bits) >> bits % 60));
    values.push_back(std::ldexp(static_cast<double>(bits >> 11), -60 + static_cast<int>(bits % 40)));
  }
  for (const double value : values) {
    std::string out = "x";
    append_value(out, value);
    EXPECT_EQ(out, "x" + format_value(value));
  }
}

TEST(PromqlFormat, ValuesPrintAsPrometheusPrintsThem) {
  EXPECT_EQ(format_value(1), "1");
  EXPECT_EQ(format_value(0.1), "0.1");
  EXPECT_EQ(format_value(-1.5e20), "-150000000000000000000");
  EXPECT_EQ(format_value(1e21), "1e+21");
  EXPECT_EQ(format_value(1e-7), "1e-07");
  EXPECT_EQ(format_value(1e-6), "0.000001");
  EXPECT_EQ(format_value(0.0 / 0.0), "NaN");
  EXPECT_EQ(format_value(1 / 0.0), "+Inf");
  EXPECT_EQ(format_value(-1 / 0.0), "-Inf");
}

}  // namespace
}  // namespace atalaya::promql
