// Query parameters that several routes read.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "model/matcher.h"
#include "net/http.h"

namespace atalaya::api {

/// RFC 3339 or Unix seconds; `fallback` when absent.
Result<Time> time_parameter(const net::Parameters& parameters, std::string_view name, Time fallback);
/// A whole number from 1 to `most`; `fallback` when absent.
Result<std::size_t> limit_parameter(const net::Parameters& parameters, std::size_t fallback, std::size_t most);
/// One selector in PromQL's notation, `{file="/var/log/x"}`; none when absent or `{}`.
Result<Matchers> match_parameter(std::string_view text);
/// One selector in PromQL's notation: a value of the parameter `name`, usually "match[]".
Result<Matchers> selector_parameter(std::string_view name, std::string_view text);
/// Puts line and column before what is wrong with an expression, as Prometheus tells it.
Error with_place(Error error);
/// Puts the name of the parameter before what was wrong with it.
Error wrong_parameter(std::string_view parameter, Error error);

}  // namespace atalaya::api
