// Silences: alerts that nobody is told of for a while.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "calendar/time_interval.h"
#include "model/matcher.h"

namespace atalaya::routing {

/// Hides notifications of the alerts that all matchers match, from `starts_at` until `ends_at` (not
/// included). Author, reason and the rest belong to whoever stores it. Thread-compatible.
struct Silence {
  std::string id;
  Matchers matchers;  ///< at least one; see the labels with the severity
  Time starts_at{};
  Time ends_at{};
  std::vector<calendar::TimeInterval> windows;  ///< if not empty, only within one of these: maintenance that recurs
  Labels exactly;  ///< if not empty, only the alert with these labels, whatever its severity

  bool active_at(Time now) const;
  bool hides(const Labels& seen) const;  ///< while it is active
};

/// invalid_argument where it ends before it begins, or its matchers are none or match every alert.
Status check(const Silence& silence);

}  // namespace atalaya::routing
