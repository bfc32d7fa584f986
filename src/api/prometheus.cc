#include "api/prometheus.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "api/envelope.h"
#include "api/parameters.h"
#include "api/prometheus_json.h"
#include "api/prometheus_labels.h"
#include "api/syntax_json.h"
#include "promql/ast.h"
#include "promql/pretty.h"

namespace atalaya::api {
namespace {

using storage::SeriesQuerier;

constexpr std::size_t kMaxQueryBytes = 1 << 20;  // as the parser

Result<promql::ExpressionPtr> expression_of(const net::Parameters& parameters) {
  const auto text = parameters.get("query");
  if (text.size() > kMaxQueryBytes) {
    return fail(ErrorCode::kTooLarge,
                fmt::format("the query has {} bytes; the limit is {}", text.size(), kMaxQueryBytes));
  }
  auto expression = promql::parse(text);
  if (expression) return expression;
  return std::unexpected(wrong_parameter("query", with_place(std::move(expression).error())));
}

std::unexpected<Error> wrong(std::string_view parameter, std::string message) {
  return std::unexpected(
      wrong_parameter(parameter, Error{ErrorCode::kInvalidArgument, std::move(message), std::nullopt, ""}));
}

/// One request to evaluate: its parameters, the time that it has, and what is told beside the value.
class Query {
 public:
  Query(const SeriesQuerier& series, const Clock& clock, const net::Request& request, const QueryOptions& options)
      : clock_(clock),
        request_(request),
        parameters_(prometheus_parameters(request)),
        limits_(options.limits),
        timeout_(options.timeout),
        started_(clock.steady()),
        series_(series) {
    if (options.memory) memory_.emplace(*options.memory);
    limits_.max_points_per_series = kMaxSteps + 1;
  }

  Result<net::Response> instant(const TenantId& tenant) {
    AT_TRY(const auto limit, prometheus_limit(parameters_));
    AT_TRY(const auto at, time("time", clock_.now()));
    AT_TRY(const auto expression, common());
    AT_TRY(wait_is_over());
    auto value = promql::Engine(series_, limits_).instant(tenant, *expression, at, {}, conditions());
    if (!value) return std::unexpected(of_evaluation(std::move(value).error()));
    evaluated_ = clock_.steady();
    if (auto* vector = std::get_if<promql::Vector>(&*value)) cut(*vector, limit);
    if (auto* matrix = std::get_if<promql::Matrix>(&*value)) cut(*matrix, limit);
    AT_TRY(auto result, result_json(std::move(*value), at, body_grows(), samples_go()));
    return answer(std::move(result));
  }

  Result<net::Response> range(const TenantId& tenant) {
    AT_TRY(const auto limit, prometheus_limit(parameters_));
    AT_TRY(const auto from, prometheus_time("start", parameters_.get("start")));
    AT_TRY(const auto to, prometheus_time("end", parameters_.get("end")));
    if (to < from) return wrong("end", "end timestamp must not be before start time");
    AT_TRY(const auto step, prometheus_duration("step", parameters_.get("step")));
    if (step <= Duration{0}) {
      return wrong("step", "zero or negative query resolution step widths are not accepted. Try a positive integer");
    }
    if ((to - from) / step > static_cast<std::int64_t>(kMaxSteps)) {
      return fail(ErrorCode::kInvalidArgument,
                  "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution "
                  "(?step=XX)");
    }
    AT_TRY(const auto expression, common());
    if (expression->type != promql::ValueType::kScalar && expression->type != promql::ValueType::kVector) {
      return wrong("query", fmt::format("invalid expression type \"{}\" for range query, must be Scalar or instant "
                                        "Vector",
                                        promql::name(expression->type)));
    }
    AT_TRY(wait_is_over());
    auto matrix = promql::Engine(series_, limits_).range(tenant, *expression, from, to, step, conditions());
    if (!matrix) return std::unexpected(of_evaluation(std::move(matrix).error()));
    evaluated_ = clock_.steady();
    cut(*matrix, limit);
    AT_TRY(auto result, result_json(std::move(*matrix), body_grows(), samples_go()));
    return answer(std::move(result));
  }

