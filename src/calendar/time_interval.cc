#include "calendar/time_interval.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

namespace atalaya::calendar {
namespace {

constexpr std::array<std::string_view, 7> kWeekdays{"sunday",   "monday", "tuesday", "wednesday",
                                                    "thursday", "friday", "saturday"};
constexpr std::array<std::string_view, 12> kMonths{"january",   "february", "march",    "april",
                                                   "may",       "june",     "july",     "august",
                                                   "september", "october",  "november", "december"};

std::unexpected<Error> bad(std::string message, std::string remedy = {}) {
  return fail(ErrorCode::kInvalidArgument, std::move(message), std::move(remedy));
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::optional<int> whole_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <std::size_t N>
std::optional<int> index_in(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<int>(found - names.begin());
}

/// `a` or `a:b`, each read by `member`.
template <typename Member>
Result<WholeRange> parse_range(std::string_view given, const Member& member) {
  const auto text = lower(given);
  const auto colon = text.find(':');
  const auto first = text.substr(0, colon);
  const auto last = colon == std::string::npos ? first : text.substr(colon + 1);
  if (first.empty() || last.empty() || last.find(':') != std::string::npos) {
    return bad(fmt::format("\"{}\" is not a range", given), "write one value, or the first and the last with a colon");
  }
  WholeRange out;
  AT_TRY(out.first, member(first));
  AT_TRY(out.last, member(last));
  return out;
}

/// Does any of the ranges, as `resolve` gives them, hold the value? No ranges hold every value.
bool holds(const std::vector<WholeRange>& ranges, int value) {
  if (ranges.empty()) return true;
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const WholeRange& range) { return range.first <= value && value <= range.last; });
}

bool holds_day(const std::vector<WholeRange>& ranges, int day, int days_in_month) {
  if (ranges.empty()) return true;
  const auto from_start = [&](int given) { return given < 0 ? days_in_month + given + 1 : given; };
  return std::any_of(ranges.begin(), ranges.end(), [&](const WholeRange& range) {
    return from_start(range.first) <= day && day <= from_start(range.last);
  });
}

}  // namespace

bool TimeInterval::contains(Time time) const {
  const auto local = zone.local(time);
  const auto midnight = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::year_month_day date{midnight};
  const int minute = static_cast<int>(std::chrono::floor<std::chrono::minutes>(local - midnight).count());
  if (!times.empty() && std::none_of(times.begin(), times.end(), [&](const MinuteRange& range) {
        return range.begin <= minute && minute < range.end;
      })) {
    return false;
  }
  const std::chrono::year_month_day_last last{date.year(), std::chrono::month_day_last{date.month()}};
  const int days = static_cast<int>(static_cast<unsigned>(last.day()));
  return holds_day(days_of_month, static_cast<int>(static_cast<unsigned>(date.day())), days) &&
         holds(months, static_cast<int>(static_cast<unsigned>(date.month()))) &&
         holds(weekdays, static_cast<int>(std::chrono::weekday{midnight}.c_encoding())) &&
         holds(years, static_cast<int>(date.year()));
}

Result<WholeRange> parse_weekdays(std::string_view text) {
  const auto member = [](const std::string& name) -> Result<int> {
    if (const auto found = index_in(kWeekdays, name)) return *found;
    return bad(fmt::format("{} is not a valid weekday", name), "write the whole name in English, such as monday");
  };
  AT_TRY(const auto range, parse_range(text, member));
  if (range.first > range.last) {
    return bad("start day cannot be before end day", "the week begins with sunday; write two ranges");
  }
  return range;
}

