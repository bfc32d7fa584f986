#include "pages/functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "pages/markdown.h"
#include "promql/ast.h"
#include "promql/engine.h"
#include "template/html_escape.h"

namespace atalaya::pages {
namespace {

namespace json = boost::json;
using templates::Arguments;
using templates::print;
using templates::Value;

std::unexpected<Error> refuse(std::string message, std::string remedy) {
  return fail(ErrorCode::kUnprocessable, std::move(message), std::move(remedy));
}

json::object to_json(const Labels& labels) {
  json::object out;
  for (const auto& [name, value] : labels) out[name] = value;
  return out;
}

double seconds(Time time) { return static_cast<double>(to_ms(time)) / 1000; }

Result<Duration> duration(std::string_view function, const Value& value) {
  auto parsed = parse_duration(print(*value));
  if (!parsed || *parsed <= Duration{0}) {
    return refuse(fmt::format("{}: '{}' is no duration", function, print(*value).substr(0, 32)),
                  "write 30s, 5m or 1h30m");
  }
  return parsed;
}

/// What `widget` shows, by its kind: as in the items of dashboards.
Result<json::object> widget(const Arguments& a) {
  const auto kind = print(*a[0]);
  const auto what = print(*a[1]);
  const auto unit = a.size() > 3 ? print(*a[3]) : std::string();
  json::object shown;
  if (kind == "chart" || kind == "table") {
    shown["queries"] = json::array{json::object{{"expr", what}}};
  } else if (kind == "stat" || kind == "gauge" || kind == "states") {
    shown["expr"] = what;
  } else if (kind == "text") {
    shown["markdown"] = what;
  } else if (kind == "logs") {
    shown["match"] = what;
  } else if (kind == "alerts") {
    shown["text"] = what;
  } else if (kind == "topology") {
    shown["root"] = what;
  } else if (kind == "page") {
    shown["page"] = what;
  } else {
    return refuse(fmt::format("widget: '{}' is not a kind of widget for pages", kind.substr(0, 32)),
                  "use chart, stat, gauge, table, states, logs, alerts, topology, text or page");
  }
  static constexpr std::array<std::string_view, 4> kMeasured{"chart", "stat", "gauge", "table"};
  if (!unit.empty() && std::ranges::find(kMeasured, kind) != kMeasured.end()) shown["unit"] = unit;
  json::object out{{"title", a.size() > 2 ? print(*a[2]) : std::string()}};
  out[kind] = std::move(shown);
  return out;
}

using Constants = std::vector<const json::value*>;

const json::string* text_at(const Constants& arguments, std::size_t at) {
  return at < arguments.size() && arguments[at] != nullptr ? arguments[at]->if_string() : nullptr;
}

/// A query that is put together from data is known only when the page is made.
std::optional<templates::WrongArgument> check_promql(const Constants& arguments, std::size_t at, bool selector) {
  const auto* text = text_at(arguments, at);
  if (text == nullptr) return std::nullopt;
  const auto parsed = promql::parse(*text);
  if (!parsed) {
    auto error = parsed.error();
    if (error.remedy.empty())
      error.remedy = "the syntax is PromQL's (https://prometheus.io/docs/prometheus/latest/querying/basics/)";
    return templates::WrongArgument{at, std::move(error)};
  }
  if (!selector || ((*parsed)->kind == promql::Kind::kSelector && !(*parsed)->range)) return std::nullopt;
  return templates::WrongArgument{at,
                                  {ErrorCode::kInvalidArgument, "this is an expression, not a selector", std::nullopt,
                                   R"(write e.g. {file="/var/log/app.log"})"}};
}

std::optional<templates::WrongArgument> check_widget(const Constants& arguments) {
  const auto* kind = text_at(arguments, 0);
  const auto* what = text_at(arguments, 1);
  // Variables are put in by who shows the widget.
  if (kind == nullptr || what == nullptr || what->find('$') != json::string::npos) return std::nullopt;
  static constexpr std::array<std::string_view, 5> kQueried{"chart", "stat", "gauge", "table", "states"};
  if (std::ranges::find(kQueried, std::string_view(*kind)) != kQueried.end()) return check_promql(arguments, 1, false);
  return *kind == "logs" && !what->empty() ? check_promql(arguments, 1, true) : std::nullopt;
}

}  // namespace

const std::vector<templates::GivenFunction>& page_functions() {
  static const std::vector<templates::GivenFunction> functions{{"query", 1, 1},    {"range", 3, 3}, {"widget", 2, 4},
                                                               {"markdown", 1, 1}, {"arg", 1, 2},   {"items", 1, 1},
                                                               {"now", 0, 0}};
  return functions;
}

std::optional<templates::WrongArgument> check_call(std::string_view function, const Constants& arguments) {
  if (function == "query" || function == "range") return check_promql(arguments, 0, false);
  return function == "widget" ? check_widget(arguments) : std::nullopt;
}

std::string widget_element(const json::object& widget, std::string_view attributes) {
  return fmt::format("<at-widget{} spec=\"{}\"></at-widget>", attributes,
                     templates::escape_html(json::serialize(widget)));
}

Result<Value> PageFunctions::call(std::string_view name, const Arguments& a) {
  if (name == "query") return query(a);
  if (name == "range") return range(a);
  if (name == "widget") {
    AT_TRY(const auto shown, widget(a));
    return Value::markup(widget_element(shown));
  }
  if (name == "markdown") return Value::markup(markdown_to_html(print(*a[0])));
  if (name == "now") return Value(seconds(sources_.now));
  if (name == "items") {
    if (!sources_.items) return refuse("items: not available here", "");
    return Value(sources_.items(print(*a[0])));
  }
  auto given = sources_.argument ? sources_.argument(print(*a[0])) : std::nullopt;
  if (given) return Value(json::string(*given));
  return a.size() > 1 ? a[1] : Value(json::string());
}

Status PageFunctions::count_query() {
  if (++queries_ <= limits_.queries) return {};
  return fail(ErrorCode::kResourceExhausted, fmt::format("the page asks more than {} queries", limits_.queries),
              "ask for several series in one query and range over the answer");
}

Status PageFunctions::check_answer(const std::vector<QueriedSeries>& series) const {
  if (series.size() <= limits_.series) return {};
  return fail(ErrorCode::kResourceExhausted,
              fmt::format("a query answers {} series; the limit is {}", series.size(), limits_.series),
              "aggregate with sum by (…), or choose fewer");
}

Result<Value> PageFunctions::query(const Arguments& a) {
  AT_TRY(count_query());
  if (!sources_.query) return refuse("query: not available here", "");
  AT_TRY(const auto answer, sources_.query(print(*a[0])));
  AT_TRY(check_answer(answer));
  json::array out;
  for (const auto& series : answer) {
    if (series.samples.empty()) continue;
    const auto& sample = series.samples.back();
    out.push_back(
        json::object{{"labels", to_json(series.labels)}, {"value", sample.value}, {"time", seconds(sample.time)}});
  }
  return Value(std::move(out));
}

Result<Value> PageFunctions::range(const Arguments& a) {
  AT_TRY(count_query());
  if (!sources_.range) return refuse("range: not available here", "");
  AT_TRY(const auto length, duration("range", a[1]));
  AT_TRY(const auto step, duration("range", a[2]));
  AT_TRY(const auto answer, sources_.range(print(*a[0]), sources_.now - length, sources_.now, step));
  AT_TRY(check_answer(answer));
  json::array out;
  for (const auto& series : answer) {
    json::array values;
    for (const auto& [time, value] : series.samples) {
      values.push_back(json::object{{"value", value}, {"time", seconds(time)}});
    }
    out.push_back(json::object{{"labels", to_json(series.labels)}, {"values", std::move(values)}});
  }
  return Value(std::move(out));
}

}  // namespace atalaya::pages
