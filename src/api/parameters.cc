#include "api/parameters.h"

#include <fmt/format.h>

#include <charconv>

#include "promql/ast.h"
#include "promql/engine.h"

namespace atalaya::api {

Error with_place(Error error) {
  if (error.place) error.message = fmt::format("{}:{}: {}", error.place->line, error.place->column, error.message);
  return error;
}

Error wrong_parameter(std::string_view parameter, Error error) {
  error.message = fmt::format("invalid parameter \"{}\": {}", parameter, error.message);
  return error;
}

Result<Time> time_parameter(const net::Parameters& parameters, std::string_view name, Time fallback) {
  const auto text = parameters.get(name);
  if (text.empty()) return fallback;
  auto time = parse_time(text);
  if (!time) return std::unexpected(wrong_parameter(name, time.error()));
  return time;
}

Result<std::size_t> limit_parameter(const net::Parameters& parameters, std::size_t fallback, std::size_t most) {
  const auto text = parameters.get("limit");
  if (text.empty()) return fallback;
  std::size_t limit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc{} || end != text.data() + text.size() || limit == 0 || limit > most) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("parameter \"limit\" must be a number from 1 to {}", most));
  }
  return limit;
}

namespace {

/// A plain instant selector: nothing around it, and no range or time of its own.
bool is_selector(const promql::Expression& expression) {
  return expression.kind == promql::Kind::kSelector && !expression.range && !expression.at &&
         !expression.offset.is_set() && expression.extension.empty();
}

}  // namespace

Result<Matchers> selector_parameter(std::string_view name, std::string_view text) {
  auto expression = promql::parse(text);
  if (!expression) return std::unexpected(wrong_parameter(name, with_place(std::move(expression).error())));
  if (!is_selector(**expression)) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("invalid parameter \"{}\": not a selector", name));
  }
  return (*expression)->matchers;
}

Result<Matchers> match_parameter(std::string_view text) {
  if (text.empty() || text == "{}") return Matchers{};
  auto expression = promql::parse(text);
  if (!expression) return std::unexpected(wrong_parameter("match", expression.error()));
  auto selectors = promql::selectors(**expression);
  if (selectors.size() != 1) {
    return fail(ErrorCode::kInvalidArgument,
                "invalid parameter \"match\": not a selector such as {file=\"/var/log/x\"}");
  }
  return selectors[0];
}

}  // namespace atalaya::api