 private:
  Result<Time> time(std::string_view name, Time fallback) const {
    const auto text = parameters_.get(name);
    if (text.empty()) return fallback;
    return prometheus_time(name, text);
  }

  Result<promql::ExpressionPtr> common() {
    if (const auto text = parameters_.get("timeout"); !text.empty()) {
      AT_TRY(const auto asked, prometheus_duration("timeout", text));
      timeout_ = std::min(timeout_, asked);
    }
    if (const auto text = parameters_.get("lookback_delta"); !text.empty()) {
      AT_TRY(const auto asked, prometheus_duration("lookback_delta", text));
      if (asked > Duration{0}) limits_.lookback = asked;
    }
    return expression_of(parameters_);
  }

  /// The time in the queue counts.
  Steady deadline() const { return (request_.arrived == Steady{} ? started_ : request_.arrived) + timeout_; }

  Status wait_is_over() const {
    if (request_.gone.stop_requested()) return fail(ErrorCode::kCancelled, "query was canceled in query queue");
    if (clock_.steady() >= deadline()) return fail(ErrorCode::kDeadlineExceeded, "query timed out in query queue");
    return {};
  }

  promql::Conditions conditions() {
    return {.annotations = &notes_,
            .stop = request_.gone,
            .clock = &clock_,
            .deadline = deadline(),
            .memory = memory_ ? &*memory_ : nullptr,
            .statistics = tells_statistics() ? &statistics_ : nullptr};
  }

  /// Also whether anybody still waits for it.
  MakeRoom body_grows() {
    return [this](std::string& body, std::size_t more) -> Status {
      constexpr std::size_t kAround = 512;  // the envelope
      if (request_.gone.stop_requested()) return fail(ErrorCode::kCancelled, "query was canceled in query execution");
      if (clock_.steady() >= deadline())
        return fail(ErrorCode::kDeadlineExceeded, "query timed out in query execution");
      if (body.size() + more + kAround <= body.capacity()) return {};
      const auto before = body.capacity();
      const auto wanted = std::max(body.size() + more + kAround, 2 * before);  // as the string would
      if (memory_) AT_TRY(memory_->take(wanted));
      body.reserve(wanted);
      if (memory_ && !body.empty()) memory_->give_back(before);
      return {};
    };
  }
  std::function<void(std::size_t)> samples_go() {
    return [this](std::size_t bytes) {
      if (memory_) memory_->give_back(std::min<std::uint64_t>(bytes, memory_->held()));
    };
  }

  bool tells_statistics() const { return !parameters_.get("stats").empty(); }

  /// The request was understood: what evaluation finds wrong is about the data.
  static Error of_evaluation(Error error) {
    if (error.code == ErrorCode::kInvalidArgument) error.code = ErrorCode::kUnprocessable;
    return error;
  }

  template <typename List>
  void cut(List& list, std::size_t limit) {
    if (limit == 0 || list.size() <= limit) return;
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(limit), list.end());
    notes_.warnings.emplace_back(kTruncated);
  }

  Result<net::Response> answer(std::string result) const {
    if (tells_statistics()) {
      result.pop_back();
      result += fmt::format(",\"stats\":{}}}", json::serialize(statistics()));
    }
    return prometheus_success(std::move(result), notes_);
  }

  json::object statistics() const {
    using Seconds = std::chrono::duration<double>;
    const auto seconds = [](Steady from, Steady to) { return Seconds(to - from).count(); };
    const auto arrived = request_.arrived == Steady{} ? started_ : request_.arrived;
    const auto evaluating = seconds(started_, evaluated_);
    const auto looking_up = Seconds(statistics_.looking_up).count();
    const auto sorting = Seconds(statistics_.sorting).count();
    return {{"timings", json::object{{"evalTotalTime", evaluating},
                                     {"resultSortTime", sorting},
                                     {"queryPreparationTime", looking_up},
                                     {"innerEvalTime", std::max(0.0, evaluating - looking_up - sorting)},
                                     {"execQueueTime", seconds(arrived, started_)},
                                     {"execTotalTime", seconds(arrived, evaluated_)}}},
            {"samples",
             json::object{{"totalQueryableSamples", statistics_.samples}, {"peakSamples", statistics_.most_samples}}}};
  }

