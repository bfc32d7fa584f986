// Nodes by their kind, and functions that look at values alone.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "promql/evaluator.h"
#include "promql/natural_order.h"

namespace atalaya::promql {
namespace {

using Special = Function::Special;

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

/// As Go's math.Max and Min: what nothing exceeds wins, then a NaN on either side; and -0 is below 0.
double limit(double a, double b, bool most) {
  const double utmost = most ? INFINITY : -INFINITY;
  if (a == utmost || b == utmost) return utmost;
  if (std::isnan(a) || std::isnan(b)) return std::nan("");
  if (a == 0 && b == 0) return std::signbit(a) == most ? b : a;
  return most ? std::max(a, b) : std::min(a, b);
}

/// The same value at every step.
Status repeat(Budget& budget, const Table& once, Table& out) {
  AT_TRY(out.add_rows(budget, once.size()));
  for (std::size_t row = 0; row < once.size(); ++row) {
    out.head(row) = once.head(row);
    const auto cells = out.cells(row);
    std::fill(cells.begin(), cells.end(), once.at(row, 0));
  }
  return {};
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
      std::vector<const Expression*> chain;
      const Expression* first = &node;
      for (; first->kind == Kind::kBinary; first = first->args[0].get()) chain.push_back(first);
      AT_TRY(out, scalar(*first));
      for (auto it = chain.rbegin(); it != chain.rend(); ++it) {
        AT_TRY(const auto right, scalar(*(*it)->args[1]));
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = apply((*it)->op, out[i], right[i]);
      }
      return out;
    }
    default: break;
  }
  if (node.function->special == Special::kScalar) {
    AT_TRY(const auto table, vector(*node.args[0]));
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = std::nan("");
      int present = 0;
      for (std::size_t row = 0; row < table.size(); ++row) {
        if (is_stale(table.at(row, i))) continue;
        out[i] = ++present == 1 ? table.at(row, i) : std::nan("");
      }
    }
    return out;
  }
  if (node.function->special == Special::kTime) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = to_seconds(steps_.at(i));
    return out;
  }
  AT_TRY(const double value, constant(node));
  std::fill(out.begin(), out.end(), value);
  return out;
}

/// Functions that the query alone decides.
Result<double> Evaluator::constant(const Expression& node) const {
  switch (node.function->special) {
    case Special::kPi: return std::numbers::pi;
    case Special::kStart: return to_seconds(query_.start);
    case Special::kEnd: return to_seconds(query_.end);
    case Special::kRange: return to_seconds(query_.lengths.range);
    case Special::kStep: return to_seconds(query_.lengths.step);
    default: break;
  }
  return fail(ErrorCode::kInternal, node.place, std::string(node.function->name) + "() is no number");
}

Result<Table> Evaluator::vector(const Expression& node) {
  AT_TRY(query_.budget.go_on());
  if ((steps_.count == 1 && !steps_.spans) || !is_step_invariant(node)) return evaluate(node);
  Evaluator once(query_, Steps{steps_.from, Duration{0}, 1}, weight_ * steps_.count);
  AT_TRY(const auto table, once.evaluate(node));
  Table out = empty();
  AT_TRY(repeat(query_.budget, table, out));
  return out;
}

Result<Table> Evaluator::evaluate(const Expression& node) {
  switch (node.kind) {
    case Kind::kSelector: return instant_selector(node, Show::kValue);
    case Kind::kParen: return vector(*node.args[0]);
    case Kind::kCall: return call(node);
    case Kind::kAggregate: return aggregate(node);
    case Kind::kBinary: return binary(node);
    case Kind::kUnary: {
      AT_TRY(auto table, vector(*node.args[0]));
      if (node.op == Op::kAdd) return table;
      for (std::size_t row = 0; row < table.size(); ++row) {
        table.head(row).drops_name = true;
        for (double& cell : table.cells(row)) {
          if (!is_stale(cell)) cell = -cell;
        }
      }
      return table;
    }
    default: break;
  }
  return fail(ErrorCode::kInternal, node.place, "this cannot be evaluated as an instant vector");
}

Result<Table> Evaluator::call(const Expression& node) {
  const auto& function = *node.function;
  if (function.element) return elements(node);
  if (function.window) return windows(node);
  switch (function.special) {
    case Special::kVector: return vector_of_scalar(node);
    case Special::kAbsent:
    case Special::kAbsentOverTime: return absent(node);
    case Special::kTimestamp: return timestamp(node);
    case Special::kSort:
    case Special::kSortDescending: return sorted(node);
    case Special::kSortByLabel:
    case Special::kSortByLabelDescending: return sorted_by_label(node);
    case Special::kClamp:
    case Special::kClampMin:
    case Special::kClampMax:
    case Special::kRound: return clamp(node);
    case Special::kLabelReplace: return label_replace(node);
    case Special::kLabelJoin: return label_join(node);
    case Special::kHistogramQuantile: return histogram_quantile(node);
    case Special::kHistogramQuantiles: return histogram_quantiles(node);
    case Special::kHistogramFraction: return histogram_fraction(node);
    case Special::kInfo: return info(node);
    case Special::kOfNativeHistograms: {
      AT_TRY(const auto ignored, vector(*node.args[0]));
      return empty();
    }
    default: break;
  }
  return fail(ErrorCode::kInternal, node.place, std::string(function.name) + "() is not a vector");
}

