// Unit tests of rule files, as promtool writes them: YAML to plain types.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/reader.h"
#include "config/yaml.h"
#include "promql/script_series.h"

namespace atalaya::rules {

struct ExpectedAlert {
  std::map<std::string, std::string> labels;  ///< without alertname
  std::map<std::string, std::string> annotations;
};
struct AlertExpectation {
  Duration at{0};
  std::string alertname;
  std::vector<ExpectedAlert> alerts;
  Place place;
};
struct ExpectedSample {
  Labels labels;
  double value = 0;
  bool native = false;  ///< a native histogram is expected
};
struct ExprExpectation {
  std::string expr;
  Duration at{0};
  std::vector<ExpectedSample> samples;
  Place place;
};
struct InputSeries {
  promql::ScriptSeries series;
  Place place;
};
struct UnitTest {
  std::string name;
  Duration interval{0};  ///< between values of input series
  Time start;
  std::vector<InputSeries> input;
  std::vector<AlertExpectation> alerts;
  std::vector<ExprExpectation> exprs;
  std::map<std::string, std::string> external_labels;
  std::string external_url;
  Place place;

  Duration last_time() const;  ///< of all expectations
};
struct UnitTestFile {
  std::vector<std::string> rule_files;  ///< as written; patterns are relative to the test's folder
  Duration evaluation_interval = std::chrono::minutes{1};
  std::vector<std::string> group_eval_order;
  bool fuzzy_compare = false;
  std::vector<UnitTest> tests;
};

/// With errors what is returned is not all.
UnitTestFile read_unit_tests(const config::Node& root, bool ignore_unknown, config::Errors& errors);

}  // namespace atalaya::rules
