// Stretches of calendar time that come back: "weekdays from 9 to 17 in Madrid".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "calendar/zone.h"

namespace atalaya::calendar {

/// Both ends included.
struct WholeRange {
  int first = 0;
  int last = 0;
  bool operator==(const WholeRange&) const = default;
};
/// Minutes since midnight, 0 to 1440; `end` is not included.
struct MinuteRange {
  int begin = 0;
  int end = 0;
  bool operator==(const MinuteRange&) const = default;
};

/// Alertmanager's time interval: a time is within when every list that is not empty has a range that
/// holds it, by what clocks in `zone` show. Thread-compatible.
struct TimeInterval {
  std::vector<MinuteRange> times;
  std::vector<WholeRange> weekdays;       ///< 0 is Sunday
  std::vector<WholeRange> days_of_month;  ///< 1 to 31; -1 is the month's last day
  std::vector<WholeRange> months;         ///< 1 to 12
  std::vector<WholeRange> years;
  Zone zone;

  bool contains(Time time) const;
  bool operator==(const TimeInterval&) const = default;
};

/// In words: `monday to friday, 09:00–17:00, Europe/Madrid`; `always` where nothing limits it.
std::string to_string(const TimeInterval& interval);

// Ranges as people write them: `a` or `a:b`, names in any case. invalid_argument without a place, in
// Alertmanager's words where it has any.
Result<WholeRange> parse_weekdays(std::string_view text);       ///< `monday:friday`
Result<WholeRange> parse_days_of_month(std::string_view text);  ///< `1:5`, `-3:-1`
Result<WholeRange> parse_months(std::string_view text);         ///< `january:march`, `1:3`
Result<WholeRange> parse_years(std::string_view text);          ///< `2026:2028`
/// `08:30`, `24:00`: minutes since midnight.
Result<int> parse_clock_time(std::string_view text);

}  // namespace atalaya::calendar
