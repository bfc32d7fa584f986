#include "rules/groups/unit_test_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rules/groups/read_group.h"

namespace atalaya::rules {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kRules = R"(
groups:
  - name: second
    rules: [{record: doubled, expr: first * 2}]
  - name: one
    rules:
      - {record: first, expr: x}
      - alert: High
        expr: x > 5
        for: 2m
        labels: {severity: page}
        annotations: {summary: 'x of {{ $labels.i }} is {{ $value }}'}
)";

/// Failures, then what was skipped; mistakes of the file itself where there are any.
std::vector<std::string> run(const std::string& yaml) {
  config::Errors errors;
  const auto rules = config::Document::parse(kRules, "r.yml");
  const auto groups = read_rule_file(rules->root(), {TenantId{}, "r.yml", "r", false, {}}, errors);
  const auto document = config::Document::parse(yaml, "t.yml", errors);
  EXPECT_TRUE(document) << to_string(document.error());
  const auto file = read_unit_tests(document->root(), false, errors);
  std::vector<std::string> out;
  for (const auto& error : errors) out.push_back(to_string(error));
  if (!out.empty()) return out;
  for (const auto& test : file.tests) {
    const auto result = run_unit_test(test, file, groups);
    out.insert(out.end(), result.failures.begin(), result.failures.end());
    for (const auto& one : result.skipped) out.push_back("skipped " + one);
  }
  return out;
}

TEST(RuleUnitTests, AlertsAreComparedWithTheEvaluationBeforeTheirTime) {
  const std::string good = R"(
tests:
  - interval: 1m
    input_series: [{series: 'x{i="a"}', values: '9x10'}]
    alert_rule_test:
      - {eval_time: 1m59s, alertname: High, exp_alerts: []}
      - eval_time: 2m30s
        alertname: High
        exp_alerts: [{exp_labels: {severity: page, i: a}, exp_annotations: {summary: x of a is 9}}]
)";
  EXPECT_THAT(run(good), IsEmpty());
}

TEST(RuleUnitTests, WhatDiffersIsToldWithItsPlace) {
  const auto told = run(R"(
tests:
  - input_series: [{series: x, values: '9x10'}]
    alert_rule_test: [{eval_time: 5m, alertname: High}]
    promql_expr_test: [{expr: x, eval_time: 1m, exp_samples: [{labels: x, value: 8}]}]
)");
  ASSERT_EQ(told.size(), 2u);
  EXPECT_THAT(told[0], testing::StartsWith("t.yml:4:"));
  EXPECT_THAT(told[0], HasSubstr("alertname: High, time: 5m"));
  EXPECT_THAT(told[0], HasSubstr("x of  is 9"));
  EXPECT_THAT(told[1], HasSubstr("expr: \"x\", time: 1m"));
}

TEST(RuleUnitTests, GroupsAreEvaluatedInTheOrderThatIsAskedFor) {
  const std::string tests = R"(
tests:
  - input_series: [{series: x, values: '1 2'}]
    promql_expr_test: [{expr: doubled, eval_time: 0, exp_samples: [{labels: doubled, value: 2}]}]
)";
  EXPECT_EQ(run(tests).size(), 1u) << "the second group is evaluated first, and finds nothing";
  EXPECT_THAT(run("group_eval_order: [one, second]\n" + tests), IsEmpty());
  EXPECT_THAT(run("group_eval_order: [one, one]\n" + tests), ElementsAre(HasSubstr("repeated in evaluation order")));
}

TEST(RuleUnitTests, RulesDoNotSeeWhatIsToCome) {
  EXPECT_THAT(run(R"(
group_eval_order: [one, second]
tests:
  - interval: 1m
    input_series: [{series: x, values: '1 2 3'}]
    promql_expr_test:
      - {expr: 'count_over_time(first[1h])', eval_time: 2m, exp_samples: [{value: 3}]}
      - {expr: timestamp(first), eval_time: 2m30s, exp_samples: [{value: 120}]}
)"),
              IsEmpty());
}

TEST(RuleUnitTests, TimesMayBeginElsewhere) {
  EXPECT_THAT(run(R"(
tests:
  - start_timestamp: 2024-01-01T00:00:00Z
    input_series: [{series: x, values: '1 2 3'}]
    promql_expr_test:
      - {expr: timestamp(x), eval_time: 1m, exp_samples: [{value: 1704067260}]}
      - {expr: time(), eval_time: 2m, exp_samples: [{value: 1704067320}]}
)"),
              IsEmpty());
}

TEST(RuleUnitTests, NumbersMayDifferByTheLastBitWhereThatIsAllowed) {
  const std::string tests = R"(
tests:
  - input_series: [{series: x, values: 2.9999999999999996}]
    promql_expr_test: [{expr: x, exp_samples: [{labels: x, value: 3}]}]
)";
  EXPECT_EQ(run(tests).size(), 1u);
  EXPECT_THAT(run("fuzzy_compare: true\n" + tests), IsEmpty());
}

TEST(RuleUnitTests, NativeHistogramsAreSkippedAndSaid) {
  EXPECT_THAT(run(R"(
tests:
  - input_series: [{series: h, values: '{{schema:1 sum:3 count:2 buckets:[2]}}'}]
    promql_expr_test: [{expr: h, exp_samples: [{labels: h, histogram: '{{count:2}}'}]}]
)"),
              ElementsAre(HasSubstr("needs native histograms")));
}

TEST(RuleUnitTests, WrongFilesAreToldWithPlaces) {
  EXPECT_THAT(run("tests: [{input_series: [{series: 'x{a=\"b\"', values: 1}]}]"),
              ElementsAre(testing::StartsWith("t.yml:1:")));
  EXPECT_THAT(run("tests: [{alert_rule_test: [{eval_time: 5m}]}]"), ElementsAre(HasSubstr("attribute alertname")));
  EXPECT_THAT(run("tests: [{nothing: 1}]"), ElementsAre(HasSubstr("nothing")));
  EXPECT_THAT(run("evaluation_interval: often"), ElementsAre(HasSubstr("duration")));
}

TEST(RuleUnitTests, ValuesAndNumbersAreThoseOfPromtool) {
  const auto with = [](const std::string& values, const std::string& value) {
    return run("tests:\n- interval: 1m\n  input_series:\n  - series: x\n    values: " + values +
               "\n  promql_expr_test:\n  - {expr: x, eval_time: 2m, exp_samples: [{labels: x, value: " + value +
               "}]}\n");
  };
  EXPECT_THAT(with(">\n      1 2\n      3\n", "3"), IsEmpty());
  EXPECT_THAT(with("|\n      1 2 3\n", "3e0"), IsEmpty());
  EXPECT_THAT(with("'1 2 Inf'", ".inf"), IsEmpty());
  EXPECT_THAT(with("'1 2 3'", "0x3"), IsEmpty());
  EXPECT_THAT(with("|\n      1 2\n      3\n", "3"), ElementsAre(HasSubstr("values stand on one line")));
  for (const auto* bad : {"\"3\"", "+Inf", "NaN", "true"}) {
    EXPECT_THAT(with("'1 2 3'", bad), ElementsAre(HasSubstr("a number"))) << bad;
  }
}

}  // namespace
}  // namespace atalaya::rules
