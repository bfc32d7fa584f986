// Query results in the JSON that Prometheus' HTTP API documents.
#pragma once

#include <string>
#include <vector>

#include "promql/engine.h"
#include "storage/exemplars.h"

namespace atalaya::api {

/// `{"resultType":…,"result":…}`; `at` is the instant of the evaluation.
std::string result_json(const promql::Value& value, Time at);
std::string result_json(const promql::Matrix& matrix);
/// The elements of a vector (or the one of a scalar) as `[{"metric":{…},"value":"1.5"}, …]`.
std::string instant_vector_json(const promql::Value& value);
/// `[{"seriesLabels":{…},"exemplars":[{"labels":{…},"value":"0.67","timestamp":1520879607.789}]}, …]`.
std::string exemplars_json(const std::vector<storage::Exemplars::OfSeries>& found);

}  // namespace atalaya::api
