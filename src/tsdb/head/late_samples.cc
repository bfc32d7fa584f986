#include "tsdb/head/late_samples.h"

#include <algorithm>

namespace atalaya::tsdb {
namespace {

constexpr auto kEarlier = [](const Sample& a, const Sample& b) { return a.time < b.time; };

}  // namespace

bool LateSamples::add(std::uint32_t id, Sample sample) {
  auto& samples = series_[id];
  const auto at = std::lower_bound(samples.begin(), samples.end(), sample, kEarlier);
  if (at != samples.end() && at->time == sample.time) return false;
  samples.insert(at, sample);
  ++samples_;
  return true;
}

bool LateSamples::has(std::uint32_t id, Time time) const {
  const auto* samples = find(id);
  return samples && std::binary_search(samples->begin(), samples->end(), Sample{time, 0}, kEarlier);
}

void merge_samples(std::vector<Sample>&& first, const std::vector<Sample>& second, std::vector<Sample>& out) {
  if (out.empty() && (second.empty() || first.empty())) {
    out = second.empty() ? std::move(first) : second;
    return;
  }
  std::size_t a = 0;
  std::size_t b = 0;
  out.reserve(out.size() + first.size() + second.size());
  while (a < first.size() || b < second.size()) {
    const bool take_first = b == second.size() || (a < first.size() && first[a].time <= second[b].time);
    const auto& sample = take_first ? first[a++] : second[b++];
    if (take_first && b < second.size() && second[b].time == sample.time) ++b;
    out.push_back(sample);
  }
}

void merge_late(const LateSamples::Samples& late, std::vector<std::int64_t>& times, std::vector<double>& values) {
  std::vector<Sample> in_order(times.size());
  for (std::size_t i = 0; i < times.size(); ++i) in_order[i] = {from_ms(times[i]), values[i]};
  std::vector<Sample> merged;
  merge_samples(std::move(in_order), late, merged);
  times.clear();
  values.clear();
  for (const auto& sample : merged) {
    times.push_back(to_ms(sample.time));
    values.push_back(sample.value);
  }
}

}  // namespace atalaya::tsdb
