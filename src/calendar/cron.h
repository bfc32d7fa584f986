// Schedules in cron's notation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "calendar/zone.h"

namespace atalaya::calendar {

/// Whether a field for seconds stands before the five.
enum class CronFields : std::uint8_t { kStandard, kWithSeconds };

/// Minute, hour, day of the month, month, day of the week: numbers, `*` or `?`, ranges `1-5`, lists `1,15`,
/// steps `*/10`, `5/10` (from 5 on) and `8-18/2`, names (`jan`, `Mon`). Where both the days of the month and of
/// the week are given, either will do. Or one of `@yearly`, `@annually`, `@monthly`, `@weekly`, `@daily`, `@midnight`,
/// `@hourly`, `@every 90m`. `CRON_TZ=Europe/Madrid ` or `TZ=…` may stand in front. (As in robfig/cron, version 3.)
/// A value; immutable.
class Cron {
 public:
  static Result<Cron> parse(std::string_view text, CronFields fields = CronFields::kStandard);

  /// The first time after `after` at which clocks in `zone` (or in the schedule's own) show what it asks for; times
  /// that clocks skip are not run, times that they show twice are run twice. Nothing within five years: nothing.
  std::optional<Time> next(Time after, const Zone& zone) const;

 private:
  bool day_matches(Time local) const;

  std::optional<Zone> zone_;
  Duration every_{0};  ///< above 0: nothing else counts
  std::uint64_t seconds_ = 1;
  std::uint64_t minutes_ = 0;
  std::uint64_t hours_ = 0;
  std::uint64_t days_ = 0;
  std::uint64_t months_ = 0;
  std::uint64_t weekdays_ = 0;
  bool any_day_ = false;
  bool any_weekday_ = false;
};

}  // namespace atalaya::calendar
