#include "calendar/cron.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <vector>

namespace atalaya::calendar {
namespace {

using std::chrono::days;
using std::chrono::seconds;

constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Field {
  std::string_view name;
  int least;
  int most;
  std::span<const std::string_view> words = {};  ///< names of `least`, `least + 1` …
};
constexpr Field kSecond{"second", 0, 59};
constexpr Field kMinute{"minute", 0, 59};
constexpr Field kHour{"hour", 0, 23};
constexpr Field kDay{"day of the month", 1, 31};
constexpr Field kMonth{"month", 1, 12, kMonths};
constexpr Field kWeekday{"day of the week", 0, 6, kWeekdays};

struct Set {
  std::uint64_t bits = 0;
  bool any = false;
};

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find_first_of(separators, begin), text.size());
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::unexpected<Error> wrong(std::string_view part, const Field& field, std::string_view why) {
  return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no {}: {}", part.substr(0, 64), field.name, why),
              fmt::format("{} to {}, *, a-b, a,b or */n", field.least, field.most));
}

Result<int> value_of(std::string_view text, const Field& field) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); });
  const auto word = std::find(field.words.begin(), field.words.end(), lower);
  if (word != field.words.end()) return field.least + static_cast<int>(word - field.words.begin());
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) return wrong(text, field, "not a number");
  return value;
}

/// `number`, `number-number`, `*`, each perhaps with `/step`.
Status add_range(std::string_view part, const Field& field, Set& set) {
  const auto slash = part.find('/');
  const auto range = part.substr(0, slash);
  const auto dash = range.find('-');
  int first = field.least;
  int last = field.most;
  int step = 1;
  const bool star = range == "*" || range == "?";
  if (!star) {
    AT_TRY(first, value_of(range.substr(0, dash), field));
    last = first;
    if (dash != std::string_view::npos) {
      AT_TRY(last, value_of(range.substr(dash + 1), field));
    } else if (slash != std::string_view::npos) {
      last = field.most;
    }
  }
  if (slash != std::string_view::npos) {
    AT_TRY(step, value_of(part.substr(slash + 1), Field{"step", 1, field.most}));
  }
  if (step == 0) return wrong(part, field, "a step is at least 1");
  if (first < field.least || last > field.most) return wrong(part, field, "out of bounds");
  if (first > last) return wrong(part, field, "the range begins after its end");
  if (star && step == 1) set.any = true;
  for (int value = first; value <= last; value += step) set.bits |= std::uint64_t{1} << value;
  return {};
}

Result<Set> parse_field(std::string_view text, const Field& field) {
  Set set;
  const auto parts = split(text, ",");
  if (parts.empty()) return wrong(text, field, "nothing is there");
  for (const auto part : parts) AT_TRY(add_range(part, field, set));
  return set;
}

std::string_view described(std::string_view word) {
  if (word == "@yearly" || word == "@annually") return "0 0 1 1 *";
  if (word == "@monthly") return "0 0 1 * *";
  if (word == "@weekly") return "0 0 * * 0";
  if (word == "@daily" || word == "@midnight") return "0 0 * * *";
  if (word == "@hourly") return "0 * * * *";
  return {};
}

bool has(std::uint64_t bits, unsigned value) { return (bits >> value & 1) != 0; }

std::unexpected<Error> no_schedule(std::string_view text) {
  return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no schedule", text.substr(0, 64)),
              "write five fields (minute hour day month weekday) such as */5 * * * *, or @hourly, @daily, @weekly, "
              "@monthly, @yearly, @every 90m");
}

}  // namespace

Result<Cron> Cron::parse(std::string_view text, CronFields fields) {
  Cron cron;
  auto parts = split(text, " \t\r\n");
  if (!parts.empty() && (parts[0].starts_with("TZ=") || parts[0].starts_with("CRON_TZ="))) {
    AT_TRY(cron.zone_, Zone::find(parts[0].substr(parts[0].find('=') + 1)));
    parts.erase(parts.begin());
  }
  if (parts.empty()) return no_schedule(text);
  if (parts[0] == "@every" && parts.size() == 2) {
    AT_TRY(const auto every, parse_duration(parts[1]));
    cron.every_ = std::max<Duration>(std::chrono::floor<seconds>(every), seconds{1});
    return cron;
  }
  if (parts.size() == 1) {
    const auto standard = described(parts[0]);
    if (standard.empty()) return no_schedule(text);
    parts = split(standard, " ");
    fields = CronFields::kStandard;
  }
  if (fields == CronFields::kWithSeconds && parts.size() == 6) {
    AT_TRY(const auto set, parse_field(parts[0], kSecond));
    cron.seconds_ = set.bits;
    parts.erase(parts.begin());
  }
  if (parts.size() != 5) return no_schedule(text);
  AT_TRY(const auto minutes, parse_field(parts[0], kMinute));
  AT_TRY(const auto hours, parse_field(parts[1], kHour));
  AT_TRY(const auto monthdays, parse_field(parts[2], kDay));
  AT_TRY(const auto months, parse_field(parts[3], kMonth));
  AT_TRY(const auto weekdays, parse_field(parts[4], kWeekday));
  cron.minutes_ = minutes.bits;
  cron.hours_ = hours.bits;
  cron.days_ = monthdays.bits;
  cron.months_ = months.bits;
  cron.weekdays_ = weekdays.bits;
  cron.any_day_ = monthdays.any;
  cron.any_weekday_ = weekdays.any;
  return cron;
}

bool Cron::day_matches(Time local) const {
  const auto day = std::chrono::floor<days>(local);
  const std::chrono::year_month_day date{day};
  if (!has(months_, unsigned(date.month()))) return false;
  const bool by_month = has(days_, unsigned(date.day()));
  const bool by_week = has(weekdays_, std::chrono::weekday{day}.c_encoding());
  return any_day_ || any_weekday_ ? by_month && by_week : by_month || by_week;
}

std::optional<Time> Cron::next(Time after, const Zone& zone) const {
  constexpr Duration kFar = days{5 * 366};
  const auto begin = std::chrono::floor<seconds>(after);
  if (after < Time{days{-3'000'000}} || after > Time{days{2'900'000}}) return std::nullopt;
  if (every_ > Duration{0}) return Time{begin} + every_;
  const Zone& clocks = zone_ ? *zone_ : zone;
  Time at = begin + seconds{1};
  auto span = clocks.span_at(at);
  // Goes to the end of the day, hour or minute that does not match, but never past a change of the clocks.
  while (at - after < kFar) {
    if (at >= span.end) span = clocks.span_at(at);
    const Time local = at + span.offset;
    const auto day = std::chrono::floor<days>(local);
    const auto second_of_day = std::chrono::floor<seconds>(local - day).count();
    Time to = local;
    if (!day_matches(local)) {
      to = day + days{1};
    } else if (!has(hours_, static_cast<unsigned>(second_of_day / 3600))) {
      to = std::chrono::floor<std::chrono::hours>(local) + std::chrono::hours{1};
    } else if (!has(minutes_, static_cast<unsigned>(second_of_day / 60 % 60))) {
      to = std::chrono::floor<std::chrono::minutes>(local) + std::chrono::minutes{1};
    } else if (!has(seconds_, static_cast<unsigned>(second_of_day % 60))) {
      to = local + seconds{1};
    } else {
      return at;
    }
    at = std::min(to - span.offset, span.end);
  }
  return std::nullopt;
}

}  // namespace atalaya::calendar
