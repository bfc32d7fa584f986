// Functions of rule files: on the result of a query, on addresses of queries, on time.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/time.h"
#include "template/functions.h"
#include "template/times.h"

namespace atalaya::templates {
namespace json = boost::json;
namespace {

std::unexpected<Error> refuse(std::string message) { return fail(ErrorCode::kUnprocessable, std::move(message)); }

Value text_value(std::string_view text) { return Value(json::string(text)); }

Result<Value> first(const CallContext&, const Arguments& a) {
  const auto* list = a[0]->if_array();
  if (list == nullptr || list->empty()) return refuse("first() called on vector with no elements");
  return a[0].part(list->front());
}

/// label name sample
Result<Value> label(const CallContext&, const Arguments& a) {
  AT_TRY(const auto labels, field(a[1], "Labels", {}));
  return field(labels, print(*a[0]), {});
}

Result<Value> value(const CallContext&, const Arguments& a) { return field(a[0], "Value", {}); }

/// The label that carries a text as the value of a series.
Result<Value> text_of_sample(const CallContext&, const Arguments& a) {
  AT_TRY(const auto labels, field(a[0], "Labels", {}));
  return field(labels, "__value__", {});
}

/// sortByLabel name vector
Result<Value> sort_by_label(const CallContext&, const Arguments& a) {
  if (a[1]->is_null()) return Value(json::array{});
  const auto* list = a[1]->if_array();
  if (list == nullptr) return refuse(fmt::format("sortByLabel: a list is wanted, not {}", type_name(*a[1])));
  const auto name = print(*a[0]);
  std::vector<std::pair<std::string, json::value>> keyed;
  for (const auto& item : *list) {
    AT_TRY(const auto labels, field(Value::within(item), "Labels", {}));
    AT_TRY(const auto text, field(labels, name, {}));
    keyed.emplace_back(print(*text), item);
  }
  std::ranges::stable_sort(keyed, [](const auto& x, const auto& y) { return x.first < y.first; });
  json::array out;
  for (auto& [key, item] : keyed) out.push_back(std::move(item));
  return Value(std::move(out));
}

Result<Value> url_query_escape(const CallContext&, const Arguments& a) {
  return text_value(query_escape(print(*a[0])));
}

Result<Value> graph_link(const CallContext&, const Arguments& a) {
  return text_value(fmt::format("/graph?g0.expr={}&g0.tab=0", query_escape(print(*a[0]))));
}

Result<Value> table_link(const CallContext&, const Arguments& a) {
  return text_value(fmt::format("/graph?g0.expr={}&g0.tab=1", query_escape(print(*a[0]))));
}

Result<Value> now(const CallContext& context, const Arguments&) {
  if (!context.now) return refuse("now: there is no time here");
  return Value(to_seconds(*context.now));
}

Result<Value> to_duration(const CallContext&, const Arguments& a) {
  AT_TRY(const double seconds, convert_to_number(*a[0]));
  AT_TRY(const auto nanoseconds, nanoseconds_of(seconds, "nanoseconds duration"));
  return duration_value(nanoseconds);
}

/// In whole milliseconds, as times of samples are.
Result<Value> to_time(const CallContext&, const Arguments& a) {
  AT_TRY(const double seconds, convert_to_number(*a[0]));
  AT_TRY(const auto nanoseconds, nanoseconds_of(seconds, "nanoseconds timestamp"));
  return time_value(whole_milliseconds(nanoseconds));
}

constexpr std::array kTable = {
    Function{"first", 1, 1, first},
    Function{"label", 2, 2, label},
    Function{"value", 1, 1, value},
    Function{"strvalue", 1, 1, text_of_sample},
    Function{"sortByLabel", 2, 2, sort_by_label},
    Function{"urlQueryEscape", 1, 1, url_query_escape, false, true},
    Function{"graphLink", 1, 1, graph_link, false, true},
    Function{"tableLink", 1, 1, table_link, false, true},
    Function{"now", 0, 0, now},
    Function{"toDuration", 1, 1, to_duration},
    Function{"toTime", 1, 1, to_time},
};

}  // namespace

Result<std::int64_t> nanoseconds_of(double seconds, std::string_view what) {
  constexpr double kMost = 9.223372036854775e18;
  if (!std::isfinite(seconds)) return refuse("value is NaN or Inf");
  if (std::abs(seconds * 1e9) > kMost) {
    return refuse(
        fmt::format("{} cannot be represented as a {} since it overflows int64", print_number(seconds), what));
  }
  return static_cast<std::int64_t>(seconds * 1e9);
}

const Function* find_series_function(std::string_view name) {
  const auto it = std::ranges::find(kTable, name, &Function::name);
  return it == kTable.end() ? nullptr : &*it;
}

}  // namespace atalaya::templates
