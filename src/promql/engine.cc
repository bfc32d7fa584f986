#include "promql/engine.h"

#include <fmt/format.h>

#include <algorithm>

#include "promql/evaluator.h"

namespace atalaya::promql {
namespace {

/// One evaluation from its beginning to what is told of it.
class Run {
 public:
  Run(const storage::SeriesQuerier& series, const Limits& limits, const TenantId& tenant, const Matchers& restrict,
      const Conditions& conditions, Steps steps)
      : conditions_(conditions),
        budget_({limits.max_samples, limits.max_bytes, conditions.stop, conditions.clock, conditions.deadline,
                 conditions.memory}),
        context_{series,
                 limits,
                 tenant,
                 restrict,
                 steps.at(0),
                 steps.at(steps.count - 1),
                 {},
                 budget_,
                 notes_,
                 conditions.annotations != nullptr,
                 conditions.statistics ? &account_ : nullptr},
        evaluator_(context_, steps) {
    account_.clock = conditions.clock;
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run() {
    if (conditions_.annotations) *conditions_.annotations = notes_.take();
    if (!conditions_.statistics) return;
    *conditions_.statistics = {account_.samples, budget_.most_samples(), account_.looking_up, sorting_};
  }

  Evaluator& evaluator() { return evaluator_; }
  Budget& budget() { return budget_; }
  template <typename Sort>
  void sort(Sort do_it) {
    const auto* clock = conditions_.statistics ? conditions_.clock : nullptr;
    const auto began = clock ? clock->steady() : Steady{};
    do_it();
    if (clock) sorting_ = clock->steady() - began;
  }
  void set_range(Time end, Duration step) {
    context_.end = end;
    context_.lengths = {step, end - context_.start};
  }

 private:
  const Conditions& conditions_;
  AnnotationSink notes_;
  Budget budget_;
  Account account_;
  std::chrono::nanoseconds sorting_{0};
  QueryContext context_;
  Evaluator evaluator_;
};

/// About what a label set and its place in a result take.
constexpr std::size_t kBytesOfLabels = 256;

Result<Matrix> matrix_of(Table table, const Steps& steps, Run& run) {
  Matrix out;
  out.reserve(table.size());
  for (std::size_t row = 0; row < table.size(); ++row) {
    MatrixSeries series{table.labels(row), {}};
    const auto cells = table.cells(row);
    const auto values = values_in(cells);
    AT_TRY(run.budget().keep(values * sizeof(Sample) + kBytesOfLabels));
    series.samples.reserve(values);
    for (std::size_t i = 0; i < steps.count; ++i) {
      if (!is_stale(cells[i])) series.samples.push_back(Sample{steps.at(i), cells[i]});
    }
    if (!series.samples.empty()) out.push_back(std::move(series));
  }
  run.sort(
      [&] { std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.labels < b.labels; }); });
  return out;
}

}  // namespace

Result<Value> Engine::instant(const TenantId& tenant, const Expression& expression, Time at, const Matchers& restrict,
                              const Conditions& conditions) const {
  Run run(series_, limits_, tenant, restrict, conditions, Steps{at, Duration{0}, 1});
  auto& evaluator = run.evaluator();
  switch (expression.type) {
    case ValueType::kString: return Value(without_parens(expression).text);
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
  AT_TRY(auto table, evaluator.vector(expression));
  AT_TRY(evaluator.finish(table));
  AT_TRY(run.budget().keep(table.size() * (sizeof(VectorElement) + kBytesOfLabels)));
  Vector out;
  out.reserve(table.size());
  for (std::size_t row = 0; row < table.size(); ++row) {
    out.push_back(VectorElement{table.labels(row), at, table.at(row, 0)});
  }
  return Value(std::move(out));
}

Result<Matrix> Engine::range(const TenantId& tenant, const Expression& expression, Time from, Time to, Duration step,
                             const Conditions& conditions) const {
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
  const Steps steps{from, step, count, to != from};
  Run run(series_, limits_, tenant, unrestricted, conditions, steps);
  run.set_range(to, step);
  auto& evaluator = run.evaluator();
  Table table(steps.count);
  if (expression.type == ValueType::kScalar) {
    AT_TRY(const auto cells, evaluator.scalar(expression));
    AT_TRY(table.add(run.budget(), std::make_shared<const Labels>(), false));
    std::copy(cells.begin(), cells.end(), table.cells(0).begin());
  } else {
    AT_TRY(table, evaluator.vector(expression));
    AT_TRY(evaluator.finish(table));
  }
  return matrix_of(std::move(table), steps, run);
}

Result<QuerySlots::Slot> QuerySlots::take(std::chrono::milliseconds patience, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const bool mine = wake_.wait_for(lock, stop, patience, [this] { return free_ > 0; });
  if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "query was canceled in query queue");
  if (!mine) {
    return fail(ErrorCode::kResourceExhausted, "too many queries run at once", "try again when some of them are done");
  }
  --free_;
  return Slot(*this);
}

void QuerySlots::give_back() {
  {
    const std::lock_guard lock(mutex_);
    ++free_;
  }
  wake_.notify_one();
}

}  // namespace atalaya::promql
