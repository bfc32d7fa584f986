// Evaluates PromQL over any SeriesQuerier.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "model/sample.h"
#include "storage/series.h"

namespace atalaya::promql {

struct Expression;  ///< a checked syntax tree (`ast.h`)
using ExpressionPtr = std::shared_ptr<const Expression>;

/// invalid_argument with a Place (line and column in `text`) when it does not parse; unprocessable
/// with a Place when it is PromQL that this version cannot evaluate.
Result<ExpressionPtr> parse(std::string_view text);
/// Canonical text: parses back to the same tree.
std::string to_string(const Expression& expression);

/// The matchers of every selector in the expression: which series it reads.
std::vector<Matchers> selectors(const Expression& expression);
/// True when each result series depends only on input series with the same labels apart from
/// __name__: such an expression may be evaluated for one label set alone.
bool is_per_series(const Expression& expression);
/// Set when the expression is one instant selector, perhaps within arithmetic or comparison with
/// constants, so that its value follows from one sample: the arriving one.
bool is_single_sample(const Expression& expression);
/// The value of such an expression for this sample; nullopt when a comparison filters it out.
std::optional<double> evaluate_sample(const Expression& expression, double sample);

struct VectorElement {
  Labels labels;
  Time time;
  double value = 0;
};
struct MatrixSeries {
  Labels labels;
  std::vector<Sample> samples;
};
using Scalar = Sample;
using Vector = std::vector<VectorElement>;
using Matrix = std::vector<MatrixSeries>;
using Value = std::variant<Scalar, Vector, Matrix, std::string>;

struct Limits {
  Duration lookback{std::chrono::minutes{5}};
  std::size_t max_samples = 50'000'000;
  std::size_t max_points_per_series = 11'000;
};

/// Immutable; evaluations may run side by side.
class Engine {
 public:
  Engine(const storage::SeriesQuerier& series, Limits limits) : series_(series), limits_(limits) {}

  /// `restrict` adds matchers to every selector (for evaluation of one label set alone).
  Result<Value> instant(const TenantId& tenant, const Expression& expression, Time at,
                        const Matchers& restrict = {}) const;
  /// Steps from, from+step … ≤ to. invalid_argument for a step ≤ 0 or too many points.
  Result<Matrix> range(const TenantId& tenant, const Expression& expression, Time from, Time to, Duration step) const;

 private:
  const storage::SeriesQuerier& series_;
  Limits limits_;
};

}  // namespace atalaya::promql
