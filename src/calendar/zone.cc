#include "calendar/zone.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <optional>

namespace atalaya::calendar {
namespace {

// The zones' own arithmetic is over seconds of years -32767 to 32767; these are far enough for anybody.
constexpr Time kFirst{std::chrono::sys_days{std::chrono::year{-9999} / 1 / 1}};
constexpr Time kLast{std::chrono::sys_days{std::chrono::year{9999} / 12 / 31}};

Time to_time(date::sys_seconds seconds) {
  const auto count = seconds.time_since_epoch().count();
  if (count <= to_ms(kFirst) / 1000) return kMinTime;
  if (count >= to_ms(kLast) / 1000) return kMaxTime;
  return from_ms(count * 1000);
}

/// A name that differs only in case, or in what stands before the last slash.
std::string nearest(std::string_view name, const date::tzdb& zones) {
  const auto lower = [](std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) {
      return c == ' ' ? '_' : static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    });
    return out;
  };
  const auto wanted = lower(name);
  const auto city = wanted.substr(wanted.rfind('/') + 1);
  std::string same_city;
  for (const auto& zone : zones.zones) {
    const auto known = lower(zone.name());
    if (known == wanted) return std::string(zone.name());
    if (same_city.empty() && known.substr(known.rfind('/') + 1) == city) same_city = zone.name();
  }
  return same_city;
}

}  // namespace

Zone::Zone() : zone_(nullptr) {}

Result<Zone> Zone::find(std::string_view name) {
  if (name == "UTC" || name == "Etc/UTC") return Zone();
  try {
    const auto& zones = date::get_tzdb();
    const auto found = std::lower_bound(zones.zones.begin(), zones.zones.end(), name,
                                        [](const auto& zone, std::string_view wanted) { return zone.name() < wanted; });
    if (found != zones.zones.end() && found->name() == name) return Zone(&*found);
    const auto near = nearest(name, zones);
    return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no time zone", name.substr(0, 64)),
                near.empty() ? "write e.g. UTC, Europe/Madrid" : fmt::format("did you mean \"{}\"?", near));
  } catch (const std::exception& error) {
    return fail(ErrorCode::kUnavailable, fmt::format("the system's time zones cannot be read: {}", error.what()),
                "install tzdata");
  }
}

const std::string& Zone::name() const {
  static const std::string utc = "UTC";
  return zone_ == nullptr ? utc : zone_->name();
}

ZoneSpan Zone::span_at(Time time) const {
  if (zone_ == nullptr) return {kMinTime, kMaxTime, Duration{0}, "UTC"};
  const auto seconds = std::chrono::floor<std::chrono::seconds>(std::clamp(time, kFirst, kLast));
  const auto info = zone_->get_info(seconds);
  return {to_time(info.begin), to_time(info.end), info.offset, info.abbrev};
}

}  // namespace atalaya::calendar
