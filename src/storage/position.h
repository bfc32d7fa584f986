// Places in a store's log, and who wrote what.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace atalaya::storage {

/// Where a batch stands in its store's log: grows by at least one a batch, never goes back, also
/// across restarts. 0 is before everything.
struct LogPosition {
  std::uint64_t value = 0;
  auto operator<=>(const LogPosition&) const = default;
};

/// A writer that numbers its batches from 1 upwards. A store remembers, durably and with the batch
/// itself, the highest sequence of every source: a batch at or below it is acknowledged without
/// effect, so that a writer may send again after any cut. An empty source is not remembered.
struct WriteOrigin {
  std::string source;
  std::uint64_t sequence = 0;
};

}  // namespace atalaya::storage