  const Clock& clock_;
  const net::Request& request_;
  const net::Parameters parameters_;
  promql::Limits limits_;
  Duration timeout_;
  const Steady started_;
  Steady evaluated_{};
  const SeriesQuerier& series_;
  promql::Annotations notes_;
  promql::Statistics statistics_;
  std::optional<telemetry::QueryMemory::Share> memory_;  ///< none: nobody counts
};

Result<net::Response> format_query(const net::Request& request) {
  AT_TRY(const auto expression, expression_of(prometheus_parameters(request)));
  return prometheus_success(json::value(promql::prettify(*expression)));
}

Result<net::Response> parse_query(const net::Request& request) {
  AT_TRY(const auto expression, expression_of(prometheus_parameters(request)));
  return prometheus_success(syntax_json(*expression));
}

/// Of the series that the query's selectors match, whatever it makes of them.
Result<net::Response> query_exemplars(const storage::Exemplars* exemplars, const TenantId& tenant,
                                      const net::Request& request) {
  const auto parameters = prometheus_parameters(request);
  AT_TRY(const auto range, prometheus_range(parameters));
  if (range.to < range.from) {
    return fail(ErrorCode::kInvalidArgument, "end timestamp must not be before start timestamp");
  }
  AT_TRY(const auto expression, expression_of(parameters));
  const auto selectors = promql::selectors(*expression);
  if (selectors.empty()) return net::Response::empty(204);  // nothing is asked, and Prometheus answers nothing
  if (exemplars == nullptr) return prometheus_success(json::array{});
  return prometheus_success(exemplars_json(exemplars->select(tenant, selectors, range)));
}

}  // namespace

Result<net::Response> answer_query(const SeriesQuerier& series, const Clock& clock, const TenantId& tenant,
                                   const net::Request& request, const QueryOptions& options) {
  return Query(series, clock, request, options).instant(tenant);
}

Result<net::Response> answer_query_range(const SeriesQuerier& series, const Clock& clock, const TenantId& tenant,
                                         const net::Request& request, const QueryOptions& options) {
  return Query(series, clock, request, options).range(tenant);
}

void add_prometheus_routes(Doors& doors, const PrometheusRoutes& routes) {
  const auto both = [&](const std::string& pattern, const Action& action) {
    for (const auto* method : {"GET", "POST"}) doors.add_slow(method, pattern, Need::kViewer, routes.workers, action);
  };
  const auto door = [](auto answer) -> Action {
    return [answer](const auth::Principal&, net::Request& request) { return answer(request); };
  };
  both("/api/v1/query", [routes](const auth::Principal& who, net::Request& request) {
    return answer_query(routes.series, routes.clock, who.tenant, request, routes.options);
  });
  both("/api/v1/query_range", [routes](const auth::Principal& who, net::Request& request) {
    return answer_query_range(routes.series, routes.clock, who.tenant, request, routes.options);
  });
  both("/api/v1/series", [routes](const auth::Principal& who, net::Request& request) {
    return answer_series(routes.series, who.tenant, request, routes.options.memory);
  });
  both("/api/v1/labels", [routes](const auth::Principal& who, net::Request& request) {
    return answer_label_names(routes.series, routes.clock, who.tenant, request, routes.options.memory);
  });
  doors.add_slow("GET", "/api/v1/label/{name}/values", Need::kViewer, routes.workers,
                 [routes](const auth::Principal& who, net::Request& request) {
                   return answer_label_values(routes.series, routes.clock, who.tenant, request, routes.options.memory);
                 });
  both("/api/v1/query_exemplars", [exemplars = routes.exemplars](const auth::Principal& who, net::Request& request) {
    return query_exemplars(exemplars, who.tenant, request);
  });
  both("/api/v1/format_query", door(format_query));
  both("/api/v1/parse_query", door(parse_query));
}

}  // namespace atalaya::api
