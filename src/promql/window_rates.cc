#include "promql/window_rates.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "promql/window_functions.h"
#include "promql/window_plan.h"

namespace atalaya::promql {
namespace {

using Extension = WindowPlan::Extension;

/// A window whose first or last sample lies closer to its edge than 1.1 sample distances is taken as
/// covering it; otherwise half a distance is added. A counter is never extrapolated below zero.
/// `result` is what the samples themselves grew by.
double extrapolated(const Window& window, double result, bool is_counter, bool is_rate) {
  const auto& first = window.samples.front();
  const auto& last = window.samples.back();
  double to_start = to_seconds(first.time - window.start);
  double to_end = to_seconds(window.end - last.time);
  const double sampled = to_seconds(last.time - first.time);
  const double average = sampled / static_cast<double>(window.samples.size() - 1);
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

/// Places of samples that are below the one before them.
std::vector<std::size_t> resets_of(std::span<const Sample> samples) {
  std::vector<std::size_t> out;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    if (samples[i].value < samples[i - 1].value) out.push_back(i);
  }
  return out;
}

void plain(const WindowArguments& in, std::span<double> out, bool is_counter, bool is_rate) {
  const auto resets = is_counter ? resets_of(in.samples) : std::vector<std::size_t>{};
  std::size_t next_reset = 0;
  in.plan.for_each(in.samples, [&](std::size_t i, std::size_t begin, std::size_t end, const Window& window) {
    if (window.samples.size() < 2) return;
    double result = window.samples.back().value - window.samples.front().value;
    while (next_reset < resets.size() && resets[next_reset] <= begin) ++next_reset;
    for (auto r = next_reset; r < resets.size() && resets[r] < end; ++r) result += in.samples[resets[r] - 1].value;
    out[i] = extrapolated(window, result, is_counter, is_rate);
  });
}

/// On the line between two samples; a counter that was reset between them starts from zero.
double interpolated(const Sample& from, const Sample& to, Time at, bool is_counter) {
  const double start = is_counter && to.value < from.value ? 0 : from.value;
  return start + (to.value - start) * static_cast<double>((at - from.time).count()) /
                     static_cast<double>((to.time - from.time).count());
}

/// The samples that stand for a window's edges.
struct Edges {
  std::size_t first = 0;
  std::size_t last = 0;
  double left = 0;
  double right = 0;
};

std::optional<Edges> edges_of(std::span<const Sample> samples, Time start, Time end, bool smoothed, bool is_counter) {
  const auto by_time = [](const Sample& sample, Time time) { return sample.time < time; };
  Edges out;
  // The last sample at or before the start, or the first of all.
  const auto final = samples.end() - 1;
  const auto after_start = std::upper_bound(samples.begin(), final, start,
                                            [](Time time, const Sample& sample) { return time < sample.time; });
  out.first = after_start == samples.begin() ? 0 : static_cast<std::size_t>(after_start - samples.begin()) - 1;
  out.last = samples.size() - 1;
  if (smoothed) {
    out.last = static_cast<std::size_t>(std::lower_bound(samples.begin(), final, end, by_time) - samples.begin());
  }
  if (samples[out.last].time <= start) return std::nullopt;
  if (smoothed && samples[out.first].time > end) return std::nullopt;
  const auto& first = samples[out.first];
  const auto& last = samples[out.last];
  out.left =
      smoothed && first.time < start ? interpolated(first, samples[out.first + 1], start, is_counter) : first.value;
  out.right = smoothed && out.last > 0 && last.time > end ? interpolated(samples[out.last - 1], last, end, is_counter)
                                                          : last.value;
  return out;
}

/// From one edge to the other; nothing is extrapolated.
void extended(const WindowArguments& in, std::span<double> out, bool is_counter, bool is_rate) {
  const bool smoothed = in.plan.extension() == Extension::kSmoothed;
  in.plan.for_each(in.samples, [&](std::size_t i, std::size_t, std::size_t, const Window& window) {
    const auto samples = window.samples;
    const auto edges = edges_of(samples, window.start, window.end, smoothed, is_counter);
    if (!edges) return;
    double result = edges->right - edges->left;
    if (is_counter) {
      double before = edges->left;
      for (auto at = edges->first; at <= edges->last; ++at) {
        if (samples[at].time <= window.start || samples[at].time >= window.end) continue;
        if (samples[at].value < before) result += before;
        before = samples[at].value;
      }
      if (edges->right < before) result += before;
    }
    out[i] = is_rate ? result / to_seconds(in.plan.range()) : result;
  });
}

void grown(const WindowArguments& in, std::span<double> out, bool is_counter, bool is_rate) {
  if (in.plan.extension() == Extension::kNone) {
    plain(in, out, is_counter, is_rate);
  } else {
    extended(in, out, is_counter, is_rate);
  }
}

void last_two(const WindowArguments& in, std::span<double> out, bool is_rate) {
  in.plan.for_each(in.samples, [&](std::size_t i, std::size_t, std::size_t, const Window& window) {
    const auto samples = window.samples;
    if (samples.size() < 2) return;
    const auto& last = samples[samples.size() - 1];
    const auto& previous = samples[samples.size() - 2];
    const double interval = to_seconds(last.time - previous.time);
    if (interval == 0) return;
    if (!is_rate) {
      out[i] = last.value - previous.value;
      return;
    }
    out[i] = (last.value < previous.value ? last.value : last.value - previous.value) / interval;
  });
}

/// How many neighbours within the window differ in the way of `differ`: by running totals.
template <typename Differ>
void count_pairs(const WindowArguments& in, std::span<double> out, Differ differ) {
  std::vector<std::uint32_t> until(in.samples.size());
  for (std::size_t i = 1; i < in.samples.size(); ++i) {
    until[i] = until[i - 1] + (differ(in.samples[i - 1].value, in.samples[i].value) ? 1 : 0);
  }
  const bool anchored = in.plan.extension() == Extension::kAnchored;
  in.plan.for_each(in.samples, [&](std::size_t i, std::size_t begin, std::size_t end, const Window& window) {
    auto first = begin;
    if (anchored) {
      if (window.samples.back().time <= window.start) return;
      const auto edges = edges_of(window.samples, window.start, window.end, false, false);
      if (!edges) return;
      first += edges->first;
    }
    out[i] = static_cast<double>(until[end - 1] - until[first]);
  });
}

}  // namespace

void window_rate(const WindowArguments& in, std::span<double> out) { grown(in, out, true, true); }
void window_increase(const WindowArguments& in, std::span<double> out) { grown(in, out, true, false); }
void window_delta(const WindowArguments& in, std::span<double> out) { grown(in, out, false, false); }
void window_irate(const WindowArguments& in, std::span<double> out) { last_two(in, out, true); }
void window_idelta(const WindowArguments& in, std::span<double> out) { last_two(in, out, false); }

void window_changes(const WindowArguments& in, std::span<double> out) {
  count_pairs(in, out, [](double a, double b) { return a != b && !(std::isnan(a) && std::isnan(b)); });
}
void window_resets(const WindowArguments& in, std::span<double> out) {
  count_pairs(in, out, [](double a, double b) { return b < a; });
}

std::vector<Sample> extended_samples(std::span<const Sample> samples, Time start, Time end, bool smoothed) {
  if (samples.empty()) return {};
  const auto edges = edges_of(samples, start, end, smoothed, false);
  if (!edges) return {};
  std::vector<Sample> out{{start, edges->left}};
  for (auto at = edges->first; at <= edges->last; ++at) {
    if (samples[at].time > start && samples[at].time < end) out.push_back(samples[at]);
  }
  out.push_back({end, edges->right});
  return out;
}

}  // namespace atalaya::promql
