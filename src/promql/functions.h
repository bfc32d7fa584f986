// Every function of PromQL: its signature, and what this version can do of it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "model/sample.h"
#include "promql/ast.h"

namespace atalaya::promql {

/// The samples of one range window, stale markers already taken out; never empty.
struct Window {
  std::span<const Sample> samples;
  Time start;  ///< exclusive
  Time end;    ///< inclusive
};

/// One function. Exactly one of the implementations is set, or none for what this version cannot
/// evaluate. Immutable.
struct Function {
  /// Implemented inside the evaluator.
  enum class Special : std::uint8_t {
    kNone,
    kTime,
    kPi,
    kScalar,
    kVector,
    kAbsent,
    kAbsentOverTime,
    kTimestamp,
    kSort,
    kSortDescending,
    kClamp,
    kClampMin,
    kClampMax,
    kRound,
    kQuantileOverTime,
    kPredictLinear,
  };

  std::string_view name;
  ValueType result = ValueType::kVector;
  std::vector<ValueType> args;
  int variadic = 0;  ///< 0: exactly `args`; n: the last may be left out or repeated up to n; -1: any number
  double (*element)(double) = nullptr;
  std::optional<double> (*window)(const Window&) = nullptr;
  Special special = Special::kNone;
  bool keeps_name = false;

  bool implemented() const { return element || window || special != Special::kNone; }
};

/// Null when PromQL has no such function.
const Function* find_function(std::string_view name);

/// Of ascending or unsorted values; NaN when empty, ∓Inf for q outside 0…1.
double quantile(double q, std::vector<double> values);
/// Slope and value at `intercept` of the least-squares line through the samples.
std::pair<double, double> linear_regression(std::span<const Sample> samples, Time intercept);

/// A sum that carries its rounding error along (Kahan, Neumaier's form).
class KahanSum {
 public:
  void add(double value);
  double value() const;

 private:
  double sum_ = 0;
  double rest_ = 0;
};

}  // namespace atalaya::promql
