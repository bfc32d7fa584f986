#include "template/times.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <utility>

namespace atalaya::templates {
namespace json = boost::json;
namespace {

namespace chr = std::chrono;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::array<std::string_view, 12> kMonths = {"January",   "February", "March",    "April",
                                                      "May",       "June",     "July",     "August",
                                                      "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};

/// A time in pieces, UTC.
struct Pieces {
  explicit Pieces(std::int64_t nanoseconds) {
    const chr::sys_time<chr::nanoseconds> time{chr::nanoseconds{nanoseconds}};
    const auto midnight = chr::floor<chr::days>(time);
    const chr::year_month_day date{midnight};
    year = static_cast<int>(date.year());
    month = static_cast<int>(static_cast<unsigned>(date.month()));
    day = static_cast<int>(static_cast<unsigned>(date.day()));
    weekday = static_cast<int>(chr::weekday{midnight}.c_encoding());
    const chr::sys_days first{date.year() / chr::January / 1};
    day_of_year = static_cast<int>((midnight - first).count()) + 1;
    const auto rest = (time - midnight).count();
    hour = static_cast<int>(rest / kSecond / 3600);
    minute = static_cast<int>(rest / kSecond / 60 % 60);
    second = static_cast<int>(rest / kSecond % 60);
    nanosecond = static_cast<int>(rest % kSecond);
  }
  int year = 0, month = 0, day = 0, weekday = 0, day_of_year = 0;
  int hour = 0, minute = 0, second = 0, nanosecond = 0;
};

std::string print_time(std::int64_t nanoseconds) {
  return format_go_time(nanoseconds, "2006-01-02 15:04:05.999999999 -0700 MST");
}

std::string print_duration(std::int64_t nanoseconds) {
  const auto size =
      nanoseconds < 0 ? 0 - static_cast<std::uint64_t>(nanoseconds) : static_cast<std::uint64_t>(nanoseconds);
  const std::string_view sign = nanoseconds < 0 ? "-" : "";
  const auto of = [](std::uint64_t count, std::uint64_t unit) {
    auto text = fmt::format("{}", count / unit);
    if (count % unit == 0) return text;
    const auto digits = static_cast<int>(std::log10(static_cast<double>(unit)) + 0.5);
    text += fmt::format(".{:0{}}", count % unit, digits);
    text.resize(text.find_last_not_of('0') + 1);
    return text;
  };
  if (size == 0) return "0s";
  if (size < 1'000) return fmt::format("{}{}ns", sign, size);
  if (size < 1'000'000) return fmt::format("{}{}µs", sign, of(size, 1'000));
  if (size < kSecond) return fmt::format("{}{}ms", sign, of(size, 1'000'000));
  const auto minutes = size / kSecond / 60;
  const auto rest = of(size - minutes * 60 * kSecond, kSecond);
  if (minutes == 0) return fmt::format("{}{}s", sign, rest);
  if (minutes < 60) return fmt::format("{}{}m{}s", sign, minutes, rest);
  return fmt::format("{}{}h{}m{}s", sign, minutes / 60, minutes % 60, rest);
}

/// What one element of a layout writes.
using Write = std::string (*)(const Pieces& p);
struct Element {
  std::string_view layout;
  Write write;
};

/// Of two that begin alike the longer one stands first.
constexpr std::array kElements = {
    Element{"January", [](const Pieces& p) { return std::string(kMonths[static_cast<std::size_t>(p.month - 1)]); }},
    Element{"Jan",
            [](const Pieces& p) { return std::string(kMonths[static_cast<std::size_t>(p.month - 1)].substr(0, 3)); }},
    Element{"Monday", [](const Pieces& p) { return std::string(kDays[static_cast<std::size_t>(p.weekday)]); }},
    Element{"Mon",
            [](const Pieces& p) { return std::string(kDays[static_cast<std::size_t>(p.weekday)].substr(0, 3)); }},
    Element{"MST", [](const Pieces&) { return std::string("UTC"); }},
    Element{"2006", [](const Pieces& p) { return fmt::format("{:04}", p.year); }},
    Element{"__2", [](const Pieces& p) { return fmt::format("{:3}", p.day_of_year); }},
    Element{"002", [](const Pieces& p) { return fmt::format("{:03}", p.day_of_year); }},
    Element{"01", [](const Pieces& p) { return fmt::format("{:02}", p.month); }},
    Element{"02", [](const Pieces& p) { return fmt::format("{:02}", p.day); }},
    Element{"03", [](const Pieces& p) { return fmt::format("{:02}", p.hour % 12 == 0 ? 12 : p.hour % 12); }},
    Element{"04", [](const Pieces& p) { return fmt::format("{:02}", p.minute); }},
    Element{"05", [](const Pieces& p) { return fmt::format("{:02}", p.second); }},
    Element{"06", [](const Pieces& p) { return fmt::format("{:02}", ((p.year % 100) + 100) % 100); }},
    Element{"15", [](const Pieces& p) { return fmt::format("{:02}", p.hour); }},
    Element{"PM", [](const Pieces& p) { return std::string(p.hour >= 12 ? "PM" : "AM"); }},
    Element{"pm", [](const Pieces& p) { return std::string(p.hour >= 12 ? "pm" : "am"); }},
    Element{"-07:00:00", [](const Pieces&) { return std::string("+00:00:00"); }},
    Element{"-07:00", [](const Pieces&) { return std::string("+00:00"); }},
    Element{"-070000", [](const Pieces&) { return std::string("+000000"); }},
    Element{"-0700", [](const Pieces&) { return std::string("+0000"); }},
    Element{"-07", [](const Pieces&) { return std::string("+00"); }},
    Element{"Z07:00:00", [](const Pieces&) { return std::string("Z"); }},
    Element{"Z07:00", [](const Pieces&) { return std::string("Z"); }},
    Element{"Z070000", [](const Pieces&) { return std::string("Z"); }},
    Element{"Z0700", [](const Pieces&) { return std::string("Z"); }},
    Element{"Z07", [](const Pieces&) { return std::string("Z"); }},
    Element{"_2", [](const Pieces& p) { return fmt::format("{:2}", p.day); }},
    Element{"1", [](const Pieces& p) { return fmt::format("{}", p.month); }},
    Element{"2", [](const Pieces& p) { return fmt::format("{}", p.day); }},
    Element{"3", [](const Pieces& p) { return fmt::format("{}", p.hour % 12 == 0 ? 12 : p.hour % 12); }},
    Element{"4", [](const Pieces& p) { return fmt::format("{}", p.minute); }},
    Element{"5", [](const Pieces& p) { return fmt::format("{}", p.second); }},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// `.000` or `,999` behind anything: how many bytes of the layout it takes; 0 when it is none.
std::size_t fraction_layout(std::string_view rest) {
  if (rest.size() < 2 || (rest[0] != '.' && rest[0] != ',') || (rest[1] != '0' && rest[1] != '9')) return 0;
  const auto end = std::min(rest.find_first_not_of(rest[1], 1), rest.size());
  return end < rest.size() && is_digit(rest[end]) ? 0 : end;
}

std::string write_fraction(std::string_view layout, int nanosecond) {
  auto text = fmt::format("{:09}", nanosecond).substr(0, std::min<std::size_t>(layout.size() - 1, 9));
  text.resize(layout.size() - 1, '0');
  if (layout[1] == '9') {
    text.resize(text.find_last_not_of('0') + 1);
    if (text.empty()) return "";
  }
  return layout[0] + text;
}

const Element* element_at(std::string_view rest) {
  for (const auto& element : kElements) {
    if (!rest.starts_with(element.layout)) continue;
    // `Janet` names nobody's month, and `_2006` is a year behind a line.
    const auto after = rest.size() > element.layout.size() ? rest[element.layout.size()] : ' ';
    if (element.layout == "Jan" && after >= 'a' && after <= 'z') continue;
    if (element.layout == "Mon" && after >= 'a' && after <= 'z') continue;
    if (element.layout == "_2" && rest.starts_with("_2006")) continue;
    return &element;
  }
  return nullptr;
}

std::unexpected<Error> refuse(std::string message) { return fail(ErrorCode::kUnprocessable, std::move(message)); }

Value whole(std::int64_t number) { return Value(json::value(number)); }
Value text(std::string_view words) { return Value(json::string(words)); }

struct Method {
  std::string_view name;
  Value (*call)(std::int64_t nanoseconds);
};

constexpr std::array kOfTime = {
    Method{"Year", [](std::int64_t t) { return whole(Pieces(t).year); }},
    Method{"Month", [](std::int64_t t) { return text(kMonths[static_cast<std::size_t>(Pieces(t).month - 1)]); }},
    Method{"Day", [](std::int64_t t) { return whole(Pieces(t).day); }},
    Method{"Hour", [](std::int64_t t) { return whole(Pieces(t).hour); }},
    Method{"Minute", [](std::int64_t t) { return whole(Pieces(t).minute); }},
    Method{"Second", [](std::int64_t t) { return whole(Pieces(t).second); }},
    Method{"Nanosecond", [](std::int64_t t) { return whole(Pieces(t).nanosecond); }},
    Method{"Weekday", [](std::int64_t t) { return text(kDays[static_cast<std::size_t>(Pieces(t).weekday)]); }},
    Method{"YearDay", [](std::int64_t t) { return whole(Pieces(t).day_of_year); }},
    Method{"Unix", [](std::int64_t t) { return whole(chr::floor<chr::seconds>(chr::nanoseconds{t}).count()); }},
    Method{"UnixMilli",
           [](std::int64_t t) { return whole(chr::floor<chr::milliseconds>(chr::nanoseconds{t}).count()); }},
    Method{"UnixMicro",
           [](std::int64_t t) { return whole(chr::floor<chr::microseconds>(chr::nanoseconds{t}).count()); }},
    Method{"UnixNano", [](std::int64_t t) { return whole(t); }},
    Method{"UTC", [](std::int64_t t) { return time_value(t); }},
    Method{"String", [](std::int64_t t) { return text(print_time(t)); }},
    Method{"IsZero", [](std::int64_t) { return Value(json::value(false)); }},  // the year 1 is out of reach
};

Value part_of(std::int64_t nanoseconds, double unit) {
  return Value(json::value(static_cast<double>(nanoseconds) / unit));
}

constexpr std::array kOfDuration = {
    Method{"Hours", [](std::int64_t d) { return part_of(d, 3600.0 * kSecond); }},
    Method{"Minutes", [](std::int64_t d) { return part_of(d, 60.0 * kSecond); }},
    Method{"Seconds", [](std::int64_t d) { return part_of(d, kSecond); }},
    Method{"Milliseconds", [](std::int64_t d) { return whole(d / 1'000'000); }},
    Method{"Microseconds", [](std::int64_t d) { return whole(d / 1'000); }},
    Method{"Nanoseconds", [](std::int64_t d) { return whole(d); }},
    Method{"Abs",
           [](std::int64_t d) { return duration_value(d < 0 && d != INT64_MIN ? -d : std::max<std::int64_t>(d, 0)); }},
    Method{"String", [](std::int64_t d) { return text(print_duration(d)); }},
};

/// Towards zero, or to the nearest and away from zero.
std::int64_t to_multiple(std::int64_t value, std::int64_t unit, bool nearest) {
  if (unit <= 0) return value;
  const auto rest = value % unit;
  const auto down = value - rest;
  if (!nearest || std::abs(rest) < unit - std::abs(rest)) return down;
  std::int64_t out = 0;
  return __builtin_add_overflow(down, value < 0 ? -unit : unit, &out) ? value : out;
}

/// Methods that take another time or duration.
Result<Value> with_other(const Moment& moment, const std::string& name, const Value& argument) {
  using Kind = Moment::Kind;
  const auto* other = argument.moment();
  const auto wants = [&](Kind kind) { return other != nullptr && other->kind == kind; };
  const bool is_time = moment.kind == Kind::kTime;
  const auto mine = moment.nanoseconds;
  if (is_time && wants(Kind::kTime)) {
    if (name == "Before") return Value(json::value(mine < other->nanoseconds));
    if (name == "After") return Value(json::value(mine > other->nanoseconds));
    if (name == "Equal") return Value(json::value(mine == other->nanoseconds));
    if (name == "Compare") return whole(mine < other->nanoseconds ? -1 : mine > other->nanoseconds ? 1 : 0);
    std::int64_t between = 0;
    if (name == "Sub" && !__builtin_sub_overflow(mine, other->nanoseconds, &between)) return duration_value(between);
  }
  if (wants(Kind::kDuration)) {
    std::int64_t sum = 0;
    if (is_time && name == "Add" && !__builtin_add_overflow(mine, other->nanoseconds, &sum)) return time_value(sum);
    if (!is_time && name == "Round") return duration_value(to_multiple(mine, other->nanoseconds, true));
    if (!is_time && name == "Truncate") return duration_value(to_multiple(mine, other->nanoseconds, false));
  }
  return refuse(fmt::format("wrong type of argument for {}", name));
}

}  // namespace

std::string format_go_time(std::int64_t nanoseconds, std::string_view layout) {
  const Pieces pieces(nanoseconds);
  std::string out;
  while (!layout.empty()) {
    std::size_t taken = fraction_layout(layout);
    if (taken > 0) {
      out += write_fraction(layout.substr(0, taken), pieces.nanosecond);
    } else if (const auto* element = element_at(layout)) {
      out += element->write(pieces);
      taken = element->layout.size();
    } else {
      out += layout.front();
      taken = 1;
    }
    layout.remove_prefix(taken);
  }
  return out;
}

Value time_value(std::int64_t nanoseconds) {
  return Value::of_moment(print_time(nanoseconds), {Moment::Kind::kTime, nanoseconds});
}

Value duration_value(std::int64_t nanoseconds) {
  return Value::of_moment(print_duration(nanoseconds), {Moment::Kind::kDuration, nanoseconds});
}

Result<Value> method_of(const Moment& moment, const std::string& name, const Arguments& arguments) {
  const bool is_time = moment.kind == Moment::Kind::kTime;
  const auto find = [&](const auto& table) -> const Method* {
    const auto it = std::ranges::find(table, name, &Method::name);
    return it == table.end() ? nullptr : &*it;
  };
  const auto count = [&](std::size_t wanted) -> Status {
    if (arguments.size() == wanted) return {};
    return refuse(fmt::format("wrong number of args for {}: want {} got {}", name, wanted, arguments.size()));
  };
  if (const auto* method = is_time ? find(kOfTime) : find(kOfDuration)) {
    AT_TRY(count(0));
    return method->call(moment.nanoseconds);
  }
  if (is_time && name == "Format") {
    AT_TRY(count(1));
    const auto* layout = arguments[0]->if_string();
    if (layout == nullptr) return refuse("Format: the layout must be a string");
    return text(format_go_time(moment.nanoseconds, *layout));
  }
  constexpr std::array<std::string_view, 8> kWithOther = {"Before", "After", "Equal", "Compare",
                                                          "Sub",    "Add",   "Round", "Truncate"};
  if (std::ranges::find(kWithOther, name) != kWithOther.end()) {
    AT_TRY(count(1));
    return with_other(moment, name, arguments[0]);
  }
  return refuse(fmt::format("can't evaluate field {} in type {}", name, is_time ? "*time.Time" : "*time.Duration"));
}

}  // namespace atalaya::templates