Result<WholeRange> parse_days_of_month(std::string_view text) {
  const auto member = [](const std::string& written) -> Result<int> {
    const auto day = whole_number(written);
    if (!day) return bad(fmt::format("{} is not a valid day of the month", written), "write a number");
    if (*day == 0 || *day < -31 || *day > 31) {
      return bad(fmt::format("{} is not a valid day of the month: out of range", *day),
                 "write 1 to 31, or -1 for the last day and so on");
    }
    return *day;
  };
  AT_TRY(const auto range, parse_range(text, member));
  if (range.first < 0 && range.last > 0) return bad("end day must be negative if start day is negative");
  // Of mixed signs only what no month could hold is refused: the shortest has 28 days.
  const auto in_short_month = [](int day) { return day < 0 ? 28 + day : day; };
  if (in_short_month(range.first) > in_short_month(range.last)) {
    return bad(fmt::format("end day {} is always before start day {}", range.last, range.first));
  }
  return range;
}

Result<WholeRange> parse_months(std::string_view text) {
  const auto member = [](const std::string& written) -> Result<int> {
    if (const auto found = index_in(kMonths, written)) return *found + 1;
    const auto number = whole_number(written);
    if (!number || *number < 1 || *number > 12) {
      return bad(fmt::format("{} is not a valid month", written), "write january to december, or 1 to 12");
    }
    return *number;
  };
  AT_TRY(const auto range, parse_range(text, member));
  if (range.first > range.last) {
    return bad(fmt::format("end month {} is before start month {}", kMonths[static_cast<std::size_t>(range.last - 1)],
                           kMonths[static_cast<std::size_t>(range.first - 1)]),
               "write two ranges, one a year");
  }
  return range;
}

Result<WholeRange> parse_years(std::string_view text) {
  const auto member = [](const std::string& written) -> Result<int> {
    if (const auto year = whole_number(written)) return *year;
    return bad(fmt::format("{} is not a valid year", written));
  };
  AT_TRY(const auto range, parse_range(text, member));
  if (range.first > range.last) {
    return bad(fmt::format("end year {} is before start year {}", range.last, range.first));
  }
  return range;
}

Result<int> parse_clock_time(std::string_view text) {
  const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9' ? text[at] - '0' : -1; };
  if (text.size() == 5 && text[2] == ':' && digit(0) >= 0 && digit(1) >= 0 && digit(3) >= 0 && digit(4) >= 0) {
    const int minutes = (digit(0) * 10 + digit(1)) * 60 + digit(3) * 10 + digit(4);
    if (digit(3) < 6 && minutes <= 24 * 60) return minutes;
  }
  return bad(fmt::format("couldn't parse timestamp {}, invalid format", text), "write hours and minutes as 08:30");
}

std::string to_string(const TimeInterval& interval) {
  std::string out;
  const auto add = [&](const auto& ranges, const auto& words) {
    if (ranges.empty()) return;
    std::vector<std::string> written;
    for (const auto& range : ranges) written.push_back(words(range));
    out += fmt::format("{}{}", out.empty() ? "" : ", ", fmt::join(written, " and "));
  };
  const auto whole = [](const auto& name) {
    return [name](const WholeRange& range) {
      return range.first == range.last ? std::string(name(range.first))
                                       : fmt::format("{} to {}", name(range.first), name(range.last));
    };
  };
  const auto capital = [](std::string_view word) {
    std::string written(word);
    written.front() = static_cast<char>(written.front() - 'a' + 'A');
    return written;
  };
  const auto day_of_month = [](int day) {
    if (day == -1) return std::string("the last day");
    return day < 0 ? fmt::format("the last day but {}", -day - 1) : fmt::format("day {}", day);
  };
  add(interval.weekdays, whole([&](int day) { return capital(kWeekdays[static_cast<std::size_t>(day)]); }));
  add(interval.days_of_month, whole(day_of_month));
  add(interval.months, whole([&](int month) { return capital(kMonths[static_cast<std::size_t>(month - 1)]); }));
  add(interval.years, whole([](int year) { return std::to_string(year); }));
  add(interval.times, [](const MinuteRange& range) {
    return fmt::format("{:02}:{:02}–{:02}:{:02}", range.begin / 60, range.begin % 60, range.end / 60, range.end % 60);
  });
  if (out.empty()) return "always";
  if (interval.times.empty() && interval.zone == Zone()) return out;
  return fmt::format("{} {}", out, interval.zone.name());
}

}  // namespace atalaya::calendar
