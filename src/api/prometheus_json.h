// Query results in the JSON that Prometheus' HTTP API documents.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "promql/engine.h"
#include "storage/exemplars.h"

namespace atalaya::api {

/// `{"resultType":…,"result":…}`; `at` is the instant of the evaluation.
std::string result_json(const promql::Value& value, Time at);
std::string result_json(const promql::Matrix& matrix);
/// Asked before a series is written to the answer so far, which is to have room for so many bytes more.
using MakeRoom = std::function<Status(std::string& out, std::size_t more)>;
/// The same; each series' samples go when they are written, which `gone` is told (bytes).
Result<std::string> result_json(promql::Matrix&& matrix, const MakeRoom& make_room,
                                const std::function<void(std::size_t)>& gone);
Result<std::string> result_json(promql::Value&& value, Time at, const MakeRoom& make_room,
                                const std::function<void(std::size_t)>& gone);
/// The elements of a vector (or the one of a scalar) as `[{"metric":{…},"value":"1.5"}, …]`.
std::string instant_vector_json(const promql::Value& value);
/// `[{"seriesLabels":{…},"exemplars":[{"labels":{…},"value":"0.67","timestamp":1520879607.789}]}, …]`.
std::string exemplars_json(const std::vector<storage::Exemplars::OfSeries>& found);

}  // namespace atalaya::api
