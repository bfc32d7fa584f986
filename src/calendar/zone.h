// Time zones by the system's zone data.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace date {
class time_zone;
}

namespace atalaya::calendar {

/// A stretch of time in which a zone's clocks keep one distance from UTC.
struct ZoneSpan {
  Time begin;  ///< kMinTime or far in the past for the first
  Time end;    ///< not included
  Duration offset{0};
  std::string abbreviation;  ///< "CET"
};

/// A zone such as `Europe/Madrid`. A value that is cheap to copy and valid as long as the program runs.
/// Immutable.
class Zone {
 public:
  /// UTC.
  Zone();
  /// invalid_argument with the likeliest meant name; unavailable where the system has no zone data.
  static Result<Zone> find(std::string_view name);

  const std::string& name() const;
  ZoneSpan span_at(Time time) const;
  /// What clocks there show at that time, as if it were UTC.
  Time local(Time time) const { return time + span_at(time).offset; }

  bool operator==(const Zone&) const = default;

 private:
  explicit Zone(const date::time_zone* zone) : zone_(zone) {}
  const date::time_zone* zone_;  ///< null: UTC, without any data
};

}  // namespace atalaya::calendar
