// Reading selectors.
#include <algorithm>

#include "promql/evaluator.h"

namespace atalaya::promql {
namespace {

/// Saturating, so that an offset of centuries does not wrap around.
Time shifted(Time time, Duration by) {
  std::int64_t out = 0;
  if (__builtin_add_overflow(to_ms(time), by.count(), &out)) return by.count() < 0 ? kMinTime : kMaxTime;
  return from_ms(out);
}

}  // namespace

Time Evaluator::effective(const Expression& selector, std::size_t step) const {
  Time time = steps_.at(step);
  if (selector.at) {
    switch (selector.at->kind) {
      case AtModifier::Kind::kTime: time = selector.at->time; break;
      case AtModifier::Kind::kStart: time = steps_.at(0); break;
      case AtModifier::Kind::kEnd: time = steps_.at(steps_.count - 1); break;
    }
  }
  return shifted(time, -selector.offset.constant);
}

Status Evaluator::count_samples(std::size_t count) {
  samples_ += count;
  if (samples_ <= limits_.max_samples) return {};
  return fail(ErrorCode::kUnprocessable, "query processing would load too many samples into memory in query execution",
              "ask for a shorter range, fewer series or a longer step");
}

Row Evaluator::empty_row() const {
  Row row;
  row.cells.assign(steps_.count, stale_marker());
  return row;
}

Result<std::vector<storage::SelectedSeries>> Evaluator::open(const Expression& selector, Duration window) {
  storage::TimeRange range;
  range.from = shifted(effective(selector, 0), -window + Duration{1});  // open on the left
  range.to = effective(selector, steps_.count - 1);
  if (restrict_.empty()) return series_.select(tenant_, selector.matchers, range);
  auto matchers = selector.matchers;
  matchers.insert(matchers.end(), restrict_.begin(), restrict_.end());
  return series_.select(tenant_, matchers, range);
}

Status Evaluator::load(storage::SelectedSeries& series, bool with_stale, std::vector<Sample>& out) {
  out.clear();
  for (Sample sample; series.samples->next(sample);) {
    if (with_stale || !is_stale(sample.value)) out.push_back(sample);
    if (out.size() > limits_.max_samples) break;
  }
  return count_samples(out.size());
}

Result<Rows> Evaluator::instant_selector(const Expression& selector, bool timestamps) {
  AT_TRY(auto found, open(selector, limits_.lookback));
  Rows rows;
  std::vector<Sample> samples;
  for (auto& series : found) {
    AT_TRY(load(series, true, samples));
    Row row = empty_row();
    bool any = false;
    std::size_t next = 0;  // the first sample after the step
    for (std::size_t i = 0; i < steps_.count; ++i) {
      const Time at = effective(selector, i);
      while (next < samples.size() && samples[next].time <= at) ++next;
      if (next == 0) continue;
      const auto& last = samples[next - 1];
      if (last.time <= shifted(at, -limits_.lookback) || is_stale(last.value)) continue;
      row.cells[i] = timestamps ? to_seconds(last.time) : last.value;
      any = true;
    }
    if (!any) continue;
    row.labels = *series.labels;
    AT_TRY(count_samples(steps_.count));
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<Rows> Evaluator::windows(const Expression& selector, bool keeps_name, const OfWindow& function) {
  const Duration range = selector.range->constant;
  AT_TRY(auto found, open(selector, range));
  Rows rows;
  std::vector<Sample> samples;
  for (auto& series : found) {
    AT_TRY(load(series, false, samples));
    Row row = empty_row();
    bool any = false;
    std::size_t first = 0;
    std::size_t behind = 0;
    for (std::size_t i = 0; i < steps_.count; ++i) {
      Window window;
      window.end = effective(selector, i);
      window.start = shifted(window.end, -range);
      while (behind < samples.size() && samples[behind].time <= window.end) ++behind;
      while (first < behind && samples[first].time <= window.start) ++first;
      if (first == behind) continue;
      window.samples = std::span(samples).subspan(first, behind - first);
      const auto value = function(window, i);
      if (!value) continue;
      row.cells[i] = *value;
      any = true;
    }
    if (!any) continue;
    row.labels = *series.labels;
    row.drops_name = !keeps_name;
    AT_TRY(count_samples(steps_.count));
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<Matrix> Evaluator::matrix(const Expression& node) {
  if (node.kind == Kind::kParen) return matrix(*node.args[0]);
  AT_TRY(auto found, open(node, node.range->constant));
  Matrix out;
  for (auto& series : found) {
    MatrixSeries one;
    AT_TRY(load(series, false, one.samples));
    if (one.samples.empty()) continue;
    one.labels = *series.labels;
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace atalaya::promql
