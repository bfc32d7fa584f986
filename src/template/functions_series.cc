// Functions of rule files: on the result of a query, on addresses of queries, on time.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/time.h"
#include "template/functions.h"

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

/// As Go prints a duration: `2h10m15s`, `1.5s`, `250ms`, `0s`.
Result<Value> to_duration(const CallContext&, const Arguments& a) {
  AT_TRY(const double seconds, convert_to_number(*a[0]));
  if (!std::isfinite(seconds) || std::abs(seconds) > 9.2e9) {
    return refuse(fmt::format("{} is no duration", print_number(seconds)));
  }
  const auto nanos = static_cast<std::int64_t>(std::llround(std::abs(seconds) * 1e9));
  const std::string_view sign = seconds < 0 ? "-" : "";
  constexpr std::int64_t kSecond = 1'000'000'000;
  const auto of = [](std::int64_t count, std::int64_t unit) {
    return print_number(static_cast<double>(count) / static_cast<double>(unit));
  };
  if (nanos == 0) return text_value("0s");
  if (nanos < 1'000) return text_value(fmt::format("{}{}ns", sign, nanos));
  if (nanos < 1'000'000) return text_value(fmt::format("{}{}µs", sign, of(nanos, 1'000)));
  if (nanos < kSecond) return text_value(fmt::format("{}{}ms", sign, of(nanos, 1'000'000)));
  const auto minutes = nanos / kSecond / 60;
  const auto rest = of(nanos - minutes * 60 * kSecond, kSecond);
  if (minutes == 0) return text_value(fmt::format("{}{}s", sign, rest));
  if (minutes < 60) return text_value(fmt::format("{}{}m{}s", sign, minutes, rest));
  return text_value(fmt::format("{}{}h{}m{}s", sign, minutes / 60, minutes % 60, rest));
}

constexpr std::array kTable = {
    Function{"first", 1, 1, first},
    Function{"label", 2, 2, label},
    Function{"value", 1, 1, value},
    Function{"strvalue", 1, 1, text_of_sample},
    Function{"sortByLabel", 2, 2, sort_by_label},
    Function{"urlQueryEscape", 1, 1, url_query_escape},
    Function{"graphLink", 1, 1, graph_link},
    Function{"tableLink", 1, 1, table_link},
    Function{"now", 0, 0, now},
    Function{"toDuration", 1, 1, to_duration},
};

}  // namespace

const Function* find_series_function(std::string_view name) {
  const auto it = std::ranges::find(kTable, name, &Function::name);
  return it == kTable.end() ? nullptr : &*it;
}

}  // namespace atalaya::templates
