// Query results in the JSON that Prometheus' HTTP API documents.
#pragma once

#include <string>

#include "promql/engine.h"

namespace atalaya::api {

/// `{"resultType":…,"result":…}`; `at` is the instant of the evaluation.
std::string result_json(const promql::Value& value, Time at);
std::string result_json(const promql::Matrix& matrix);
/// The elements of a vector (or the one of a scalar) as `[{"metric":{…},"value":"1.5"}, …]`.
std::string instant_vector_json(const promql::Value& value);

}  // namespace atalaya::api
