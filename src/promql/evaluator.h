// One evaluation: every node for all steps at once, so that each series is read once.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "promql/ast.h"
#include "promql/functions.h"

namespace atalaya::promql {

/// The instants of an evaluation; an instant query has one.
struct Steps {
  Time from;
  Duration step{0};
  std::size_t count = 1;
  Time at(std::size_t i) const { return from + step * static_cast<std::int64_t>(i); }
};

/// A result series over all steps. A cell without a value holds the stale marker, which no
/// arithmetic produces.
struct Row {
  Labels labels;
  bool drops_name = false;  ///< __name__ goes when the whole query is done (Prometheus' delayed removal)
  std::vector<double> cells;
};
using Rows = std::vector<Row>;

/// Lives for one query. Thread-compatible.
class Evaluator {
 public:
  Evaluator(const storage::SeriesQuerier& series, const Limits& limits, const TenantId& tenant,
            const Matchers& restrict, Steps steps)
      : series_(series), limits_(limits), tenant_(tenant), restrict_(restrict), steps_(steps) {}

  Result<Rows> vector(const Expression& node);
  /// One value a step; never absent.
  Result<std::vector<double>> scalar(const Expression& node);
  /// The raw samples of a range selector at the only step.
  Result<Matrix> matrix(const Expression& node);

  /// Takes the names away that must go. unprocessable when two series then have the same labels.
  Status finish(Rows& rows) const;

 private:
  // eval_select.cc
  Time effective(const Expression& selector, std::size_t step) const;
  Result<std::vector<storage::SelectedSeries>> open(const Expression& selector, Duration window);
  Status load(storage::SelectedSeries& series, bool with_stale, std::vector<Sample>& out);
  Result<Rows> instant_selector(const Expression& selector, bool timestamps);
  using OfWindow = std::function<std::optional<double>(const Window&, std::size_t step)>;
  Result<Rows> windows(const Expression& selector, bool keeps_name, const OfWindow& function);

  // eval_call.cc
  Result<Rows> call(const Expression& node);
  Result<Rows> elements(const Expression& node);
  Result<Rows> clamp(const Expression& node);
  Result<Rows> absent(const Expression& node);
  Result<Rows> sorted(const Expression& node);
  Result<Rows> window_with_parameter(const Expression& node);
  Result<Rows> timestamp(const Expression& node);

  // eval_binary.cc
  Result<Rows> binary(const Expression& node);
  Result<Rows> with_scalar(const Expression& node, bool scalar_left);
  Result<Rows> set_operation(const Expression& node);
  Result<Rows> matched(const Expression& node);

  // eval_aggregate.cc
  Result<Rows> aggregate(const Expression& node);

  Status count_samples(std::size_t count);
  Row empty_row() const;

  const storage::SeriesQuerier& series_;
  const Limits& limits_;
  const TenantId& tenant_;
  const Matchers& restrict_;
  Steps steps_;
  std::size_t samples_ = 0;
};

}  // namespace atalaya::promql
