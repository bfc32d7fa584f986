#include "promql/functions.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>
#include <unordered_map>

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

std::optional<std::chrono::sys_seconds> instant(double v) {
  if (!(std::abs(v) < 6.7e10)) return std::nullopt;  // the years that a calendar of 16 bits can hold
  return std::chrono::sys_seconds{std::chrono::seconds{static_cast<std::int64_t>(v)}};
}
template <typename Part>
double date_part(double v, Part part) {
  const auto at = instant(v);
  if (!at) return std::numeric_limits<double>::quiet_NaN();
  const auto day = std::chrono::floor<std::chrono::days>(*at);
  return part(day, std::chrono::year_month_day{day}, *at - day);
}
double year(double v) {
  return date_part(v, [](auto, auto date, auto) { return double(int(date.year())); });
}
double month(double v) {
  return date_part(v, [](auto, auto date, auto) { return double(unsigned(date.month())); });
}
double day_of_month(double v) {
  return date_part(v, [](auto, auto date, auto) { return double(unsigned(date.day())); });
}
double day_of_week(double v) {
  return date_part(v, [](auto day, auto, auto) { return double(std::chrono::weekday{day}.c_encoding()); });
}
double day_of_year(double v) {
  return date_part(v, [](auto day, auto date, auto) {
    const std::chrono::sys_days first{date.year() / std::chrono::January / 1};
    return double((day - first).count() + 1);
  });
}
double days_in_month(double v) {
  return date_part(v, [](auto, auto date, auto) {
    return double(unsigned((date.year() / date.month() / std::chrono::last).day()));
  });
}
double hour(double v) {
  return date_part(v, [](auto, auto, auto rest) { return double(rest.count() / 3600); });
}
double minute(double v) {
  return date_part(v, [](auto, auto, auto rest) { return double(rest.count() / 60 % 60); });
}

F element(std::string_view name, double (*f)(double)) { return F{.name = name, .args = {kV}, .element = f}; }
F date(std::string_view name, double (*f)(double)) {
  return F{.name = name, .args = {kV}, .variadic = 1, .element = f};
}
F window(std::string_view name, std::optional<double> (*f)(const Window&), bool keeps_name = false) {
  return F{.name = name, .args = {kM}, .window = f, .keeps_name = keeps_name};
}
F special(std::string_view name, ValueType result, std::vector<ValueType> args, S what, int variadic = 0,
          bool keeps_name = false) {
  return F{.name = name,
           .result = result,
           .args = std::move(args),
           .variadic = variadic,
           .special = what,
           .keeps_name = keeps_name};
}
/// Known, so that a call is checked; not evaluated by this version.
F unknown(std::string_view name, std::vector<ValueType> args, int variadic = 0, ValueType result = kV) {
  return F{.name = name, .result = result, .args = std::move(args), .variadic = variadic};
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

std::vector<F> windowed() {
  return {
      window("rate", rate),
      window("increase", increase),
      window("delta", delta),
      window("irate", irate),
      window("idelta", idelta),
      window("deriv", deriv),
      window("changes", changes),
      window("resets", resets),
      window("sum_over_time", sum_over_time),
      window("avg_over_time", avg_over_time),
      window("min_over_time", min_over_time),
      window("max_over_time", max_over_time),
      window("count_over_time", count_over_time),
      window("present_over_time", present_over_time),
      window("last_over_time", last_over_time, true),
      window("first_over_time", first_over_time, true),
      window("stddev_over_time", stddev_over_time),
      window("stdvar_over_time", stdvar_over_time),
  };
}

std::vector<F> specials() {
  return {
      special("time", kS, {}, S::kTime),
      special("pi", kS, {}, S::kPi),
      special("scalar", kS, {kV}, S::kScalar),
      special("vector", kV, {kS}, S::kVector),
      special("absent", kV, {kV}, S::kAbsent),
      special("absent_over_time", kV, {kM}, S::kAbsentOverTime),
      special("timestamp", kV, {kV}, S::kTimestamp),
      special("sort", kV, {kV}, S::kSort, 0, true),
      special("sort_desc", kV, {kV}, S::kSortDescending, 0, true),
      special("clamp", kV, {kV, kS, kS}, S::kClamp),
      special("clamp_min", kV, {kV, kS}, S::kClampMin),
      special("clamp_max", kV, {kV, kS}, S::kClampMax),
      special("round", kV, {kV, kS}, S::kRound, 1),
      special("quantile_over_time", kV, {kS, kM}, S::kQuantileOverTime),
      special("predict_linear", kV, {kM, kS}, S::kPredictLinear),
  };
}

std::vector<F> only_checked() {
  return {
      unknown("double_exponential_smoothing", {kM, kS, kS}),
      unknown("end", {}, 0, kS),
      unknown("histogram_avg", {kV}),
      unknown("histogram_count", {kV}),
      unknown("histogram_fraction", {kS, kS, kV}),
      unknown("histogram_quantile", {kS, kV}),
      unknown("histogram_quantiles", {kV, kT, kS}, 9),
      unknown("histogram_stddev", {kV}),
      unknown("histogram_stdvar", {kV}),
      unknown("histogram_sum", {kV}),
      unknown("info", {kV, kV}, 1),
      unknown("label_join", {kV, kT, kT, kT}, -1),
      unknown("label_replace", {kV, kT, kT, kT, kT}),
      unknown("mad_over_time", {kM}),
      unknown("max_of", {kS, kS}, 0, kS),
      unknown("min_of", {kS, kS}, 0, kS),
      unknown("range", {}, 0, kS),
      unknown("sort_by_label", {kV, kT}, -1),
      unknown("sort_by_label_desc", {kV, kT}, -1),
      unknown("start", {}, 0, kS),
      unknown("step", {}, 0, kS),
      unknown("ts_of_first_over_time", {kM}),
      unknown("ts_of_last_over_time", {kM}),
      unknown("ts_of_max_over_time", {kM}),
      unknown("ts_of_min_over_time", {kM}),
  };
}

using Table = std::unordered_map<std::string_view, F>;
Table make_table() {
  Table table;
  for (auto* part : {&elementwise, &windowed, &specials, &only_checked}) {
    for (auto& function : part()) table.emplace(function.name, std::move(function));
  }
  return table;
}

}  // namespace

const Function* find_function(std::string_view name) {
  static const Table table = make_table();
  const auto it = table.find(name);
  return it == table.end() ? nullptr : &it->second;
}

double quantile(double q, std::vector<double> values) {
  constexpr auto kInf = std::numeric_limits<double>::infinity();
  if (values.empty() || std::isnan(q)) return std::numeric_limits<double>::quiet_NaN();
  if (q < 0) return -kInf;
  if (q > 1) return kInf;
  // NaN sorts first, as in Prometheus.
  std::sort(values.begin(), values.end(), [](double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; });
  const double rank = q * (static_cast<double>(values.size()) - 1);
  const auto lower = static_cast<std::size_t>(std::max(0.0, std::floor(rank)));
  const auto upper = std::min(values.size() - 1, lower + 1);
  const double weight = rank - std::floor(rank);
  return values[lower] * (1 - weight) + values[upper] * weight;
}

}  // namespace atalaya::promql
