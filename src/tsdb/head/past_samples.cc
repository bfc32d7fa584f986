#include "tsdb/head/past_samples.h"

#include <algorithm>

namespace atalaya::tsdb {

void PastSamples::add(std::span<const storage::SeriesSample> samples) {
  for (const auto& sample : samples) {
    const auto id = static_cast<std::uint32_t>(sample.series.value());
    auto& state = states_[id];
    const auto time = to_ms(sample.time);
    if (time > state.last_time) {
      append(state, arena_, chunk_samples_, time, sample.value);
    } else {
      late_.add(id, {sample.time, sample.value});
    }
  }
}

std::vector<std::uint32_t> PastSamples::ids() const {
  std::vector<std::uint32_t> out;
  out.reserve(states_.size());
  for (const auto& [id, state] : states_) {
    if (state.chunk != 0) out.push_back(id);
  }
  std::sort(out.begin(), out.end());
  return out;
}

void PastSamples::read(std::uint32_t id, std::vector<std::int64_t>& times, std::vector<double>& values) const {
  times.clear();
  values.clear();
  if (const auto state = states_.find(id); state != states_.end()) {
    read_chain(arena_, state->second.chunk, state->second.count, times, values);
  }
  if (const auto* late = late_.find(id)) merge_late(*late, times, values);
}

}  // namespace atalaya::tsdb
