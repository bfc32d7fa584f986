// Samples of a log that is read behind everybody's back, on their way to blocks.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "storage/series.h"
#include "tsdb/head/arena.h"
#include "tsdb/head/late_samples.h"
#include "tsdb/head/stream.h"

namespace atalaya::tsdb {

/// Of one tenant, by the ids of its head; streams as in the head, in an arena of their own.
/// Thread-compatible.
class PastSamples {
 public:
  explicit PastSamples(std::uint16_t chunk_samples) : chunk_samples_(chunk_samples) {}

  /// In the order of the log. Of two samples of one instant the first stays.
  void add(std::span<const storage::SeriesSample> samples);
  /// Of the series that have some, ascending.
  std::vector<std::uint32_t> ids() const;
  /// Ascending; replaces what the vectors hold.
  void read(std::uint32_t id, std::vector<std::int64_t>& times, std::vector<double>& values) const;

 private:
  const std::uint16_t chunk_samples_;
  boost::unordered_flat_map<std::uint32_t, SeriesState>
      states_;  ///< by id: few of those ever given; of the stream alone
  Arena arena_;
  LateSamples late_;
};

}  // namespace atalaya::tsdb
