// Samples that came after younger ones of their series.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "model/sample.h"
#include "storage/series.h"

namespace atalaya::tsdb {

/// Kept sorted, apart from the streams, which only grow at their end. Thread-compatible.
class LateSamples {
 public:
  using Samples = std::vector<Sample>;

  /// False when the series has a late sample of that time.
  bool add(std::uint32_t id, Sample sample);
  bool has(std::uint32_t id, Time time) const;
  /// Null when the series has none.
  const Samples* find(std::uint32_t id) const {
    const auto it = series_.find(id);
    return it == series_.end() ? nullptr : &it->second;
  }
  bool empty() const { return series_.empty(); }
  std::size_t bytes() const { return samples_ * sizeof(Sample) + series_.size() * 64; }

 private:
  std::unordered_map<std::uint32_t, Samples> series_;
  std::size_t samples_ = 0;
};

/// Both ascending; of two samples of one instant the one in `first` stays. Appends to `out`.
void merge_samples(std::vector<Sample>&& first, const std::vector<Sample>& second, std::vector<Sample>& out);

/// The same of two columns, which stay; replaces what they hold.
void merge_late(const LateSamples::Samples& late, std::vector<std::int64_t>& times, std::vector<double>& values);

}  // namespace atalaya::tsdb
