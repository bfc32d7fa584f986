// How many series there are, and of what.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace atalaya::tsdb {

/// What makes a tenant's series many. Lists: the greatest first.
struct Cardinality {
  using Counts = std::vector<std::pair<std::string, std::uint64_t>>;
  std::uint64_t series = 0;
  std::uint64_t pairs = 0;         ///< of a label's name and value
  Counts metrics;                  ///< series of a metric
  Counts values;                   ///< values of a label
  Counts series_of_pairs;          ///< series with `name=value`
  Counts value_bytes;              ///< of a label: its values, once for each series
  std::uint64_t chunks = 0;        ///< in memory
  std::int64_t first = INT64_MAX;  ///< Unix milliseconds of the oldest sample in memory, but for those that came late
  std::int64_t last = INT64_MIN;   ///< and of the youngest
};

}  // namespace atalaya::tsdb
