// Evaluates PromQL over any SeriesQuerier.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "model/sample.h"
#include "promql/annotations.h"
#include "storage/series.h"
#include "telemetry/query_memory.h"

namespace atalaya::promql {

struct Expression;  ///< a checked syntax tree (`ast.h`)
using ExpressionPtr = std::shared_ptr<const Expression>;

/// invalid_argument with a Place (line and column in `text`) when it does not parse.
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
  Duration subquery_step{std::chrono::minutes{1}};  ///< of a subquery that names none
  std::size_t max_samples = 50'000'000;             ///< held at once
  std::size_t max_bytes = std::size_t{2} << 30;     ///< of samples and cells, held at once
  std::size_t max_points_per_series = 11'000;
  unsigned threads = 2;  ///< that one evaluation may use where there are many series
};

/// What an evaluation took.
struct Statistics {
  std::uint64_t samples = 0;               ///< looked at, at each step anew: Prometheus' totalQueryableSamples
  std::size_t most_samples = 0;            ///< held at once
  std::chrono::nanoseconds looking_up{0};  ///< series; without a clock these times are none
  std::chrono::nanoseconds sorting{0};
};

/// What goes along with one evaluation.
struct Conditions {
  Annotations* annotations = nullptr;  ///< filled; without, series that cannot be read whole are an error
  std::stop_token stop;                ///< asked to stop: cancelled
  const Clock* clock = nullptr;        ///< needed for the deadline and for times in statistics
  std::optional<Steady> deadline;      ///< then: deadline_exceeded
  /// Of the process's memory: what the evaluation holds, and, when it is over, its result.
  telemetry::QueryMemory::Share* memory = nullptr;
  Statistics* statistics = nullptr;  ///< filled, whether it succeeds or not
};

/// Immutable; evaluations may run side by side.
class Engine {
 public:
  Engine(const storage::SeriesQuerier& series, Limits limits) : series_(series), limits_(limits) {}

  /// `restrict` adds matchers to every selector (for evaluation of one label set alone).
  Result<Value> instant(const TenantId& tenant, const Expression& expression, Time at, const Matchers& restrict = {},
                        const Conditions& conditions = {}) const;
  /// Steps from, from+step … ≤ to. invalid_argument for a step ≤ 0 or too many points.
  Result<Matrix> range(const TenantId& tenant, const Expression& expression, Time from, Time to, Duration step,
                       const Conditions& conditions = {}) const;

 private:
  const storage::SeriesQuerier& series_;
  Limits limits_;
};

/// How many evaluations run at once. Thread-safe.
class QuerySlots {
 public:
  explicit QuerySlots(std::size_t slots) : free_(slots) {}

  /// Free again when it goes; it must not outlive the slots.
  class Slot {
   public:
    explicit Slot(QuerySlots& slots) : slots_(&slots) {}
    Slot(Slot&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
      if (slots_) slots_->give_back();
    }

   private:
    QuerySlots* slots_;
  };
  /// Waits for its turn: resource_exhausted after `patience`, cancelled when asked to stop.
  Result<Slot> take(std::chrono::milliseconds patience, const std::stop_token& stop);

 private:
  void give_back();

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::size_t free_;  ///< guarded by mutex_
};

}  // namespace atalaya::promql
