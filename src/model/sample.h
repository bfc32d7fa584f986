// A measured value at an instant, and the one NaN that means "this series has ended".
#pragma once

#include <bit>
#include <cstdint>

#include "base/time.h"

namespace atalaya {

struct Sample {
  Time time;
  double value = 0;
};

/// Prometheus' stale marker: a quiet NaN with these exact bits. Compare with `is_stale`, never `==`.
constexpr std::uint64_t kStaleBits = 0x7ff0000000000002;
inline double stale_marker() { return std::bit_cast<double>(kStaleBits); }
inline bool is_stale(double value) { return std::bit_cast<std::uint64_t>(value) == kStaleBits; }

}  // namespace atalaya
