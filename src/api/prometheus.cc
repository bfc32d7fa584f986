#include "api/prometheus.h"

#include <fmt/format.h>

#include <set>

#include "api/json.h"
#include "api/parameters.h"
#include "api/prometheus_json.h"
#include "promql/engine.h"

namespace atalaya::api {
namespace {

using storage::SeriesQuerier;

constexpr std::size_t kMaxQueryBytes = 64 << 10;
constexpr std::string_view kForm = "application/x-www-form-urlencoded";

/// Parameters of the address, then those of a form body.
net::Parameters parameters_of(const net::Request& request) {
  auto all = request.query;
  if (request.method == "POST" && request.headers.get("Content-Type").starts_with(kForm)) {
    const auto form = net::Parameters::parse(request.body);
    for (const auto& [name, value] : form.fields()) all.add(name, value);
  }
  return all;
}

Result<Time> needed_time(const net::Parameters& parameters, std::string_view name) {
  if (!parameters.has(name)) return fail(ErrorCode::kInvalidArgument, fmt::format("parameter \"{}\" is missing", name));
  return time_parameter(parameters, name, Time{});
}

/// Prometheus takes both `15s` and `15`.
Result<Duration> duration_of(const net::Parameters& parameters, std::string_view name,
                             std::optional<Duration> fallback) {
  const auto text = parameters.get(name);
  if (text.empty()) {
    if (fallback) return *fallback;
    return fail(ErrorCode::kInvalidArgument, fmt::format("parameter \"{}\" is missing", name));
  }
  if (const auto seconds = parse_time(text)) return seconds->time_since_epoch();
  auto duration = parse_duration(text);
  if (!duration) return std::unexpected(wrong_parameter(name, duration.error()));
  return duration;
}

Result<promql::ExpressionPtr> expression_of(const net::Parameters& parameters) {
  const auto text = parameters.get("query");
  if (text.size() > kMaxQueryBytes) {
    return fail(ErrorCode::kTooLarge,
                fmt::format("the query has {} bytes; the limit is {}", text.size(), kMaxQueryBytes));
  }
  auto expression = promql::parse(text);
  if (!expression) return std::unexpected(wrong_parameter("query", expression.error()));
  return expression;
}

Result<promql::Limits> limits_of(const net::Parameters& parameters) {
  promql::Limits limits;
  AT_TRY(limits.lookback, duration_of(parameters, "lookback_delta", limits.lookback));
  if (limits.lookback <= Duration{0}) {
    return fail(ErrorCode::kInvalidArgument, "parameter \"lookback_delta\" must be longer than nothing");
  }
  return limits;
}

net::Response success(std::string data) {
  return net::Response::json(R"({"status":"success","data":)" + std::move(data) + "}");
}

Result<net::Response> query(const SeriesQuerier& series, const Clock& clock, const TenantId& tenant,
                            const net::Parameters& parameters) {
  AT_TRY(auto at, time_parameter(parameters, "time", clock.now()));
  AT_TRY(auto limits, limits_of(parameters));
  AT_TRY(auto expression, expression_of(parameters));
  AT_TRY(auto value, promql::Engine(series, limits).instant(tenant, *expression, at));
  return success(result_json(value));
}

Result<net::Response> query_range(const SeriesQuerier& series, const TenantId& tenant,
                                  const net::Parameters& parameters) {
  AT_TRY(auto from, needed_time(parameters, "start"));
  AT_TRY(auto to, needed_time(parameters, "end"));
  AT_TRY(auto step, duration_of(parameters, "step", {}));
  if (to < from) return fail(ErrorCode::kInvalidArgument, "parameter \"end\" is before \"start\"");
  AT_TRY(auto limits, limits_of(parameters));
  AT_TRY(auto expression, expression_of(parameters));
  AT_TRY(auto matrix, promql::Engine(series, limits).range(tenant, *expression, from, to, step));
  return success(result_json(matrix));
}

/// The `match[]` parameters; each is one selector.
Result<std::vector<Matchers>> selectors_of(const net::Parameters& parameters) {
  std::vector<Matchers> all;
  for (const auto& text : parameters.all("match[]")) {
    AT_TRY(auto selector, selector_parameter("match[]", text));
    all.push_back(std::move(selector));
  }
  return all;
}

json::array sorted(const std::set<std::string>& texts) { return json::array(texts.begin(), texts.end()); }

/// Calls `names` for each selector (or once for all series) and joins the answers.
template <typename Names>
Result<net::Response> union_of(const net::Parameters& parameters, Names names) {
  AT_TRY(auto selectors, selectors_of(parameters));
  if (selectors.empty()) selectors.emplace_back();
  std::set<std::string> found;
  for (const auto& selector : selectors) {
    for (auto& name : names(selector)) found.insert(std::move(name));
  }
  return success(json::serialize(sorted(found)));
}

Result<net::Response> list_series(const SeriesQuerier& series, const Clock& clock, const TenantId& tenant,
                                  const net::Parameters& parameters) {
  AT_TRY(auto selectors, selectors_of(parameters));
  if (selectors.empty()) return fail(ErrorCode::kInvalidArgument, "no match[] parameter provided");
  const Time now = clock.now();
  AT_TRY(auto from, time_parameter(parameters, "start", now - std::chrono::hours{1}));
  AT_TRY(auto to, time_parameter(parameters, "end", now));
  std::set<Labels> found;
  for (const auto& selector : selectors) {
    AT_TRY(auto selected, series.select(tenant, selector, {from, to}));
    for (const auto& one : selected) found.insert(*one.labels);
  }
  json::array out;
  for (const auto& labels : found) out.push_back(to_json(labels));
  return success(json::serialize(out));
}

}  // namespace

Result<net::Response> answer_query(const SeriesQuerier& series, const Clock& clock, const TenantId& tenant,
                                   const net::Request& request) {
  return query(series, clock, tenant, parameters_of(request));
}

Result<net::Response> answer_query_range(const SeriesQuerier& series, const TenantId& tenant,
                                         const net::Request& request) {
  return query_range(series, tenant, parameters_of(request));
}

void add_prometheus_routes(Doors& doors, const SeriesQuerier& series, const Clock& clock) {
  const auto both = [&](const std::string& pattern, auto action) {
    const auto door = [action](const auth::Principal& who, net::Request& request) {
      return action(who.tenant, parameters_of(request), request);
    };
    doors.add("GET", pattern, Need::kViewer, door);
    doors.add("POST", pattern, Need::kViewer, door);
  };
  both("/api/v1/query", [&](const TenantId& tenant, const net::Parameters& parameters, const net::Request&) {
    return query(series, clock, tenant, parameters);
  });
  both("/api/v1/query_range", [&](const TenantId& tenant, const net::Parameters& parameters, const net::Request&) {
    return query_range(series, tenant, parameters);
  });
  both("/api/v1/series", [&](const TenantId& tenant, const net::Parameters& parameters, const net::Request&) {
    return list_series(series, clock, tenant, parameters);
  });
  both("/api/v1/labels", [&](const TenantId& tenant, const net::Parameters& parameters, const net::Request&) {
    return union_of(parameters, [&](const Matchers& m) { return series.label_names(tenant, m); });
  });
  doors.add("GET", "/api/v1/label/{name}/values", Need::kViewer,
            [&](const auth::Principal& who, net::Request& request) {
              const auto name = request.captures.get("name");
              return union_of(parameters_of(request),
                              [&](const Matchers& m) { return series.label_values(who.tenant, name, m); });
            });
}

}  // namespace atalaya::api
