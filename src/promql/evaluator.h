// One evaluation: every node for all steps at once, so that each series is read once.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "promql/annotations.h"
#include "promql/ast.h"
#include "promql/bucket_use.h"
#include "promql/durations.h"
#include "promql/functions.h"
#include "promql/steps.h"
#include "promql/table.h"
#include "promql/window_plan.h"

namespace atalaya::promql {

/// What an evaluation tells of itself. `samples` may be added to by any thread.
struct Account {
  const Clock* clock = nullptr;
  std::atomic<std::uint64_t> samples{0};
  std::chrono::nanoseconds looking_up{0};
};

/// What is the same for all nodes of a query, those within subqueries included.
struct QueryContext {
  const storage::SeriesQuerier& series;
  const Limits& limits;
  const TenantId& tenant;
  const Matchers& restrict;  ///< added to every selector
  Time start;                ///< of the query: what start() means
  Time end;
  QueryLengths lengths;
  Budget& budget;
  AnnotationSink& notes;
  bool notes_are_read = false;  ///< somebody gets to see warnings
  Account* account = nullptr;   ///< null: nobody asks
};

/// Evaluates nodes at some steps: those of the query, or of a subquery in it. Thread-compatible.
class Evaluator {
 public:
  /// `weight`: how often a sample counts that is looked at; steps that are all alike are evaluated once, and what a
  /// subquery looks at counts when the windows over its results are looked at.
  Evaluator(const QueryContext& query, Steps steps, std::uint64_t weight = 1)
      : query_(query), steps_(steps), weight_(weight) {}

  Result<Table> vector(const Expression& node);
  /// One value a step; never absent.
  Result<std::vector<double>> scalar(const Expression& node);
  /// The samples of a range selector or subquery at the only step.
  Result<Matrix> matrix(const Expression& node);

  /// Takes the names away that must go, and joins rows whose labels are then the same. unprocessable
  /// when two of them have a value at the same step.
  Status finish(Table& table) const;

 private:
  /// Series whose samples are walked once: of a selector, or made by a subquery.
  struct Source {
    LabelsPtr labels;
    bool drops_name = false;
    std::unique_ptr<storage::SampleIterator> stored;
    std::vector<Sample> made;
    std::vector<storage::BucketSpan> buckets = {};
    Budget::Held held = {};  ///< for what was made
  };
  using Sources = std::vector<Source>;

  // eval_select.cc: reading selectors
  Result<EffectiveTimes> times_of(const Expression& selector) const;
  /// `window`: of a range; zero for an instant selector.
  Result<Sources> open(const Expression& selector, Time from, Time to, BucketUse use = {},
                       Duration window = Duration{0}) const;
  /// The samples of a source; `keeps_stale` for instant selectors, which end at a stale marker.
  Result<Budget::Held> load(Source& source, bool keeps_stale, std::vector<Sample>& out) const;
  /// Calls `row(source, samples, i)` for each source, on several threads where it pays.
  using OfSeries = std::function<Status(Source&, std::span<const Sample>, std::size_t)>;
  Status for_each_series(Sources& sources, bool keeps_stale, const OfSeries& visit) const;
  enum class Show { kValue, kTimestamp };
  Result<Table> instant_selector(const Expression& selector, Show show);
  Result<Table> look_back(Sources sources, const EffectiveTimes& times, Show show, bool smoothed);

  // eval_windows.cc: ranges
  Result<WindowPlan> plan_of(const Expression& range) const;
  Result<Sources> sources_of(const Expression& range, const WindowPlan& plan, BucketUse use = {});
  Result<Table> averages_of_buckets(const Expression& range, const WindowPlan& plan, Sources& sums);
  Result<Table> apply_window(const Function& function, const WindowPlan& plan, Sources& sources,
                             const std::vector<std::vector<double>>& parameters) const;
  Result<Sources> subquery(const Expression& node, const WindowPlan& plan, std::uint64_t weight);
  void count_windows(const WindowPlan& plan, std::span<const Sample> samples) const;
  Result<Table> windows(const Expression& call);
  Status check_window(const Expression& call, const Expression& range, std::span<const double> first,
                      std::span<const double> second) const;
  void note_non_counters(const Expression& range, const Table& table) const;
  Result<Table> absent_over_time(const Expression& node);

  // eval_call.cc: other functions
  Result<Table> evaluate(const Expression& node);
  Result<Table> call(const Expression& node);
  Result<Table> elements(const Expression& node);
  Result<Table> clamp(const Expression& node);
  Result<Table> absent(const Expression& node);
  Result<Table> sorted(const Expression& node);
  Result<Table> sorted_by_label(const Expression& node);
  void warn_of_sorting(const Expression& node) const;
  Result<Table> timestamp(const Expression& node);
  Result<Table> vector_of_scalar(const Expression& node);
  Result<double> constant(const Expression& node) const;

  // eval_labels.cc
  Result<Table> label_replace(const Expression& node);
  Result<Table> label_join(const Expression& node);
  Status join_same(Table& table) const;

  // eval_histogram.cc
  struct Histograms;
  Result<Histograms> histograms(const Expression& node);
  Result<Table> histogram_quantile(const Expression& node);
  Result<Table> histogram_quantiles(const Expression& node);
  Result<Table> histogram_fraction(const Expression& node);
  Status quantile_rows(const Expression& vector, Histograms& input, std::span<const double> q, Table& out,
                       std::size_t first_row);

  // eval_info.cc
  struct InfoLabels;
  Result<Table> info(const Expression& node);
  Result<Sources> info_series(const Expression& node, const Table& base, const InfoLabels& wanted) const;

  // eval_binary.cc
  Result<Table> binary(const Expression& node);
  Result<Table> with_left(const Expression& node, Table left);
  Result<Table> with_scalar(const Expression& node, bool scalar_left, Table table);
  Result<Table> set_operation(const Expression& node, Table left);
  Result<Table> matched(const Expression& node, const Table& left);

  // eval_aggregate.cc, eval_topk.cc
  Result<Table> aggregate(const Expression& node);
  Result<Table> reduced(const Expression& node, const Table& input);
  void warn_of_quantiles(const Place& place, std::span<const double> q) const;
  Result<Table> selected(const Expression& node, Table input);
  Result<Table> count_values(const Expression& node, const Table& input);
  Status check_parameter(const Expression& node, std::span<const double> parameter) const;

  Table empty() const { return Table(steps_.count); }
  void count(std::uint64_t samples) const {
    if (query_.account) query_.account->samples += samples * weight_;
  }

  const QueryContext& query_;
  Steps steps_;
  std::uint64_t weight_;
};

/// True when the node has the same value at every step, so that one evaluation does.
bool is_step_invariant(const Expression& node);

}  // namespace atalaya::promql
