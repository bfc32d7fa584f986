#include "base/time.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace atalaya {
namespace {

using std::chrono::days;

std::optional<int> digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool skip(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<Duration> parse_offset(std::string_view& text) {
  if (skip(text, 'Z') || skip(text, 'z')) return Duration{0};
  const bool minus = text.starts_with('-');
  if (!skip(text, '-') && !skip(text, '+')) return std::nullopt;
  const auto hour = digits(text, 2);
  if (!hour || !skip(text, ':')) return std::nullopt;
  const auto minute = digits(text, 2);
  if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
  const Duration offset = std::chrono::hours{*hour} + std::chrono::minutes{*minute};
  return minus ? -offset : offset;
}

std::optional<Time> parse_rfc3339(std::string_view text) {
  const auto year = digits(text, 4);
  if (!year || !skip(text, '-')) return std::nullopt;
  const auto month = digits(text, 2);
  if (!month || !skip(text, '-')) return std::nullopt;
  const auto day = digits(text, 2);
  if (!day || !(skip(text, 'T') || skip(text, 't') || skip(text, ' '))) return std::nullopt;
  const auto hour = digits(text, 2);
  if (!hour || !skip(text, ':')) return std::nullopt;
  const auto minute = digits(text, 2);
  if (!minute || !skip(text, ':')) return std::nullopt;
  const auto second = digits(text, 2);
  if (!second) return std::nullopt;
  int ms = 0;
  if (skip(text, '.')) {
    int scale = 100;
    std::size_t seen = 0;
    for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), scale /= 10, ++seen) {
      ms += (text[0] - '0') * scale;
    }
    if (seen == 0) return std::nullopt;
  }
  const auto offset = parse_offset(text);
  const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!offset || !text.empty() || !date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return Time{std::chrono::sys_days{date}.time_since_epoch() + std::chrono::hours{*hour} +
              std::chrono::minutes{*minute} + std::chrono::seconds{*second} + Duration{ms} - *offset};
}

struct Unit {
  std::string_view suffix;
  std::int64_t ms;
};
constexpr std::array kUnits{Unit{"y", 365LL * 86400000},
                            Unit{"w", 7LL * 86400000},
                            Unit{"d", 86400000},
                            Unit{"h", 3600000},
                            Unit{"m", 60000},
                            Unit{"s", 1000},
                            Unit{"ms", 1}};

}  // namespace

std::string format_rfc3339(Time time) {
  // RFC 3339 has years of four digits; the ends of time are shown as the ends of that.
  constexpr Time kFirst{std::chrono::sys_days{std::chrono::year{0} / 1 / 1}};
  constexpr Time kLast{std::chrono::sys_days{std::chrono::year{10000} / 1 / 1} - Duration{1}};
  time = std::clamp(time, kFirst, kLast);
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date{day};
  const auto ms = (time - day).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", int(date.year()), unsigned(date.month()),
                     unsigned(date.day()), ms / 3600000, ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
}

Result<Time> parse_time(std::string_view text) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc{} && end == text.data() + text.size()) {
    const double ms = std::round(seconds * 1000);
    if (std::isfinite(ms) && std::abs(ms) < 9.2e18) return from_ms(static_cast<std::int64_t>(ms));
  } else if (const auto time = parse_rfc3339(text)) {
    return *time;
  }
  return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is not a time", text.substr(0, 64)),
              "write RFC 3339 (2026-01-31T12:00:00Z) or Unix seconds");
}

Result<Duration> parse_duration(std::string_view text) {
  const auto bad = [&] {
    return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is not a duration", text.substr(0, 64)),
                "write units from large to small, such as 1h30m, 15s, 250ms");
  };
  if (text == "0") return Duration{0};
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  auto left = text;
  if (left.empty()) return bad();
  while (!left.empty()) {
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(left.data(), left.data() + left.size(), count);
    if (error != std::errc{} || count < 0 || end == left.data()) return bad();
    left.remove_prefix(static_cast<std::size_t>(end - left.data()));
    std::size_t letters = 0;
    while (letters < left.size() && left[letters] >= 'a' && left[letters] <= 'z') ++letters;
    const auto suffix = left.substr(0, letters);
    left.remove_prefix(letters);
    while (next_unit < kUnits.size() && kUnits[next_unit].suffix != suffix) ++next_unit;
    if (next_unit == kUnits.size()) return bad();
    std::int64_t part = 0;
    if (__builtin_mul_overflow(count, kUnits[next_unit].ms, &part) || __builtin_add_overflow(total, part, &total)) {
      return bad();
    }
    ++next_unit;
  }
  return Duration{total};
}

std::string format_duration(Duration duration) {
  auto left = duration.count();
  if (left == 0) return "0s";
  std::string out = left < 0 ? "-" : "";
  std::uint64_t rest = left < 0 ? 0 - static_cast<std::uint64_t>(left) : static_cast<std::uint64_t>(left);
  for (const auto& unit : kUnits) {
    // Weeks and years only when exact, as Prometheus writes them.
    const auto size = static_cast<std::uint64_t>(unit.ms);
    if (rest < size || ((unit.suffix == "y" || unit.suffix == "w") && rest % size != 0)) continue;
    out += std::to_string(rest / size);
    out += unit.suffix;
    rest %= size;
  }
  return out;
}

}  // namespace atalaya
