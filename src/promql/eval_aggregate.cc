// Aggregations that make one element of a group: sum, avg, min, max, count, group, stddev, stdvar,
// quantile, count_values.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <unordered_map>

#include "base/bytes.h"
#include "promql/evaluator.h"
#include "promql/format.h"
#include "promql/grouping.h"
#include "promql/numeric.h"

namespace atalaya::promql {
namespace {

/// The running result of one group at one step.
struct Least {
  explicit Least(double first) : value(first) {}
  void add(double next) {
    if (value > next || std::isnan(value)) value = next;
  }
  double result() const { return value; }
  double value;
};
struct Most {
  explicit Most(double first) : value(first) {}
  void add(double next) {
    if (value < next || std::isnan(value)) value = next;
  }
  double result() const { return value; }
  double value;
};
struct Sum {
  explicit Sum(double first) : sum(first) {}
  void add(double next) { sum.add(next); }
  double result() const { return sum.value(); }
  KahanSum sum;
};
struct Average {
  explicit Average(double first) : mean(first) {}
  void add(double next) { mean.add(next); }
  double result() const { return mean.value(); }
  Mean mean;
};
struct Count {
  explicit Count(double) {}
  void add(double) { ++count; }
  double result() const { return count; }
  double count = 1;
};
struct One {
  explicit One(double) {}
  void add(double) {}
  double result() const { return 1; }
};
/// Welford's.
struct Variance {
  explicit Variance(double first) : mean(first), squares(std::isfinite(first) ? 0 : std::nan("")) {}
  void add(double next) {
    ++count;
    const double before = next - mean;
    mean += before / count;
    squares += before * (next - mean);
  }
  double result() const { return squares / count; }
  double count = 1;
  double mean;
  double squares;
};
struct Deviation : Variance {
  using Variance::Variance;
  double result() const { return std::sqrt(Variance::result()); }
};

/// Row by row over all steps: each row is read once, in order.
template <typename State>
void reduce(const Table& input, const std::vector<std::size_t>& rows, std::span<double> out) {
  std::vector<std::optional<State>> states(out.size());
  for (const auto row : rows) {
    const auto cells = input.cells(row);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (is_stale(cells[i])) continue;
      if (states[i]) {
        states[i]->add(cells[i]);
      } else {
        states[i].emplace(cells[i]);
      }
    }
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (states[i]) out[i] = states[i]->result();
  }
}

void quantiles(const Table& input, const std::vector<std::size_t>& rows, std::span<const double> q,
               std::span<double> out) {
  std::vector<double> values;
  for (std::size_t i = 0; i < out.size(); ++i) {
    values.clear();
    for (const auto row : rows) {
      if (!is_stale(input.at(row, i))) values.push_back(input.at(row, i));
    }
    if (!values.empty()) out[i] = quantile(q[i], values);
  }
}

void reduce_by(Aggregation aggregation, const Table& input, const std::vector<std::size_t>& rows,
               std::span<double> out) {
  switch (aggregation) {
    case Aggregation::kSum: return reduce<Sum>(input, rows, out);
    case Aggregation::kAvg: return reduce<Average>(input, rows, out);
    case Aggregation::kMin: return reduce<Least>(input, rows, out);
    case Aggregation::kMax: return reduce<Most>(input, rows, out);
    case Aggregation::kCount: return reduce<Count>(input, rows, out);
    case Aggregation::kGroup: return reduce<One>(input, rows, out);
    case Aggregation::kStddev: return reduce<Deviation>(input, rows, out);
    default: return reduce<Variance>(input, rows, out);
  }
}

/// Whether the name goes from a group in which only some rows are to lose theirs: one of them at the last step with
/// a value decides.
bool drops_name(const Table& input, const std::vector<std::size_t>& rows) {
  for (std::size_t step = input.steps(); step-- > 0;) {
    bool any = false;
    for (const auto row : rows) {
      if (is_stale(input.at(row, step))) continue;
      if (input.head(row).drops_name) return true;
      any = true;
    }
    if (any) return false;
  }
  return false;
}

}  // namespace

