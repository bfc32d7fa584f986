// Points in time and the injected clock. Outside `base/clock.cc` nobody reads the system's clock.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atalaya {

using Duration = std::chrono::milliseconds;
/// Wall-clock time, UTC, milliseconds since 1970: what samples, alerts and logs carry.
using Time = std::chrono::sys_time<Duration>;
/// Time that never jumps, for measuring how long something took.
using Steady = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

constexpr Time kMinTime{Duration{INT64_MIN}};
constexpr Time kMaxTime{Duration{INT64_MAX}};

constexpr std::int64_t to_ms(Time time) { return time.time_since_epoch().count(); }
constexpr Time from_ms(std::int64_t ms) { return Time{Duration{ms}}; }
constexpr double to_seconds(Time time) { return static_cast<double>(to_ms(time)) / 1000.0; }
constexpr double to_seconds(Duration d) { return static_cast<double>(d.count()) / 1000.0; }

/// RFC 3339 in UTC with milliseconds, `2026-11-22T02:30:10.123Z`; years are held within 0 to 9999.
std::string format_rfc3339(Time time);
/// RFC 3339, or Unix seconds with decimals.
Result<Time> parse_time(std::string_view text);

/// Prometheus' duration notation: `1h30m`, `15s`, `250ms`, `2d`, `1w`, `1y`. Whole milliseconds.
Result<Duration> parse_duration(std::string_view text);
/// The shortest such notation: `1h30m`, `0s`.
std::string format_duration(Duration duration);

/// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
  virtual Steady steady() const = 0;
};

/// The machine's clock. Immutable.
class SystemClock final : public Clock {
 public:
  Time now() const override;
  Steady steady() const override;
};

/// Stands still until told. Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time start) : now_ms_(to_ms(start)) {}
  Time now() const override { return from_ms(now_ms_.load()); }
  Steady steady() const override { return Steady{std::chrono::milliseconds{steady_ms_.load()}}; }
  void advance(Duration by) {
    now_ms_ += by.count();
    steady_ms_ += by.count();
  }
  /// Moves the wall clock only, as an administrator or NTP would.
  void jump_to(Time time) { now_ms_ = to_ms(time); }

 private:
  std::atomic<std::int64_t> now_ms_;
  std::atomic<std::int64_t> steady_ms_{0};
};

}  // namespace atalaya
