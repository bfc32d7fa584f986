// What every answer of Prometheus' API has around it, and the parameters of its requests.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/json.h"
#include "base/result.h"
#include "base/time.h"
#include "model/matcher.h"
#include "net/http.h"
#include "promql/annotations.h"
#include "storage/series.h"

namespace atalaya::api {

/// `{"status":"success","data":…}`, with `warnings` and `infos` where there are any.
net::Response prometheus_success(std::string data, const promql::Annotations& notes = {});
net::Response prometheus_success(const json::value& data, const promql::Annotations& notes = {});
/// The annotation of a list that was cut.
constexpr std::string_view kTruncated = "results truncated due to limit";

/// Parameters of the address, then those of a form body.
net::Parameters prometheus_parameters(const net::Request& request);

/// RFC 3339, Unix seconds with decimals, or one of the two texts by which Go's clients mean all of time. Held within
/// kEarliest and kLatest, so that lookbacks and offsets stay within what a Time holds.
Result<Time> prometheus_time(std::string_view name, std::string_view text);
constexpr Time kEarliest{Duration{-4'000'000'000'000'000'000}};
constexpr Time kLatest{Duration{4'000'000'000'000'000'000}};
/// Both `15s` and `15`; invalid_argument when absent.
Result<Duration> prometheus_duration(std::string_view name, std::string_view text);
/// 0, which is no limit, when absent.
Result<std::size_t> prometheus_limit(const net::Parameters& parameters, std::string_view name = "limit");
/// As Go writes them (`1`, `t`, `TRUE`, `false` …); false when empty.
Result<bool> prometheus_boolean(std::string_view name, std::string_view text);
/// `start` and `end`; all of time where they are absent.
Result<storage::TimeRange> prometheus_range(const net::Parameters& parameters);
/// The `match[]` parameters; each is one selector that refuses the empty value somewhere.
Result<std::vector<Matchers>> prometheus_selectors(const net::Parameters& parameters);

}  // namespace atalaya::api
