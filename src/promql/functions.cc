#include "promql/functions.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <unordered_map>

#include "promql/function_names.h"
#include "promql/window_functions.h"

namespace atalaya::promql {
namespace {

using F = Function;
using S = Function::Special;
constexpr auto kS = ValueType::kScalar;
constexpr auto kV = ValueType::kVector;
constexpr auto kM = ValueType::kMatrix;
constexpr auto kT = ValueType::kString;

double sign(double v) { return v < 0 ? -1 : v > 0 ? 1 : v; }
double degrees(double v) { return v * 180 / std::numbers::pi; }
double radians(double v) { return v * std::numbers::pi / 180; }

/// The calendar repeats itself every 400 years, and std::chrono counts no more than 2^15 years: a date is looked up
/// in the years 0 to 399 and then moved.
struct Instant {
  std::chrono::sys_days day;  ///< moved
  std::chrono::year_month_day date;
  std::int64_t years = 0;  ///< by so many
  std::int64_t second = 0;
};
template <typename Part>
double date_part(double v, Part part) {
  constexpr std::int64_t kDay = 86'400;
  constexpr std::int64_t kDaysOf400Years = 146'097;
  constexpr std::chrono::sys_days kYear0{std::chrono::year{0} / std::chrono::January / 1};
  if (!(std::abs(v) < 9.2e18)) return std::numeric_limits<double>::quiet_NaN();  // seconds in 64 bits
  const auto seconds = static_cast<std::int64_t>(v);
  const auto second = (seconds % kDay + kDay) % kDay;
  const auto day = (seconds - second) / kDay - kYear0.time_since_epoch().count();
  const auto within = (day % kDaysOf400Years + kDaysOf400Years) % kDaysOf400Years;
  const auto moved = kYear0 + std::chrono::days{within};
  return part(Instant{moved, moved, (day - within) / kDaysOf400Years * 400, second});
}
double year(double v) {
  return date_part(v, [](const Instant& at) { return double(int(at.date.year()) + at.years); });
}
double month(double v) {
  return date_part(v, [](const Instant& at) { return double(unsigned(at.date.month())); });
}
double day_of_month(double v) {
  return date_part(v, [](const Instant& at) { return double(unsigned(at.date.day())); });
}
double day_of_week(double v) {
  return date_part(v, [](const Instant& at) { return double(std::chrono::weekday{at.day}.c_encoding()); });
}
double day_of_year(double v) {
  return date_part(v, [](const Instant& at) {
    const std::chrono::sys_days first{at.date.year() / std::chrono::January / 1};
    return double((at.day - first).count() + 1);
  });
}
double days_in_month(double v) {
  return date_part(v, [](const Instant& at) {
    return double(unsigned((at.date.year() / at.date.month() / std::chrono::last).day()));
  });
}
double hour(double v) {
  return date_part(v, [](const Instant& at) { return double(at.second / 3600); });
}
double minute(double v) {
  return date_part(v, [](const Instant& at) { return double(at.second / 60 % 60); });
}

F element(std::string_view name, double (*f)(double)) { return F{.name = name, .args = {kV}, .element = f}; }
F date(std::string_view name, double (*f)(double)) {
  return F{.name = name, .args = {kV}, .variadic = 1, .element = f, .reads_clock = true};
}
F special(std::string_view name, ValueType result, std::vector<ValueType> args, S what, int variadic = 0) {
  return F{.name = name, .result = result, .args = std::move(args), .variadic = variadic, .special = what};
}
F of_time(std::string_view name, ValueType result, std::vector<ValueType> args, S what) {
  F out = special(name, result, std::move(args), what);
  out.reads_clock = true;
  return out;
}

std::vector<F> elementwise() {
  return {
      element("abs", [](double v) { return std::fabs(v); }),
      element("ceil", [](double v) { return std::ceil(v); }),
      element("floor", [](double v) { return std::floor(v); }),
      element("exp", [](double v) { return std::exp(v); }),
      element("sqrt", [](double v) { return std::sqrt(v); }),
      element("ln", [](double v) { return std::log(v); }),
      element("log2", [](double v) { return std::log2(v); }),
      element("log10", [](double v) { return std::log10(v); }),
      element("sgn", sign),
      element("acos", [](double v) { return std::acos(v); }),
      element("acosh", [](double v) { return std::acosh(v); }),
      element("asin", [](double v) { return std::asin(v); }),
      element("asinh", [](double v) { return std::asinh(v); }),
      element("atan", [](double v) { return std::atan(v); }),
      element("atanh", [](double v) { return std::atanh(v); }),
      element("cos", [](double v) { return std::cos(v); }),
      element("cosh", [](double v) { return std::cosh(v); }),
      element("sin", [](double v) { return std::sin(v); }),
      element("sinh", [](double v) { return std::sinh(v); }),
      element("tan", [](double v) { return std::tan(v); }),
      element("tanh", [](double v) { return std::tanh(v); }),
      element("deg", degrees),
      element("rad", radians),
      date("year", year),
      date("month", month),
      date("day_of_month", day_of_month),
      date("day_of_week", day_of_week),
      date("day_of_year", day_of_year),
      date("days_in_month", days_in_month),
      date("hour", hour),
      date("minute", minute),
  };
}

std::vector<F> specials() {
  return {
      of_time("time", kS, {}, S::kTime),
      of_time("timestamp", kV, {kV}, S::kTimestamp),
      special("pi", kS, {}, S::kPi),
      of_time("start", kS, {}, S::kStart),
      of_time("end", kS, {}, S::kEnd),
      of_time("range", kS, {}, S::kRange),
      of_time("step", kS, {}, S::kStep),
      special("scalar", kS, {kV}, S::kScalar),
      special("vector", kV, {kS}, S::kVector),
      special("absent", kV, {kV}, S::kAbsent),
      special("absent_over_time", kV, {kM}, S::kAbsentOverTime),
      special("sort", kV, {kV}, S::kSort),
      special("sort_desc", kV, {kV}, S::kSortDescending),
      special("sort_by_label", kV, {kV, kT}, S::kSortByLabel, -1),
      special("sort_by_label_desc", kV, {kV, kT}, S::kSortByLabelDescending, -1),
      special("clamp", kV, {kV, kS, kS}, S::kClamp),
      special("clamp_min", kV, {kV, kS}, S::kClampMin),
      special("clamp_max", kV, {kV, kS}, S::kClampMax),
      special("round", kV, {kV, kS}, S::kRound, 1),
      special("label_replace", kV, {kV, kT, kT, kT, kT}, S::kLabelReplace),
      special("label_join", kV, {kV, kT, kT, kT}, S::kLabelJoin, -1),
      special("info", kV, {kV, kV}, S::kInfo, 1),
      special("histogram_quantile", kV, {kS, kV}, S::kHistogramQuantile),
      special("histogram_quantiles", kV, {kV, kT, kS, kS}, S::kHistogramQuantiles, 9),
      special("histogram_fraction", kV, {kS, kS, kV}, S::kHistogramFraction),
      special("histogram_count", kV, {kV}, S::kOfNativeHistograms),
      special("histogram_sum", kV, {kV}, S::kOfNativeHistograms),
      special("histogram_avg", kV, {kV}, S::kOfNativeHistograms),
      special("histogram_stddev", kV, {kV}, S::kOfNativeHistograms),
      special("histogram_stdvar", kV, {kV}, S::kOfNativeHistograms),
  };
}

using Table = std::unordered_map<std::string_view, F>;
Table make_table() {
  Table table;
  for (auto* part : {&elementwise, &window_functions, &specials}) {
    for (auto& function : part()) table.emplace(function.name, std::move(function));
  }
  return table;
}

}  // namespace

namespace {

const Table& table() {
  static const Table table = make_table();
  return table;
}

}  // namespace

const Function* find_function(std::string_view name) {
  const auto it = table().find(name);
  return it == table().end() ? nullptr : &it->second;
}

std::vector<std::string> function_names() {
  std::vector<std::string> out;
  for (const auto& [name, function] : table()) out.emplace_back(name);
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace atalaya::promql
