// Go's time.Time and time.Duration, as far as templates reach into them.
#pragma once

#include <cstdint>
#include <string>

#include "template/value.h"

namespace atalaya::templates {

/// A point in time (UTC) or a length of it, in nanoseconds; immutable. What it prints is the text of its value.
struct Moment {
  enum class Kind : std::uint8_t { kTime, kDuration };
  Kind kind = Kind::kTime;
  std::int64_t nanoseconds = 0;  ///< since 1970 for a time
};

/// Cut towards 1970, as times of samples are.
constexpr std::int64_t whole_milliseconds(std::int64_t nanoseconds) { return nanoseconds / 1'000'000 * 1'000'000; }

/// As Go prints a time: `2009-11-10 23:00:00.25 +0000 UTC`.
Value time_value(std::int64_t nanoseconds);
/// As Go prints a duration: `2h10m15s`, `1.5s`, `250ms`, `0s`.
Value duration_value(std::int64_t nanoseconds);

/// A method of time.Time or time.Duration. unprocessable for one that is not there, or with wrong arguments.
Result<Value> method_of(const Moment& moment, const std::string& name, const Arguments& arguments);

/// Go's Time.Format: a layout that writes the time of reference, `2006-01-02T15:04:05Z07:00`.
std::string format_go_time(std::int64_t nanoseconds, std::string_view layout);

}  // namespace atalaya::templates
