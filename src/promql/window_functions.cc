#include "promql/window_functions.h"

#include <cmath>

namespace atalaya::promql {
namespace {

/// `extrapolatedRate` of Prometheus' promql/functions.go: a window whose first or last sample lies
/// closer to its edge than 1.1 sample distances is taken as covering it; otherwise half a distance
/// is added. A counter is never extrapolated below zero.
std::optional<double> extrapolated(const Window& window, bool is_counter, bool is_rate) {
  const auto samples = window.samples;
  if (samples.size() < 2) return std::nullopt;
  const auto& first = samples.front();
  const auto& last = samples.back();
  double result = last.value - first.value;
  if (is_counter) {
    double previous = first.value;
    for (const auto& sample : samples.subspan(1)) {
      if (sample.value < previous) result += previous;
      previous = sample.value;
    }
  }
  double to_start = to_seconds(first.time - window.start);
  double to_end = to_seconds(window.end - last.time);
  const double sampled = to_seconds(last.time - first.time);
  const double average = sampled / static_cast<double>(samples.size() - 1);
  const double threshold = average * 1.1;
  if (to_start >= threshold) to_start = average / 2;
  if (is_counter) {
    double to_zero = to_start;
    if (result > 0 && first.value >= 0) to_zero = sampled * (first.value / result);
    if (to_zero < to_start) to_start = to_zero;
  }
  if (to_end >= threshold) to_end = average / 2;
  double factor = (sampled + to_start + to_end) / sampled;
  if (is_rate) factor /= to_seconds(window.end - window.start);
  return result * factor;
}

std::optional<double> last_two(const Window& window, bool is_rate) {
  const auto samples = window.samples;
  if (samples.size() < 2) return std::nullopt;
  const auto& last = samples[samples.size() - 1];
  const auto& previous = samples[samples.size() - 2];
  const double interval = to_seconds(last.time - previous.time);
  if (interval == 0) return std::nullopt;
  if (!is_rate) return last.value - previous.value;
  const double increase = last.value < previous.value ? last.value : last.value - previous.value;
  return increase / interval;
}

/// Welford's, with the rounding error carried along.
double variance(std::span<const Sample> samples) {
  double count = 0;
  KahanSum mean;
  KahanSum squares;
  for (const auto& sample : samples) {
    ++count;
    const double before = sample.value - mean.value();
    mean.add(before / count);
    squares.add(before * (sample.value - mean.value()));
  }
  return squares.value() / count;
}

}  // namespace

void KahanSum::add(double value) {
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

double KahanSum::value() const { return std::isinf(sum_) ? sum_ : sum_ + rest_; }

std::pair<double, double> linear_regression(std::span<const Sample> samples, Time intercept) {
  KahanSum x_sum;
  KahanSum y_sum;
  KahanSum xy_sum;
  KahanSum xx_sum;
  bool constant = true;
  for (const auto& sample : samples) {
    if (sample.value != samples.front().value) constant = false;
    const double x = to_seconds(sample.time - intercept);
    x_sum.add(x);
    y_sum.add(sample.value);
    xy_sum.add(x * sample.value);
    xx_sum.add(x * x);
  }
  if (constant) {
    const double y = samples.front().value;
    return std::isinf(y) ? std::pair{std::nan(""), std::nan("")} : std::pair{0.0, y};
  }
  const auto n = static_cast<double>(samples.size());
  const double covariance = xy_sum.value() - x_sum.value() * y_sum.value() / n;
  const double spread = xx_sum.value() - x_sum.value() * x_sum.value() / n;
  const double slope = covariance / spread;
  return {slope, y_sum.value() / n - slope * x_sum.value() / n};
}

std::optional<double> rate(const Window& window) { return extrapolated(window, true, true); }
std::optional<double> increase(const Window& window) { return extrapolated(window, true, false); }
std::optional<double> delta(const Window& window) { return extrapolated(window, false, false); }
std::optional<double> irate(const Window& window) { return last_two(window, true); }
std::optional<double> idelta(const Window& window) { return last_two(window, false); }

std::optional<double> deriv(const Window& window) {
  if (window.samples.size() < 2) return std::nullopt;
  // Relative to the first sample, or the squares of Unix seconds would eat the precision.
  return linear_regression(window.samples, window.samples.front().time).first;
}

std::optional<double> changes(const Window& window) {
  double count = 0;
  double previous = window.samples.front().value;
  for (const auto& sample : window.samples) {
    if (sample.value != previous && !(std::isnan(sample.value) && std::isnan(previous))) ++count;
    previous = sample.value;
  }
  return count;
}

std::optional<double> resets(const Window& window) {
  double count = 0;
  double previous = window.samples.front().value;
  for (const auto& sample : window.samples) {
    if (sample.value < previous) ++count;
    previous = sample.value;
  }
  return count;
}

std::optional<double> sum_over_time(const Window& window) {
  KahanSum sum;
  for (const auto& sample : window.samples) sum.add(sample.value);
  return sum.value();
}

std::optional<double> avg_over_time(const Window& window) {
  KahanSum sum;
  for (const auto& sample : window.samples) sum.add(sample.value);
  const auto count = static_cast<double>(window.samples.size());
  if (!std::isinf(sum.value())) return sum.value() / count;
  // The sum overflowed, or a sample is infinite: a running mean tells the two apart.
  double mean = 0;
  double seen = 0;
  for (const auto& sample : window.samples) {
    ++seen;
    if (std::isinf(mean) && (std::isinf(sample.value) ? (mean > 0) == (sample.value > 0) : !std::isnan(sample.value))) {
      continue;
    }
    mean += sample.value / seen - mean / seen;
  }
  return mean;
}

std::optional<double> min_over_time(const Window& window) {
  double least = window.samples.front().value;
  for (const auto& sample : window.samples) {
    if (sample.value < least || std::isnan(least)) least = sample.value;
  }
  return least;
}

std::optional<double> max_over_time(const Window& window) {
  double most = window.samples.front().value;
  for (const auto& sample : window.samples) {
    if (sample.value > most || std::isnan(most)) most = sample.value;
  }
  return most;
}

std::optional<double> count_over_time(const Window& window) { return static_cast<double>(window.samples.size()); }
std::optional<double> present_over_time(const Window&) { return 1; }
std::optional<double> last_over_time(const Window& window) { return window.samples.back().value; }
std::optional<double> first_over_time(const Window& window) { return window.samples.front().value; }
std::optional<double> stddev_over_time(const Window& window) { return std::sqrt(variance(window.samples)); }
std::optional<double> stdvar_over_time(const Window& window) { return variance(window.samples); }

}  // namespace atalaya::promql
