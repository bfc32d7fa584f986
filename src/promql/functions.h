// Every function of PromQL: its signature, and what computes it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "model/sample.h"
#include "promql/ast.h"

namespace atalaya::promql {

class WindowPlan;  ///< `window_plan.h`

/// Computes all windows of one series in one pass: `out[i]` for each step i that has a value; the others
/// are left alone. `first` and `second` are the scalar parameters, one a step, in order of the arguments.
struct WindowArguments {
  std::span<const Sample> samples;
  const WindowPlan& plan;
  std::span<const double> first;
  std::span<const double> second;
};
using WindowKernel = void (*)(const WindowArguments&, std::span<double> out);

/// One function: `element`, `window` or `special` says how it is computed. Immutable.
struct Function {
  /// Implemented inside the evaluator.
  enum class Special : std::uint8_t {
    kNone,
    kTime,
    kPi,
    kStart,
    kEnd,
    kRange,
    kStep,
    kScalar,
    kVector,
    kAbsent,
    kAbsentOverTime,
    kTimestamp,
    kSort,
    kSortDescending,
    kSortByLabel,
    kSortByLabelDescending,
    kClamp,
    kClampMin,
    kClampMax,
    kRound,
    kLabelReplace,
    kLabelJoin,
    kHistogramQuantile,
    kHistogramQuantiles,
    kHistogramFraction,
    kOfNativeHistograms,  ///< nothing for floats
    kInfo,
  };
  /// What a window function says beside its value, or refuses.
  enum class Check : std::uint8_t { kNone, kCounter, kQuantile, kSmoothing };
  /// Which extended ranges it takes (`anchored`, `smoothed`).
  enum class Extended : std::uint8_t { kNone, kAnchored, kBoth };

  std::string_view name;
  ValueType result = ValueType::kVector;
  std::vector<ValueType> args;
  int variadic = 0;  ///< 0: exactly `args`; n: the last may be left out or repeated up to n; -1: any number
  double (*element)(double) = nullptr;
  WindowKernel window = nullptr;
  Special special = Special::kNone;
  bool keeps_name = false;
  Check check = Check::kNone;
  Extended extended = Extended::kNone;
  bool reads_clock = false;  ///< the value follows from the time of evaluation as well
};

/// Null when PromQL has no such function.
const Function* find_function(std::string_view name);

}  // namespace atalaya::promql
