// What a script expects of an evaluation, and whether it came true.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "promql/engine.h"
#include "promql/script_series.h"

namespace atalaya::promql {

/// A text that must be there: exactly, by a regular expression, or any.
struct ExpectedText {
  enum class Kind { kAny, kExact, kRegex } kind = Kind::kAny;
  std::string text;
  bool matches(const std::string& said) const;
};

struct ExpectedRange {
  Time from;
  Time to;
  Duration step{0};
};

/// The lines of an eval block.
struct Expectation {
  std::optional<ExpectedText> failure;
  std::vector<ExpectedText> warnings;
  std::vector<ExpectedText> infos;
  bool no_warnings = false;
  bool no_infos = false;
  bool ordered = false;
  std::optional<std::string> string;
  std::optional<double> scalar;
  std::optional<ExpectedRange> range_vector;
  std::vector<ScriptSeries> series;

  /// Reads one line. invalid_argument when it cannot be understood.
  Status read(std::string_view line);
  bool needs_native() const;
};

/// A result in one form whatever its type: series with a value, or none, at each step.
struct SeenSeries {
  Labels labels;
  std::vector<std::optional<double>> values;
};

/// What is wrong, or nothing.
std::optional<std::string> compare(const Expectation& expected, const std::vector<SeenSeries>& seen, std::size_t steps,
                                   bool ordered);
std::optional<std::string> compare(const Expectation& expected, const Annotations& said);

/// As promqltest compares: the same, or apart by no more than a millionth of both.
bool almost_equal(double a, double b);

}  // namespace atalaya::promql
