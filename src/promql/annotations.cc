#include "promql/annotations.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/names.h"
#include "promql/format.h"

namespace atalaya::promql {
namespace {

std::string at(const Place& place) { return fmt::format("({}:{})", place.line, place.column); }

/// RFC 3339 with as many decimals as are needed.
std::string instant(Time time) {
  auto text = format_rfc3339(time);
  const auto dot = text.find('.');
  if (dot == text.npos) return text;
  auto end = text.find_last_not_of('0', text.size() - 2);
  if (end == dot) --end;
  return text.substr(0, end + 1) + "Z";
}

}  // namespace

void AnnotationSink::warn(const Place& place, std::string_view text) {
  const std::lock_guard lock(mutex_);
  texts_.emplace(fmt::format("PromQL warning: {} {}", text, at(place)), true);
}

void AnnotationSink::info(const Place& place, std::string_view text) {
  const std::lock_guard lock(mutex_);
  texts_.emplace(fmt::format("PromQL info: {} {}", text, at(place)), false);
}

void AnnotationSink::warn_of_store(std::string text) {
  const std::lock_guard lock(mutex_);
  texts_.emplace(std::move(text), true);
}

void AnnotationSink::lifted(const Place& place, std::string_view metric, const Lifted& what) {
  std::string text =
      "PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see "
      "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)";
  if (!metric.empty()) text += " for metric name " + quote_label_value(metric);
  const std::lock_guard lock(mutex_);
  auto& sum = lifted_[{std::move(text), at(place)}];
  if (sum.count++ == 0) {
    sum.sum = what;
    sum.last = what.at;
    return;
  }
  sum.sum.lowest_bound = std::min(sum.sum.lowest_bound, what.lowest_bound);
  sum.sum.highest_bound = std::max(sum.sum.highest_bound, what.highest_bound);
  sum.sum.greatest_difference = std::max(sum.sum.greatest_difference, what.greatest_difference);
  sum.sum.at = std::min(sum.sum.at, what.at);
  sum.last = std::max(sum.last, what.at);
}

Annotations AnnotationSink::take() const {
  const std::lock_guard lock(mutex_);
  Annotations out;
  for (const auto& [text, warns] : texts_) (warns ? out.warnings : out.infos).push_back(text);
  for (const auto& [key, often] : lifted_) {
    out.infos.push_back(
        fmt::format("{}, from buckets {} to {}, with a max diff of {}, over {} samples from {} to {} {}", key.first,
                    format_general(often.sum.lowest_bound), format_general(often.sum.highest_bound),
                    format_general(often.sum.greatest_difference, 2), often.count, instant(often.sum.at),
                    instant(often.last), key.second));
  }
  std::sort(out.infos.begin(), out.infos.end());
  return out;
}

}  // namespace atalaya::promql