Result<Table> Evaluator::aggregate(const Expression& node) {
  const auto aggregation = node.aggregation;
  AT_TRY(auto input, vector(*node.args[0]));
  switch (aggregation) {
    case Aggregation::kCountValues: return count_values(node, input);
    case Aggregation::kTopk:
    case Aggregation::kBottomk:
    case Aggregation::kLimitk:
    case Aggregation::kLimitRatio: return selected(node, std::move(input));
    default: return reduced(node, input);
  }
}

/// Of those that are none the greatest and the least, unless some are no numbers.
void Evaluator::warn_of_quantiles(const Place& place, std::span<const double> q) const {
  const auto warn = [&](double value) {
    query_.notes.warn(place, fmt::format("quantile value should be between 0 and 1, got {}", format_general(value)));
  };
  if (std::ranges::any_of(q, [](double value) { return std::isnan(value); })) return warn(std::nan(""));
  const auto [least, most] = std::ranges::minmax(q);
  if (most > 1) warn(most);
  if (least < 0) warn(least);
}

Result<Table> Evaluator::reduced(const Expression& node, const Table& input) {
  std::vector<double> parameter;
  if (node.aggregation == Aggregation::kQuantile) {
    AT_TRY(parameter, scalar(*node.args[1]));
    warn_of_quantiles(without_parens(*node.args[1]).place, parameter);
  }
  const auto groups = group_rows(node.grouping, input);
  Table out = empty();
  AT_TRY(out.add_rows(query_.budget, groups.size()));
  for (std::size_t g = 0; g < groups.size(); ++g) {
    out.set_labels(g, groups[g].labels);
    const auto& rows = groups[g].rows;
    const auto dropping = std::ranges::count_if(rows, [&](auto row) { return input.head(row).drops_name; });
    const bool all = static_cast<std::size_t>(dropping) == rows.size();
    out.head(g).drops_name = dropping > 0 && (all || drops_name(input, rows));
    if (parameter.empty()) {
      reduce_by(node.aggregation, input, rows, out.cells(g));
    } else {
      quantiles(input, rows, parameter, out.cells(g));
    }
    AT_TRY(query_.budget.go_on());
  }
  out.drop_empty();
  return out;
}

/// One element for each value that occurs, which a label then names.
Result<Table> Evaluator::count_values(const Expression& node, const Table& input) {
  const auto& label = without_parens(*node.args[1]).text;
  if (label.empty() || !is_utf8(label)) {
    return fail(ErrorCode::kUnprocessable, node.place, fmt::format("invalid label name \"{}\"", label));
  }
  auto grouping = node.grouping;
  if (!grouping.without) grouping.labels.push_back(label);
  Table out = empty();
  std::unordered_map<Labels, std::size_t> made;
  for (std::size_t row = 0; row < input.size(); ++row) {
    double last = stale_marker();
    std::size_t target = 0;
    for (std::size_t i = 0; i < steps_.count; ++i) {
      const double value = input.at(row, i);
      if (is_stale(value)) continue;
      // A run of the same value needs its labels once; -0 is not 0, and NaN is itself.
      if (is_stale(last) || std::bit_cast<std::uint64_t>(value) != std::bit_cast<std::uint64_t>(last)) {
        last = value;
        auto labels = group_labels(grouping, input.labels(row).with(label, format_fixed(value)));
        const auto [it, fresh] = made.emplace(labels, out.size());
        if (fresh) AT_TRY(out.add(query_.budget, std::make_shared<const Labels>(std::move(labels)), false));
        target = it->second;
      }
      double& cell = out.cells(target)[i];
      cell = is_stale(cell) ? 1 : cell + 1;
    }
  }
  return out;
}

}  // namespace atalaya::promql
