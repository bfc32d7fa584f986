// Function calls.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "promql/evaluator.h"

namespace atalaya::promql {
namespace {

using Special = Function::Special;

const Expression& without_parens(const Expression& node) {
  const auto* inner = &node;
  while (inner->kind == Kind::kParen) inner = inner->args[0].get();
  return *inner;
}

/// What `absent` answers with: the labels that the selector pins to one value.
Labels labels_of_absent(const Expression& argument) {
  const auto& selector = without_parens(argument);
  if (selector.kind != Kind::kSelector) return {};
  LabelsBuilder labels;
  std::vector<std::string> seen;
  for (const auto& matcher : selector.matchers) {
    if (matcher.name() == kMetricName) continue;
    const bool again = std::find(seen.begin(), seen.end(), matcher.name()) != seen.end();
    if (matcher.op() == Matcher::Op::kEqual && !again) {
      labels.set(matcher.name(), matcher.value());
      seen.push_back(matcher.name());
    } else {
      labels.erase(matcher.name());
    }
  }
  return labels.build();
}

double rounded(double value, double to_nearest) {
  // Multiplied by the inverse, which is exact for 0.1, 0.01 … where the fraction is not.
  const double inverse = 1 / to_nearest;
  return std::floor(value * inverse + 0.5) / inverse;
}

}  // namespace

Result<std::vector<double>> Evaluator::scalar(const Expression& node) {
  std::vector<double> out(steps_.count);
  switch (node.kind) {
    case Kind::kNumber: std::fill(out.begin(), out.end(), node.number); return out;
    case Kind::kParen: return scalar(*node.args[0]);
    case Kind::kUnary: {
      AT_TRY(out, scalar(*node.args[0]));
      if (node.op == Op::kSub) {
        for (double& value : out) value = -value;
      }
      return out;
    }
    case Kind::kBinary: {
      AT_TRY(out, scalar(*node.args[0]));
      AT_TRY(const auto right, scalar(*node.args[1]));
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = apply(node.op, out[i], right[i]);
      return out;
    }
    default: break;
  }
  if (node.function->special == Special::kScalar) {
    AT_TRY(const auto rows, vector(*node.args[0]));
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = std::nan("");
      int present = 0;
      for (const auto& row : rows) {
        if (is_stale(row.cells[i])) continue;
        out[i] = ++present == 1 ? row.cells[i] : std::nan("");
      }
    }
    return out;
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = node.function->special == Special::kPi ? std::numbers::pi : to_seconds(steps_.at(i));
  }
  return out;
}

Result<Rows> Evaluator::vector(const Expression& node) {
  switch (node.kind) {
    case Kind::kSelector: return instant_selector(node, false);
    case Kind::kParen: return vector(*node.args[0]);
    case Kind::kCall: return call(node);
    case Kind::kAggregate: return aggregate(node);
    case Kind::kBinary: return binary(node);
    case Kind::kUnary: {
      AT_TRY(auto rows, vector(*node.args[0]));
      if (node.op == Op::kAdd) return rows;
      for (auto& row : rows) {
        row.drops_name = true;
        for (double& cell : row.cells) {
          if (!is_stale(cell)) cell = -cell;
        }
      }
      return rows;
    }
    default: break;
  }
  return fail(ErrorCode::kUnprocessable, node.place, "this cannot be evaluated as an instant vector");
}

Result<Rows> Evaluator::call(const Expression& node) {
  const auto& function = *node.function;
  if (function.element) return elements(node);
  if (function.window) {
    return windows(without_parens(*node.args[0]), function.keeps_name,
                   [&](const Window& window, std::size_t) { return function.window(window); });
  }
  switch (function.special) {
    case Special::kVector: {
      AT_TRY(auto cells, scalar(*node.args[0]));
      return Rows{Row{{}, false, std::move(cells)}};
    }
    case Special::kAbsent:
    case Special::kAbsentOverTime: return absent(node);
    case Special::kTimestamp: return timestamp(node);
    case Special::kSort:
    case Special::kSortDescending: return sorted(node);
    case Special::kClamp:
    case Special::kClampMin:
    case Special::kClampMax:
    case Special::kRound: return clamp(node);
    case Special::kQuantileOverTime:
    case Special::kPredictLinear: return window_with_parameter(node);
    default: break;
  }
  return fail(ErrorCode::kUnprocessable, node.place, std::string(function.name) + "() is not a vector");
}

