// Functions of a range: of a selector's samples, or of what a subquery yields.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "model/names.h"
#include "promql/evaluator.h"
#include "promql/format.h"
#include "promql/window_functions.h"

namespace atalaya::promql {
namespace {

using Extension = WindowPlan::Extension;

Extension extension_of(const Expression& range) {
  if (range.extension == "anchored") return Extension::kAnchored;
  return range.extension == "smoothed" ? Extension::kSmoothed : Extension::kNone;
}

/// The argument that is a range; every window function has one.
const Expression& range_of(const Expression& call) {
  const auto it =
      std::find_if(call.args.begin(), call.args.end(), [](const auto& arg) { return arg->type == ValueType::kMatrix; });
  return without_parens(**it);
}

/// What a note of this range points at. Prometheus puts what a subquery yielded in its place, which
/// stands at the text's beginning.
Place place_of(const Expression& range) { return range.kind == Kind::kSubquery ? Place{"", 1, 1} : range.place; }

bool has_counter_name(std::string_view name) {
  return name.ends_with("_total") || name.ends_with("_sum") || name.ends_with("_count") || name.ends_with("_bucket");
}

/// The first multiple of `step` after `time`.
Time aligned_after(Time time, Duration step) {
  const auto ms = to_ms(time);
  const auto out = from_ms(step.count() * (ms / step.count()));
  return out <= time ? shifted(out, step) : out;
}

}  // namespace

Result<WindowPlan> Evaluator::plan_of(const Expression& range) const {
  AT_TRY(const auto times, times_of(range));
  AT_TRY(const auto length, length_of(*range.range, query_.lengths, Sign::kPositive));
  return WindowPlan(steps_, times, length, extension_of(range), query_.limits.lookback);
}

Result<Evaluator::Sources> Evaluator::sources_of(const Expression& range, const WindowPlan& plan, BucketUse use) {
  if (range.kind == Kind::kSubquery) return subquery(range, plan, 0);
  return open(range, plan.first(), plan.last(), use, plan.range());
}

/// Evaluated once for all windows: at every multiple of its step that one of them holds.
Result<Evaluator::Sources> Evaluator::subquery(const Expression& node, const WindowPlan& plan, std::uint64_t weight) {
  Duration step = query_.limits.subquery_step;
  if (node.step) {
    AT_TRY(step, length_of(*node.step, query_.lengths, Sign::kPositive));
  }
  Steps steps;
  steps.from = aligned_after(shifted(plan.first(), Duration{-1}), step);
  steps.step = step;
  if (steps.from > plan.last()) return Sources{};
  steps.spans = steps.from != plan.last();
  steps.count = static_cast<std::size_t>((plan.last() - steps.from) / step) + 1;
  // Numbers have a value at each of them, whether there are series or not.
  AT_TRY(const auto held, query_.budget.take(steps.count, steps.count * sizeof(double)));
  Evaluator inner(query_, steps, weight);
  AT_TRY(const auto table, inner.vector(*node.args[0]));
  Sources out;
  out.reserve(table.size());
  for (std::size_t row = 0; row < table.size(); ++row) {
    Source source{table.head(row).labels, table.head(row).drops_name, nullptr, {}};
    const auto cells = table.cells(row);
    const auto values = values_in(cells);
    AT_TRY(source.held, query_.budget.take(0, values * sizeof(Sample)));  // as samples they count in the table
    source.made.reserve(values);
    for (std::size_t i = 0; i < steps.count; ++i) {
      if (!is_stale(cells[i])) source.made.push_back({steps.at(i), cells[i]});
    }
    out.push_back(std::move(source));
  }
  return out;
}

void Evaluator::count_windows(const WindowPlan& plan, std::span<const Sample> samples) const {
  if (!query_.account) return;
  std::uint64_t all = 0;
  plan.for_each(samples, [&](std::size_t, std::size_t begin, std::size_t end, const Window&) { all += end - begin; });
  count(all);
}

Result<Table> Evaluator::apply_window(const Function& function, const WindowPlan& plan, Sources& sources,
                                      const std::vector<std::vector<double>>& parameters) const {
  Table table = empty();
  AT_TRY(table.add_rows(query_.budget, sources.size()));
  const auto row = [&](Source& source, std::span<const Sample> samples, std::size_t i) -> Status {
    table.head(i) = {source.labels, !function.keeps_name || source.drops_name};
    function.window({samples, plan, parameters[0], parameters[1]}, table.cells(i));
    count_windows(plan, samples);
    return {};
  };
  AT_TRY(for_each_series(sources, false, row));
  table.drop_empty();
  return table;
}

/// The sums of buckets over their counts.
Result<Table> Evaluator::averages_of_buckets(const Expression& range, const WindowPlan& plan, Sources& sums) {
  const auto& sum = *find_function("sum_over_time");
  AT_TRY(auto counts_of, sources_of(range, plan, bucket_use("count_over_time")));
  AT_TRY(auto table, apply_window(sum, plan, sums, {{}, {}}));
  AT_TRY(const auto counts, apply_window(sum, plan, counts_of, {{}, {}}));
  std::unordered_map<Labels, std::size_t> rows;
  for (std::size_t row = 0; row < counts.size(); ++row) rows.emplace(counts.labels(row), row);
  for (std::size_t row = 0; row < table.size(); ++row) {
    const auto found = rows.find(table.labels(row));
    const auto cells = table.cells(row);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (found == rows.end()) {
        cells[i] = stale_marker();
      } else if (!is_stale(cells[i])) {
        cells[i] /= counts.cells(found->second)[i];
      }
    }
  }
  table.drop_empty();
  return table;
}

