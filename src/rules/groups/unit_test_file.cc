#include "rules/groups/unit_test_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace atalaya::rules {
namespace {

using config::Errors;
using config::Node;
using config::Reader;
using Texts = std::map<std::string, std::string>;

class TestReader {
 public:
  TestReader(bool ignore_unknown, Errors& errors) : ignore_unknown_(ignore_unknown), errors_(errors) {}

  UnitTestFile file(const Node& root) {
    UnitTestFile out;
    if (root.is_null()) return out;
    Reader read(root, "a file of rule tests", errors_);
    out.rule_files = read.optional<std::vector<std::string>>("rule_files").value_or(std::vector<std::string>{});
    out.evaluation_interval = read.optional<Duration>("evaluation_interval").value_or(Duration{0});
    if (out.evaluation_interval == Duration{0}) out.evaluation_interval = std::chrono::minutes{1};
    out.group_eval_order =
        read.optional<std::vector<std::string>>("group_eval_order").value_or(std::vector<std::string>{});
    std::set<std::string> names;
    for (const auto& name : out.group_eval_order) {
      if (!names.insert(name).second) {
        read.complain("group_eval_order", fmt::format("group name repeated in evaluation order: {}", name));
      }
    }
    out.fuzzy_compare = read.value_or<bool>("fuzzy_compare", false);
    each(read.find("tests"), [&](const Node& node) { out.tests.push_back(test(node, out.evaluation_interval)); });
    finish(read);
    return out;
  }

 private:
  template <typename Take>
  void each(const Node* list, Take take) {
    if (list == nullptr || list->is_null() || !config::expect_sequence(*list, errors_)) return;
    for (const auto* item : list->items()) take(*item);
  }
  void finish(Reader& read) const {
    if (!ignore_unknown_) read.finish();
  }
  /// Texts by name, of which one may be nothing: "".
  Texts texts(Reader& read, std::string_view key) {
    Texts out;
    const auto* node = read.find(key);
    if (node == nullptr || node->is_null() || !config::expect_mapping(*node, errors_)) return out;
    for (const auto& entry : node->entries()) {
      auto& text = out[entry.key->text()];
      if (!entry.value->is_null()) config::decode(*entry.value, text, errors_);
    }
    return out;
  }
  void complain(const Place& place, std::string message) {
    errors_.push_back({ErrorCode::kInvalidArgument, std::move(message), place, {}});
  }

  UnitTest test(const Node& node, Duration evaluation_interval) {
    UnitTest out;
    out.place = node.place();
    if (node.is_null()) {
      out.interval = evaluation_interval;
      return out;
    }
    Reader read(node, "a test", errors_);
    out.name = read.optional<std::string>("name").value_or("");
    out.interval = read.optional<Duration>("interval").value_or(Duration{0});
    if (out.interval == Duration{0}) out.interval = evaluation_interval;
    out.external_labels = texts(read, "external_labels");
    out.external_url = read.optional<std::string>("external_url").value_or("");
    out.start = start(read);
    each(read.find("input_series"), [&](const Node& item) { input(item, out); });
    each(read.find("alert_rule_test"), [&](const Node& item) { out.alerts.push_back(alerts(item, out.name)); });
    each(read.find("promql_expr_test"), [&](const Node& item) { out.exprs.push_back(exprs(item)); });
    finish(read);
    return out;
  }

  Time start(Reader& read) {
    for (const auto* key : {"start_timestamp", "start_time"}) {
      const auto text = read.optional<std::string>(key);
      if (!text) continue;
      const auto time = parse_time(*text);
      if (time) return *time;
      read.complain(key, time.error().message, time.error().remedy);
    }
    return Time{};
  }

  void input(const Node& node, UnitTest& out) {
    Reader read(node, "an input series", errors_);
    const auto series = read.required<std::string>("series");
    auto values = read.value_or<std::string>("values", "");
    finish(read);
    values.resize(values.find_last_not_of(" \t\r\n") + 1);
    if (values.find('\n') != std::string::npos) {
      return complain(node.get("values")->place(), "values stand on one line");
    }
    const std::string line = series + " " + values;
    auto parsed = promql::parse_script_series(line);
    if (!parsed) {
      const auto* at = node.get("series");
      return complain((at != nullptr ? *at : node).place(), parsed.error().message);
    }
    out.input.push_back({std::move(*parsed), node.place()});
  }

  AlertExpectation alerts(const Node& node, const std::string& test) {
    AlertExpectation out;
    out.place = node.place();
    Reader read(node, "an item of alert_rule_test", errors_);
    out.at = read.value_or<Duration>("eval_time", Duration{0});
    out.alertname = read.optional<std::string>("alertname").value_or("");
    if (out.alertname.empty()) {
      complain(node.place(),
               fmt::format("an item under alert_rule_test misses required attribute alertname at eval_time {}{}",
                           format_duration(out.at), test.empty() ? "" : fmt::format(" (in test {})", test)));
    }
    each(read.find("exp_alerts"), [&](const Node& item) {
      ExpectedAlert alert;
      if (!item.is_null()) {
        Reader one(item, "an expected alert", errors_);
        alert.labels = texts(one, "exp_labels");
        alert.annotations = texts(one, "exp_annotations");
        finish(one);
      }
      out.alerts.push_back(std::move(alert));
    });
    finish(read);
    return out;
  }

  ExprExpectation exprs(const Node& node) {
    ExprExpectation out;
    out.place = node.place();
    Reader read(node, "an item of promql_expr_test", errors_);
    out.expr = read.value_or<std::string>("expr", "");
    out.at = read.value_or<Duration>("eval_time", Duration{0});
    each(read.find("exp_samples"), [&](const Node& item) {
      Reader one(item, "an expected sample", errors_);
      ExpectedSample sample;
      const auto labels = one.optional<std::string>("labels").value_or("");
      sample.value = value(one);
      sample.native = !one.optional<std::string>("histogram").value_or("").empty();
      finish(one);
      if (const auto parsed = promql::parse_script_series(labels)) {
        sample.labels = parsed->labels;
      } else {
        complain(item.place(), fmt::format("labels {}: {}", labels, parsed.error().message));
      }
      out.samples.push_back(std::move(sample));
    });
    finish(read);
    return out;
  }

  double value(Reader& read) {
    const auto* node = read.find("value");
    if (node == nullptr || node->is_null()) return 0;
    // A number as YAML has them: not "1", and not Inf.
    auto digits = std::string_view(node->text());
    if (digits.starts_with('+') || digits.starts_with('-')) digits.remove_prefix(1);
    const bool begins = !digits.empty() && (digits[0] == '.' || (digits[0] >= '0' && digits[0] <= '9'));
    if (begins && node->style() == Node::Style::kPlain) {
      if (const auto number = promql::parse_script_number(node->text())) return *number;
    }
    double out = 0;
    config::decode(*node, out, errors_);
    return out;
  }

  bool ignore_unknown_;
  Errors& errors_;
};

}  // namespace

Duration UnitTest::last_time() const {
  Duration out{0};
  for (const auto& one : alerts) out = std::max(out, one.at);
  for (const auto& one : exprs) out = std::max(out, one.at);
  return out;
}

UnitTestFile read_unit_tests(const Node& root, bool ignore_unknown, Errors& errors) {
  return TestReader(ignore_unknown, errors).file(root);
}

}  // namespace atalaya::rules
