// Numbers, durations and times for people: the same words as Prometheus.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "base/time.h"
#include "template/functions.h"
#include "template/times.h"

namespace atalaya::templates {
namespace json = boost::json;
namespace {

Value text_value(std::string_view text) { return Value(json::string(text)); }

constexpr std::array<std::string_view, 8> kLarge = {"k", "M", "G", "T", "P", "E", "Z", "Y"};
constexpr std::array<std::string_view, 8> kLarge1024 = {"ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"};
constexpr std::array<std::string_view, 8> kSmall = {"m", "u", "n", "p", "f", "a", "z", "y"};

std::string scaled_down(double v, double base, std::span<const std::string_view> prefixes) {
  std::string_view prefix;
  for (const auto candidate : prefixes) {
    if (std::abs(v) < base) break;
    prefix = candidate;
    v /= base;
  }
  return print_significant(v, 4) + std::string(prefix);
}

std::string scaled_up(double v) {
  std::string_view prefix;
  for (const auto candidate : kSmall) {
    if (std::abs(v) >= 1) break;
    prefix = candidate;
    v *= 1000;
  }
  return print_significant(v, 4) + std::string(prefix);
}

Result<Value> humanize(const CallContext&, const Arguments& a) {
  AT_TRY(const double v, convert_to_number(*a[0]));
  if (v == 0 || !std::isfinite(v)) return text_value(print_significant(v, 4));
  return text_value(std::abs(v) >= 1 ? scaled_down(v, 1000, kLarge) : scaled_up(v));
}

Result<Value> humanize1024(const CallContext&, const Arguments& a) {
  AT_TRY(const double v, convert_to_number(*a[0]));
  if (std::abs(v) <= 1 || !std::isfinite(v)) return text_value(print_significant(v, 4));
  return text_value(scaled_down(v, 1024, kLarge1024));
}

Result<Value> humanize_duration(const CallContext&, const Arguments& a) {
  AT_TRY(double v, convert_to_number(*a[0]));
  if (!std::isfinite(v)) return text_value(print_significant(v, 4));
  if (v == 0) return text_value("0s");
  if (std::abs(v) < 1) return text_value(scaled_up(v) + "s");
  const std::string_view sign = v < 0 ? "-" : "";
  v = std::abs(v);
  if (v >= 9e18) return text_value(fmt::format("{}{}s", sign, print_significant(v, 4)));
  const auto all = static_cast<std::int64_t>(v);
  const auto seconds = all % 60;
  const auto minutes = all / 60 % 60;
  const auto hours = all / 3600 % 24;
  const auto days = all / 86400;
  if (days != 0) return text_value(fmt::format("{}{}d {}h {}m {}s", sign, days, hours, minutes, seconds));
  if (hours != 0) return text_value(fmt::format("{}{}h {}m {}s", sign, hours, minutes, seconds));
  if (minutes != 0) return text_value(fmt::format("{}{}m {}s", sign, minutes, seconds));
  return text_value(fmt::format("{}{}s", sign, print_significant(v, 4)));
}

Result<Value> humanize_percentage(const CallContext&, const Arguments& a) {
  AT_TRY(const double v, convert_to_number(*a[0]));
  return text_value(print_significant(v * 100, 4) + "%");
}

/// As Go prints a time: `2009-11-10 23:00:00.25 +0000 UTC`.
Result<Value> humanize_timestamp(const CallContext&, const Arguments& a) {
  AT_TRY(const double v, convert_to_number(*a[0]));
  if (!std::isfinite(v)) return text_value(print_significant(v, 4));
  AT_TRY(const auto nanoseconds, nanoseconds_of(v, "nanoseconds timestamp"));
  return text_value(print(*time_value(whole_milliseconds(nanoseconds))));
}

Result<Value> duration_seconds(const CallContext&, const Arguments& a) {
  AT_TRY(const auto duration, parse_duration(print(*a[0])));
  return Value(to_seconds(duration));
}

constexpr std::array kTable = {
    Function{"humanize", 1, 1, humanize},
    Function{"humanize1024", 1, 1, humanize1024},
    Function{"humanizeDuration", 1, 1, humanize_duration},
    Function{"humanizePercentage", 1, 1, humanize_percentage},
    Function{"humanizeTimestamp", 1, 1, humanize_timestamp},
    Function{"parseDuration", 1, 1, duration_seconds, false, true},
};

}  // namespace

const Function* find_human_function(std::string_view name) {
  const auto it = std::ranges::find(kTable, name, &Function::name);
  return it == kTable.end() ? nullptr : &*it;
}

}  // namespace atalaya::templates
