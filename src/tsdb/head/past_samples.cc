#include "tsdb/head/past_samples.h"

namespace atalaya::tsdb {

void PastSamples::add(std::span<const storage::SeriesSample> samples) {
  for (const auto& sample : samples) {
    const auto id = static_cast<std::uint32_t>(sample.series.value());
    if (id >= states_.size()) states_.resize(std::max<std::size_t>(id + 1, states_.size() * 5 / 4));
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
  for (std::uint32_t id = 0; id < states_.size(); ++id) {
    if (states_[id].chunk != 0) out.push_back(id);
  }
  return out;
}

void PastSamples::read(std::uint32_t id, std::vector<std::int64_t>& times, std::vector<double>& values) const {
  times.clear();
  values.clear();
  read_chain(arena_, states_[id].chunk, states_[id].count, times, values);
  if (const auto* late = late_.find(id)) merge_late(*late, times, values);
}

}  // namespace atalaya::tsdb