Result<Table> Evaluator::vector_of_scalar(const Expression& node) {
  AT_TRY(const auto cells, scalar(*node.args[0]));
  Table table = empty();
  AT_TRY(table.add(query_.budget, std::make_shared<const Labels>(), false));
  std::copy(cells.begin(), cells.end(), table.cells(0).begin());
  return table;
}

Result<Table> Evaluator::elements(const Expression& node) {
  Table table = empty();
  if (node.args.empty()) {  // hour() and its like: of the evaluation's own time
    AT_TRY(table.add(query_.budget, std::make_shared<const Labels>(), false));
    for (std::size_t i = 0; i < steps_.count; ++i) {
      table.cells(0)[i] = static_cast<double>(to_ms(steps_.at(i)) / 1000);
    }
  } else {
    AT_TRY(table, vector(*node.args[0]));
  }
  for (std::size_t row = 0; row < table.size(); ++row) {
    table.head(row).drops_name = true;
    for (double& cell : table.cells(row)) {
      if (!is_stale(cell)) cell = node.function->element(cell);
    }
  }
  return table;
}

Result<Table> Evaluator::clamp(const Expression& node) {
  AT_TRY(auto table, vector(*node.args[0]));
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
  for (std::size_t row = 0; row < table.size(); ++row) {
    table.head(row).drops_name = true;
    const auto cells = table.cells(row);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      double& cell = cells[i];
      if (is_stale(cell)) continue;
      if (what == Special::kRound) {
        cell = rounded(cell, low[i]);
      } else if (high[i] < low[i]) {
        cell = stale_marker();
      } else {
        cell = limit(low[i], limit(high[i], cell, false), true);
      }
    }
  }
  return table;
}

Result<Table> Evaluator::absent(const Expression& node) {
  Table present = empty();
  if (node.function->special == Special::kAbsentOverTime) {
    AT_TRY(present, absent_over_time(node));
  } else {
    AT_TRY(present, vector(*node.args[0]));
  }
  std::vector<bool> there(steps_.count);
  for (std::size_t row = 0; row < present.size(); ++row) {
    const auto cells = present.cells(row);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (!is_stale(cells[i])) there[i] = true;
    }
  }
  Table table = empty();
  AT_TRY(table.add(query_.budget, std::make_shared<const Labels>(labels_of_absent(*node.args[0])), false));
  for (std::size_t i = 0; i < steps_.count; ++i) {
    if (!there[i]) table.cells(0)[i] = 1;
  }
  table.drop_empty();
  return table;
}

/// A range result is sorted by labels anyway.
void Evaluator::warn_of_sorting(const Expression& node) const {
  if (!steps_.spans) return;
  query_.notes.warn(node.place, "sort is ineffective for range queries since results are always ordered by labels");
}

Result<Table> Evaluator::sorted(const Expression& node) {
  AT_TRY(auto table, vector(*node.args[0]));
  warn_of_sorting(node);
  if (steps_.count != 1) return table;
  const bool descending = node.function->special == Special::kSortDescending;
  std::vector<std::size_t> places(table.size());
  std::iota(places.begin(), places.end(), 0);
  std::stable_sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) {
    const double x = table.at(a, 0);
    const double y = table.at(b, 0);
    if (std::isnan(x) || std::isnan(y)) return !std::isnan(x) && std::isnan(y);  // NaN last
    return descending ? x > y : x < y;
  });
  table.reorder(places);
  return table;
}

Result<Table> Evaluator::sorted_by_label(const Expression& node) {
  AT_TRY(auto table, vector(*node.args[0]));
  warn_of_sorting(node);
  if (steps_.count != 1) return table;
  const bool descending = node.function->special == Special::kSortByLabelDescending;
  std::vector<std::string> names;
  for (std::size_t i = 1; i < node.args.size(); ++i) names.push_back(without_parens(*node.args[i]).text);
  std::vector<std::size_t> places(table.size());
  std::iota(places.begin(), places.end(), 0);
  const auto before = [&](std::size_t a, std::size_t b) {
    for (const auto& name : names) {
      const auto x = table.labels(a).get(name);
      const auto y = table.labels(b).get(name);
      if (x != y) return natural_order(x, y) == std::strong_ordering::less;
    }
    return table.labels(a) < table.labels(b);
  };
  std::stable_sort(places.begin(), places.end(), before);
  if (descending) std::reverse(places.begin(), places.end());
  table.reorder(places);
  return table;
}

Result<Table> Evaluator::timestamp(const Expression& node) {
  Table table = empty();
  const auto& argument = without_parens(*node.args[0]);
  if (argument.kind == Kind::kSelector && argument.extension.empty()) {
    AT_TRY(table, instant_selector(argument, Show::kTimestamp));
  } else {
    AT_TRY(table, vector(argument));
    for (std::size_t row = 0; row < table.size(); ++row) {
      const auto cells = table.cells(row);
      for (std::size_t i = 0; i < cells.size(); ++i) {
        if (!is_stale(cells[i])) cells[i] = to_seconds(steps_.at(i));
      }
    }
  }
  for (std::size_t row = 0; row < table.size(); ++row) table.head(row).drops_name = true;
  return table;
}

}  // namespace atalaya::promql
