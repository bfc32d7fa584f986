#include "rules/groups/unit_test_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "model/names.h"
#include "promql/memory_series.h"
#include "rules/groups/group_run.h"

namespace atalaya::rules {
namespace {

/// An alert as a test compares it.
using Shown = std::pair<Labels, std::map<std::string, std::string>>;

std::string show(const Shown& alert) {
  std::string annotations;
  for (const auto& [name, text] : alert.second) {
    annotations += fmt::format("{}{}={}", annotations.empty() ? "" : ", ", name, quote_label_value(text));
  }
  return fmt::format("\n            Labels:{}\n            Annotations:{{{}}}", to_string(alert.first), annotations);
}

template <typename List, typename Show>
std::string show_all(const List& list, Show show_one) {
  std::string out = "[";
  for (const auto& one : list) out += show_one(one);
  return out + (list.empty() ? "]" : "\n        ]");
}

class TestRun {
 public:
  TestRun(const UnitTest& test, const UnitTestFile& file, const std::vector<GroupSpec>& groups)
      : test_(test), file_(file), clock_(test.start) {
    GroupOptions options;
    options.limits.threads = 1;
    options.limits.subquery_step = file.evaluation_interval;
    options.outside = {Labels(test.external_labels), test.external_url};
    options.default_interval = test.interval;
    for (const auto& group : groups) groups_.emplace_back(std::make_shared<const GroupSpec>(group), options);
    const auto rank = [&](const GroupRun& run) {
      const auto it = std::ranges::find(file.group_eval_order, run.spec().name);
      return it == file.group_eval_order.end() ? 0 : it - file.group_eval_order.begin();
    };
    std::vector<GroupRun*> order;
    for (auto& group : groups_) order.push_back(&group);
    std::ranges::stable_sort(order, {}, [&](const auto* run) { return rank(*run); });
    order_ = std::move(order);
    limits_ = options.limits;
  }

  UnitTestResult run() {
    const auto end = test_.last_time();
    for (Duration at{0}; at <= end; at += file_.evaluation_interval) {
      feed(at);
      if (!evaluate(at)) return std::move(result_);
      for (const auto& expected : test_.alerts) {
        if (at <= expected.at && expected.at < at + file_.evaluation_interval) compare(expected);
      }
    }
    feed(end);
    for (const auto& expected : test_.exprs) compare(expected);
    return std::move(result_);
  }

 private:
  /// Samples up to this time, and none after it: rules must not see what is to come.
  void feed(Duration until) {
    const auto wanted = static_cast<std::size_t>(until / test_.interval) + 1;
    for (const auto& input : test_.input) {
      const auto& values = input.series.values;
      for (auto i = fed_; i < std::min(wanted, values.size()); ++i) {
        if (values[i].number) store_.add(input.series.labels, test_.start + test_.interval * i, *values[i].number);
      }
    }
    fed_ = std::max(fed_, wanted);
  }

  bool evaluate(Duration at) {
    const auto before = result_.failures.size();
    clock_.jump_to(test_.start + at);
    for (auto* group : order_) {
      for (const auto& sample : group->evaluate(store_, test_.start + at, clock_).samples) {
        store_.add(sample.labels, sample.time, sample.value);
      }
      const auto state = group->state();
      for (std::size_t i = 0; i < state.rules.size(); ++i) {
        if (state.rules[i].health != Health::kBad) continue;
        const auto& rule = group->spec().rules[i];
        result_.failures.push_back(fmt::format("{}: rule: {}, time: {}, err: {}", to_string(rule.origin), rule.name,
                                               format_duration(at), state.rules[i].last_error));
      }
    }
    return result_.failures.size() == before;
  }

  void compare(const AlertExpectation& expected) {
    std::vector<Shown> wanted;
    for (const auto& alert : expected.alerts) {
      wanted.emplace_back(Labels(alert.labels).with("alertname", expected.alertname), alert.annotations);
    }
    std::vector<Shown> got;
    for (const auto* group : order_) {
      for (const auto* alert : group->firing(expected.alertname)) got.emplace_back(alert->labels, alert->annotations);
    }
    std::ranges::sort(wanted);
    std::ranges::sort(got);
    if (wanted == got) return;
    result_.failures.push_back(fmt::format("{}: alertname: {}, time: {},\n        exp:{},\n        got:{}",
                                           to_string(expected.place), expected.alertname, format_duration(expected.at),
                                           show_all(wanted, show), show_all(got, show)));
  }

  bool equal(double a, double b) const {
    if (a == b) return true;
    return file_.fuzzy_compare && (std::nextafter(a, -HUGE_VAL) == b || std::nextafter(a, HUGE_VAL) == b);
  }

  void compare(const ExprExpectation& expected) {
    const auto what = fmt::format("{}: expr: \"{}\", time: {},", to_string(expected.place), expected.expr,
                                  format_duration(expected.at));
    if (std::ranges::any_of(expected.samples, &ExpectedSample::native)) {
      result_.skipped.push_back(what + " needs native histograms");
      return;
    }
    auto got = query(expected);
    if (!got) {
      result_.failures.push_back(fmt::format("{} err: {}", what, to_string(got.error())));
      return;
    }
    auto wanted = expected.samples;
    std::ranges::stable_sort(wanted, {}, &ExpectedSample::labels);
    std::ranges::stable_sort(*got, {}, &ExpectedSample::labels);
    const bool same = std::ranges::equal(
        wanted, *got, [this](const auto& a, const auto& b) { return a.labels == b.labels && equal(a.value, b.value); });
    if (same) return;
    const auto show_sample = [](const ExpectedSample& sample) {
      return fmt::format("\n            {} {}", to_string(sample.labels), sample.value);
    };
    result_.failures.push_back(fmt::format("{}\n        exp: {}\n        got: {}", what, show_all(wanted, show_sample),
                                           show_all(*got, show_sample)));
  }

  Result<std::vector<ExpectedSample>> query(const ExprExpectation& expected) const {
    AT_TRY(const auto expression, promql::parse(expected.expr));
    promql::Annotations notes;
    promql::Conditions conditions;
    conditions.annotations = &notes;
    const auto at = test_.start + expected.at;
    AT_TRY(const auto value, promql::Engine(store_, limits_).instant(TenantId{}, *expression, at, {}, conditions));
    std::vector<ExpectedSample> out;
    if (const auto* vector = std::get_if<promql::Vector>(&value)) {
      for (const auto& element : *vector) out.push_back({element.labels, element.value, false});
      return out;
    }
    if (const auto* scalar = std::get_if<promql::Scalar>(&value)) {
      return std::vector<ExpectedSample>{{Labels{}, scalar->value, false}};
    }
    return fail(ErrorCode::kUnprocessable, "rule result is not a vector or scalar");
  }

  const UnitTest& test_;
  const UnitTestFile& file_;
  ManualClock clock_;
  promql::MemorySeries store_;
  promql::Limits limits_;
  std::vector<GroupRun> groups_;
  std::vector<GroupRun*> order_;
  std::size_t fed_ = 0;
  UnitTestResult result_;
};

}  // namespace

UnitTestResult run_unit_test(const UnitTest& test, const UnitTestFile& file, const std::vector<GroupSpec>& groups) {
  return TestRun(test, file, groups).run();
}

}  // namespace atalaya::rules