Result<Table> Evaluator::windows(const Expression& call) {
  const auto& function = *call.function;
  const auto& range = range_of(call);
  std::vector<std::vector<double>> parameters;
  for (const auto& arg : call.args) {
    if (arg->type != ValueType::kScalar) continue;
    AT_TRY(auto values, scalar(*arg));
    parameters.push_back(std::move(values));
  }
  parameters.resize(2);
  AT_TRY(const auto plan, plan_of(range));
  const auto use = bucket_use(function.name);
  AT_TRY(auto sources, sources_of(range, plan, use));
  if (sources.empty()) return empty();
  AT_TRY(check_window(call, range, parameters[0], parameters[1]));
  const bool has_buckets =
      std::any_of(sources.begin(), sources.end(), [](const Source& one) { return !one.buckets.empty(); });
  if (has_buckets && function.name == "avg_over_time") return averages_of_buckets(range, plan, sources);
  // Buckets tell how many samples they stand for.
  const bool adds = has_buckets && use.value == storage::BucketValue::kCount;
  AT_TRY(auto table, apply_window(adds ? *find_function("sum_over_time") : function, plan, sources, parameters));
  if (function.check == Function::Check::kCounter) note_non_counters(range, table);
  if (function.check == Function::Check::kQuantile && !table.empty()) {
    for (std::size_t i = 0; i < steps_.count; ++i) {
      const double q = parameters[0][i];
      if (q >= 0 && q <= 1) continue;
      query_.notes.warn(without_parens(*call.args[0]).place,
                        fmt::format("quantile value should be between 0 and 1, got {}", format_general(q)));
    }
  }
  return table;
}

Status Evaluator::check_window(const Expression& call, const Expression& range, std::span<const double> first,
                               std::span<const double> second) const {
  const auto& function = *call.function;
  const auto refuse = [&](std::string message) {
    return fail(ErrorCode::kUnprocessable, call.place, std::move(message));
  };
  const auto extension = extension_of(range);
  if (extension == Extension::kAnchored && function.extended == Function::Extended::kNone) {
    return refuse(
        fmt::format("anchored modifier can only be used with: changes, delta, increase, rate, resets - not "
                    "with {}",
                    function.name));
  }
  if (extension == Extension::kSmoothed && function.extended != Function::Extended::kBoth) {
    return refuse(
        fmt::format("smoothed modifier can only be used with: delta, increase, rate - not with {}", function.name));
  }
  if (function.check != Function::Check::kSmoothing) return {};
  for (std::size_t i = 0; i < steps_.count; ++i) {
    if (first[i] <= 0 || first[i] >= 1) {
      return refuse(fmt::format("invalid smoothing factor. Expected: 0 < sf < 1, got: {:f}", first[i]));
    }
    if (second[i] <= 0 || second[i] >= 1) {
      return refuse(fmt::format("invalid trend factor. Expected: 0 < tf < 1, got: {:f}", second[i]));
    }
  }
  return {};
}

void Evaluator::note_non_counters(const Expression& range, const Table& table) const {
  std::string_view last;
  for (std::size_t row = 0; row < table.size(); ++row) {
    const auto name = table.labels(row).get(kMetricName);
    if (name.empty() || name == last || has_counter_name(name)) continue;
    last = name;
    query_.notes.info(place_of(range),
                      fmt::format("metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {}",
                                  quote_label_value(name)));
  }
}

Result<Table> Evaluator::absent_over_time(const Expression& node) {
  AT_TRY(const auto plan, plan_of(range_of(node)));
  const auto extension = plan.extension();
  if (extension != Extension::kNone) AT_TRY(check_window(node, range_of(node), {}, {}));
  AT_TRY(auto sources, sources_of(range_of(node), plan));
  // One row a series would be much for one bit; but the rows are needed side by side by the threads.
  Table table = empty();
  AT_TRY(table.add_rows(query_.budget, sources.size()));
  const auto row = [&](Source& source, std::span<const Sample> samples, std::size_t i) -> Status {
    table.head(i).labels = source.labels;
    const auto cells = table.cells(i);
    plan.for_each(samples, [&](std::size_t step, std::size_t, std::size_t, const Window&) { cells[step] = 1; });
    count_windows(plan, samples);
    return {};
  };
  AT_TRY(for_each_series(sources, false, row));
  return table;
}

Result<Matrix> Evaluator::matrix(const Expression& node) {
  const auto& range = without_parens(node);
  AT_TRY(const auto plan, plan_of(range));
  const bool stored = range.kind == Kind::kSelector;
  AT_TRY(auto sources, stored ? sources_of(range, plan) : subquery(range, plan, weight_));
  std::vector<MatrixSeries> rows(sources.size());
  const auto row = [&](Source& source, std::span<const Sample> samples, std::size_t i) -> Status {
    rows[i].labels = source.drops_name ? without_metadata(*source.labels) : *source.labels;
    plan.for_each(samples, [&](std::size_t, std::size_t, std::size_t, const Window& window) {
      if (plan.extension() == Extension::kNone) {
        rows[i].samples.assign(window.samples.begin(), window.samples.end());
      } else {
        rows[i].samples =
            extended_samples(window.samples, window.start, window.end, plan.extension() == Extension::kSmoothed);
      }
    });
    if (stored) count_windows(plan, samples);
    return query_.budget.keep(rows[i].samples.capacity() * sizeof(Sample));
  };
  AT_TRY(for_each_series(sources, false, row));
  std::erase_if(rows, [](const MatrixSeries& series) { return series.samples.empty(); });
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.labels < b.labels; });
  return rows;
}

}  // namespace atalaya::promql
