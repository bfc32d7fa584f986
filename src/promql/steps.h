// The instants of an evaluation.
#pragma once

#include <cstddef>
#include <optional>

#include "base/time.h"

namespace atalaya::promql {

/// An instant query has one.
struct Steps {
  Time from;
  Duration step{0};
  std::size_t count = 1;
  bool spans = false;  ///< of a range with two ends, though it may be that one step alone lies in it
  Time at(std::size_t i) const { return from + step * static_cast<std::int64_t>(i); }
};

/// Saturating, so that an offset of centuries does not wrap around.
inline Time shifted(Time time, Duration by) {
  std::int64_t out = 0;
  if (__builtin_add_overflow(to_ms(time), by.count(), &out)) return by.count() < 0 ? kMinTime : kMaxTime;
  return from_ms(out);
}

/// The times that a selector looks at: the steps, or the one instant of its @, both less its offset.
struct EffectiveTimes {
  Steps steps;
  std::optional<Time> fixed;
  Duration offset{0};
  Time at(std::size_t i) const { return shifted(fixed ? *fixed : steps.at(i), -offset); }
};

}  // namespace atalaya::promql
