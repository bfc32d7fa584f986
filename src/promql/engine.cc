#include "promql/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "promql/evaluator.h"

namespace atalaya::promql {

Status Evaluator::finish(Rows& rows) const {
  std::unordered_map<Labels, std::size_t> seen;
  std::size_t kept = 0;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    if (std::all_of(rows[r].cells.begin(), rows[r].cells.end(), [](double cell) { return is_stale(cell); })) continue;
    if (rows[r].drops_name) rows[r].labels = rows[r].labels.without(kMetricName);
    const auto [it, fresh] = seen.emplace(rows[r].labels, kept);
    if (fresh) {
      if (kept != r) rows[kept] = std::move(rows[r]);
      ++kept;
      continue;
    }
    // The same labels are one series as long as the steps do not meet.
    auto& first = rows[it->second].cells;
    for (std::size_t i = 0; i < first.size(); ++i) {
      const double cell = rows[r].cells[i];
      if (is_stale(cell)) continue;
      if (!is_stale(first[i])) {
        return fail(ErrorCode::kUnprocessable,
                    fmt::format("vector cannot contain metrics with the same labelset: {}", to_string(rows[r].labels)));
      }
      first[i] = cell;
    }
  }
  rows.resize(kept);
  return {};
}

namespace {

const Expression& inner(const Expression& expression) {
  const auto* node = &expression;
  while (node->kind == Kind::kParen) node = node->args[0].get();
  return *node;
}

}  // namespace

Result<Value> Engine::instant(const TenantId& tenant, const Expression& expression, Time at,
                              const Matchers& restrict) const {
  Evaluator evaluator(series_, limits_, tenant, restrict, Steps{at, Duration{0}, 1});
  switch (expression.type) {
    case ValueType::kString: return Value(inner(expression).text);
    case ValueType::kScalar: {
      AT_TRY(const auto values, evaluator.scalar(expression));
      return Value(Scalar{at, values[0]});
    }
    case ValueType::kMatrix: {
      AT_TRY(auto matrix, evaluator.matrix(expression));
      return Value(std::move(matrix));
    }
    case ValueType::kVector: break;
  }
  AT_TRY(auto rows, evaluator.vector(expression));
  AT_TRY(evaluator.finish(rows));
  Vector out;
  out.reserve(rows.size());
  for (auto& row : rows) out.push_back(VectorElement{std::move(row.labels), at, row.cells[0]});
  return Value(std::move(out));
}

Result<Matrix> Engine::range(const TenantId& tenant, const Expression& expression, Time from, Time to,
                             Duration step) const {
  if (step <= Duration{0}) {
    return fail(ErrorCode::kInvalidArgument,
                "zero or negative query resolution step widths are not accepted. Try a positive integer");
  }
  if (to < from) return fail(ErrorCode::kInvalidArgument, "end timestamp must not be before start time");
  const auto span = static_cast<std::uint64_t>(to_ms(to)) - static_cast<std::uint64_t>(to_ms(from));
  const auto count = span / static_cast<std::uint64_t>(step.count()) + 1;
  if (count > limits_.max_points_per_series) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("exceeded maximum resolution of {} points per timeseries. Try decreasing the query "
                            "resolution (?step=XX)",
                            limits_.max_points_per_series));
  }
  if (expression.type != ValueType::kScalar && expression.type != ValueType::kVector) {
    return fail(ErrorCode::kInvalidArgument, expression.place,
                fmt::format("invalid expression type \"{}\" for range query, must be Scalar or instant Vector",
                            name(expression.type)));
  }
  const Matchers unrestricted;
  const Steps steps{from, step, count};
  Evaluator evaluator(series_, limits_, tenant, unrestricted, steps);
  Rows rows;
  if (expression.type == ValueType::kScalar) {
    AT_TRY(auto cells, evaluator.scalar(expression));
    rows.push_back(Row{{}, false, std::move(cells)});
  } else {
    AT_TRY(rows, evaluator.vector(expression));
    AT_TRY(evaluator.finish(rows));
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.labels < b.labels; });
  Matrix out;
  for (auto& row : rows) {
    MatrixSeries series{std::move(row.labels), {}};
    for (std::size_t i = 0; i < steps.count; ++i) {
      if (!is_stale(row.cells[i])) series.samples.push_back(Sample{steps.at(i), row.cells[i]});
    }
    if (!series.samples.empty()) out.push_back(std::move(series));
  }
  return out;
}

}  // namespace atalaya::promql