Result<Rows> Evaluator::elements(const Expression& node) {
  Rows rows;
  if (node.args.empty()) {  // hour() and its like: of the evaluation's own time
    rows.push_back(empty_row());
    for (std::size_t i = 0; i < steps_.count; ++i) rows[0].cells[i] = to_seconds(steps_.at(i));
  } else {
    AT_TRY(rows, vector(*node.args[0]));
  }
  for (auto& row : rows) {
    row.drops_name = true;
    for (double& cell : row.cells) {
      if (!is_stale(cell)) cell = node.function->element(cell);
    }
  }
  return rows;
}

Result<Rows> Evaluator::clamp(const Expression& node) {
  AT_TRY(auto rows, vector(*node.args[0]));
  const auto what = node.function->special;
  std::vector<double> low(steps_.count, what == Special::kRound ? 1 : -INFINITY);
  std::vector<double> high(steps_.count, INFINITY);
  if (what == Special::kClampMax) {
    AT_TRY(high, scalar(*node.args[1]));
  } else if (node.args.size() > 1) {
    AT_TRY(low, scalar(*node.args[1]));
  }
  if (what == Special::kClamp) {
    AT_TRY(high, scalar(*node.args[2]));
  }
  // As Go's math.Max and Min: a NaN on either side wins.
  const auto limit = [](double a, double b, bool most) {
    if (std::isnan(a) || std::isnan(b)) return std::nan("");
    return most ? std::max(a, b) : std::min(a, b);
  };
  for (auto& row : rows) {
    row.drops_name = true;
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      double& cell = row.cells[i];
      if (is_stale(cell)) continue;
      if (what == Special::kRound) {
        cell = rounded(cell, low[i]);
      } else if (what == Special::kClamp && low[i] > high[i]) {
        cell = stale_marker();
      } else if (what == Special::kClampMin) {
        cell = limit(cell, low[i], true);
      } else if (what == Special::kClampMax) {
        cell = limit(cell, high[i], false);
      } else {
        cell = limit(limit(cell, high[i], false), low[i], true);
      }
    }
  }
  return rows;
}

Result<Rows> Evaluator::absent(const Expression& node) {
  Rows rows;
  if (node.function->special == Special::kAbsentOverTime) {
    AT_TRY(rows, windows(without_parens(*node.args[0]), false,
                         [](const Window&, std::size_t) { return std::optional<double>(1); }));
  } else {
    AT_TRY(rows, vector(*node.args[0]));
  }
  Row out = empty_row();
  for (std::size_t i = 0; i < steps_.count; ++i) {
    const bool present = std::any_of(rows.begin(), rows.end(), [&](const Row& row) { return !is_stale(row.cells[i]); });
    if (!present) out.cells[i] = 1;
  }
  out.labels = labels_of_absent(*node.args[0]);
  return Rows{std::move(out)};
}

Result<Rows> Evaluator::sorted(const Expression& node) {
  AT_TRY(auto rows, vector(*node.args[0]));
  if (steps_.count != 1) return rows;  // a range result is sorted by labels anyway
  const bool descending = node.function->special == Special::kSortDescending;
  std::stable_sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
    const double x = a.cells[0];
    const double y = b.cells[0];
    if (std::isnan(x) || std::isnan(y)) return !std::isnan(x) && std::isnan(y);  // NaN last
    return descending ? x > y : x < y;
  });
  return rows;
}

Result<Rows> Evaluator::timestamp(const Expression& node) {
  Rows rows;
  const auto& argument = without_parens(*node.args[0]);
  if (argument.kind == Kind::kSelector) {
    AT_TRY(rows, instant_selector(argument, true));
  } else {
    AT_TRY(rows, vector(argument));
    for (auto& row : rows) {
      for (std::size_t i = 0; i < row.cells.size(); ++i) {
        if (!is_stale(row.cells[i])) row.cells[i] = to_seconds(steps_.at(i));
      }
    }
  }
  for (auto& row : rows) row.drops_name = true;
  return rows;
}

Result<Rows> Evaluator::window_with_parameter(const Expression& node) {
  const bool is_quantile = node.function->special == Special::kQuantileOverTime;
  AT_TRY(const auto parameter, scalar(*node.args[is_quantile ? 0 : 1]));
  const auto& selector = without_parens(*node.args[is_quantile ? 1 : 0]);
  if (is_quantile) {
    return windows(selector, false, [&](const Window& window, std::size_t i) -> std::optional<double> {
      std::vector<double> values;
      for (const auto& sample : window.samples) values.push_back(sample.value);
      return quantile(parameter[i], std::move(values));
    });
  }
  return windows(selector, false, [&](const Window& window, std::size_t i) -> std::optional<double> {
    if (window.samples.size() < 2) return std::nullopt;
    const auto [slope, value] = linear_regression(window.samples, steps_.at(i));
    return slope * parameter[i] + value;
  });
}

}  // namespace atalaya::promql
