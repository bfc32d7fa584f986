#include "promql/window_functions.h"

#include <cmath>
#include <deque>
#include <optional>

#include "promql/numeric.h"
#include "promql/window_plan.h"
#include "promql/window_rates.h"
#include "promql/window_sums.h"

namespace atalaya::promql {
namespace {

/// A kernel from a function of one window.
template <std::optional<double> (*F)(const Window&)>
void each(const WindowArguments& in, std::span<double> out) {
  in.plan.for_each(in.samples, [&](std::size_t i, std::size_t, std::size_t, const Window& window) {
    if (const auto value = F(window)) out[i] = *value;
  });
}

using Value = std::optional<double>;

Value count(const Window& window) { return static_cast<double>(window.samples.size()); }
Value present(const Window&) { return 1; }
Value last(const Window& window) { return window.samples.back().value; }
Value first(const Window& window) { return window.samples.front().value; }
Value time_of_last(const Window& window) { return to_seconds(window.samples.back().time); }
Value time_of_first(const Window& window) { return to_seconds(window.samples.front().time); }

/// Welford's, with the rounding errors carried along.
double variance_of(std::span<const Sample> samples) {
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
Value variance(const Window& window) { return variance_of(window.samples); }
Value deviation(const Window& window) { return std::sqrt(variance_of(window.samples)); }

Value slope(const Window& window) {
  if (window.samples.size() < 2) return std::nullopt;
  // Relative to the first sample, or the squares of Unix seconds would eat the precision.
  return linear_regression(window.samples, window.samples.front().time).first;
}

Value median_deviation(const Window& window) {
  std::vector<double> values;
  for (const auto& sample : window.samples) values.push_back(sample.value);
  const double median = quantile(0.5, values);
  for (double& value : values) value = std::fabs(value - median);
  return quantile(0.5, values);
}

/// The sample that wins against all others of each window. `beats(a, b)`: a later a replaces b. A queue
/// of those that may still win keeps it to one pass: whoever is beaten by a later one never wins again.
template <typename Beats, typename Show>
void winners(const WindowArguments& in, std::span<double> out, Beats beats, Show show) {
  std::deque<std::size_t> queue;
  std::size_t next = 0;
  in.plan.for_each(in.samples, [&](std::size_t i, std::size_t begin, std::size_t end, const Window&) {
    for (; next < end; ++next) {
      while (!queue.empty() && beats(in.samples[next].value, in.samples[queue.back()].value)) queue.pop_back();
      queue.push_back(next);
    }
    while (queue.front() < begin) queue.pop_front();
    out[i] = show(in.samples[queue.front()]);
  });
}

/// A NaN loses against every number; among NaN the first stays, unless the later one is wanted.
template <bool kMost, bool kLater>
bool beats(double challenger, double holder) {
  if (std::isnan(challenger)) return kLater && std::isnan(holder);
  if (std::isnan(holder)) return true;
  if constexpr (kLater) return kMost ? challenger >= holder : challenger <= holder;
  return kMost ? challenger > holder : challenger < holder;
}

double value_of(const Sample& sample) { return sample.value; }
double time_of(const Sample& sample) { return to_seconds(sample.time); }

void least(const WindowArguments& in, std::span<double> out) { winners(in, out, beats<false, false>, value_of); }
void most(const WindowArguments& in, std::span<double> out) { winners(in, out, beats<true, false>, value_of); }
void time_of_least(const WindowArguments& in, std::span<double> out) { winners(in, out, beats<false, true>, time_of); }
void time_of_most(const WindowArguments& in, std::span<double> out) { winners(in, out, beats<true, true>, time_of); }

void quantile_over_time(const WindowArguments& in, std::span<double> out) {
  std::vector<double> values;
  in.plan.for_each(in.samples, [&](std::size_t i, std::size_t, std::size_t, const Window& window) {
    values.clear();
    for (const auto& sample : window.samples) values.push_back(sample.value);
    out[i] = quantile(in.first[i], values);
  });
}

void predict_linear(const WindowArguments& in, std::span<double> out) {
  in.plan.for_each(in.samples, [&](std::size_t i, std::size_t, std::size_t, const Window& window) {
    if (window.samples.size() < 2) return;
    const auto [slope, value] = linear_regression(window.samples, in.plan.step(i));
    out[i] = slope * in.first[i] + value;
  });
}

/// Holt's linear trend: https://en.wikipedia.org/wiki/Exponential_smoothing#Double_exponential_smoothing
void double_exponential_smoothing(const WindowArguments& in, std::span<double> out) {
  in.plan.for_each(in.samples, [&](std::size_t i, std::size_t, std::size_t, const Window& window) {
    const auto samples = window.samples;
    if (samples.size() < 2) return;
    const double smoothing = in.first[i];
    const double trending = in.second[i];
    double before = 0;
    double level = samples[0].value;
    double trend = samples[1].value - samples[0].value;
    for (std::size_t k = 1; k < samples.size(); ++k) {
      if (k > 1) trend = trending * (level - before) + (1 - trending) * trend;
      const double next = smoothing * samples[k].value + (1 - smoothing) * (level + trend);
      before = level;
      level = next;
    }
    out[i] = level;
  });
}

using F = Function;

F window(std::string_view name, WindowKernel kernel, bool keeps_name = false) {
  return F{.name = name, .args = {ValueType::kMatrix}, .window = kernel, .keeps_name = keeps_name};
}
F growth(std::string_view name, WindowKernel kernel, F::Check check, F::Extended extended) {
  F out = window(name, kernel);
  out.check = check;
  out.extended = extended;
  return out;
}
F with_parameters(std::string_view name, WindowKernel kernel, std::vector<ValueType> args, F::Check check) {
  F out = window(name, kernel);
  out.args = std::move(args);
  out.check = check;
  return out;
}

}  // namespace

std::vector<Function> window_functions() {
  constexpr auto kS = ValueType::kScalar;
  constexpr auto kM = ValueType::kMatrix;
  auto prediction = with_parameters("predict_linear", predict_linear, {kM, kS}, F::Check::kNone);
  prediction.reads_clock = true;
  return {
      growth("rate", window_rate, F::Check::kCounter, F::Extended::kBoth),
      growth("increase", window_increase, F::Check::kCounter, F::Extended::kBoth),
      growth("delta", window_delta, F::Check::kNone, F::Extended::kBoth),
      growth("changes", window_changes, F::Check::kNone, F::Extended::kAnchored),
      growth("resets", window_resets, F::Check::kNone, F::Extended::kAnchored),
      window("irate", window_irate),
      window("idelta", window_idelta),
      window("deriv", each<slope>),
      window("sum_over_time", window_sum),
      window("avg_over_time", window_average),
      window("min_over_time", least),
      window("max_over_time", most),
      window("count_over_time", each<count>),
      window("present_over_time", each<present>),
      window("last_over_time", each<last>, true),
      window("first_over_time", each<first>, true),
      window("ts_of_min_over_time", time_of_least),
      window("ts_of_max_over_time", time_of_most),
      window("ts_of_last_over_time", each<time_of_last>),
      window("ts_of_first_over_time", each<time_of_first>),
      window("stddev_over_time", each<deviation>),
      window("stdvar_over_time", each<variance>),
      window("mad_over_time", each<median_deviation>),
      with_parameters("quantile_over_time", quantile_over_time, {kS, kM}, F::Check::kQuantile),
      with_parameters("double_exponential_smoothing", double_exponential_smoothing, {kM, kS, kS}, F::Check::kSmoothing),
      std::move(prediction),
  };
}

}  // namespace atalaya::promql
