// Arithmetic that several functions and aggregations share, to the last bit as Prometheus does it.
#pragma once

#include <cmath>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "model/sample.h"

namespace atalaya::promql {

/// A sum that carries its rounding error along (Kahan, Neumaier's form).
class KahanSum {
 public:
  explicit KahanSum(double start = 0) : sum_(start) {}
  void add(double value) {
    const double next = sum_ + value;
    if (std::isinf(next)) {
      rest_ = 0;
    } else if (std::fabs(sum_) >= std::fabs(value)) {
      rest_ += (sum_ - next) + value;
    } else {
      rest_ += (value - next) + sum_;
    }
    sum_ = next;
  }
  double sum() const { return sum_; }
  double rest() const { return rest_; }
  double value() const { return sum_ + rest_; }

 private:
  friend class Mean;
  double sum_;
  double rest_ = 0;
};

/// The sum divided by the count, until the sum would overflow; a running mean from there on.
class Mean {
 public:
  explicit Mean(double first) : sum_(first) {}
  void add(double value);
  double value() const;

 private:
  KahanSum sum_;  ///< of values; of parts of the mean once `incremental_`
  double count_ = 1;
  bool incremental_ = false;
};

/// Of values in any order, which it sorts, NaN first. NaN when there is none; ∓Inf for q outside 0…1.
double quantile(double q, std::vector<double>& values);

/// Slope and value at `intercept` of the least-squares line through the samples, of which there are some.
std::pair<double, double> linear_regression(std::span<const Sample> samples, Time intercept);

/// A number as Go's strconv.ParseFloat takes it, with a sign; for the label `le`.
bool parse_float(std::string_view text, double& out);

}  // namespace atalaya::promql
