#include "api/sensor_flow.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "api/json.h"

namespace atalaya::api {
namespace {

using auth::Principal;

constexpr std::size_t kMaxId = 64;

json::object shown(const SensorFlow::Value& value) {
  json::object out{{"time", rfc3339(value.at)}};
  if (value.line)
    out["line"] = *value.line;
  else if (std::isfinite(value.value))
    out["value"] = value.value;
  else
    out["value"] = std::isnan(value.value) ? "NaN" : value.value > 0 ? "+Inf" : "-Inf";
  return out;
}

json::object shown(const std::string& id, const SensorFlow& flow) {
  json::array collected;
  for (const auto& one : flow.collected) {
    auto out = one.value ? shown(*one.value) : json::object();
    out["collector"] = one.collector;
    out["metric"] = one.metric;
    out["stream"] = one.stream;
    if (!one.problem.empty()) out["problem"] = one.problem;
    collected.push_back(std::move(out));
  }
  json::object given, problems;
  for (const auto& [stream, value] : flow.given) given[stream] = shown(value);
  for (const auto& [publisher, problem] : flow.problems) problems[publisher] = problem;
  return {{"id", id},
          {"state", flow.state},
          {"message", flow.message},
          {"values", flow.values},
          {"collected", std::move(collected)},
          {"given", std::move(given)},
          {"problems", std::move(problems)}};
}

/// The names between commas.
Result<std::vector<std::string_view>> ids_of(std::string_view text) {
  constexpr std::string_view kParameter = "parameter \"sensors\"";
  std::vector<std::string_view> out;
  while (!text.empty() && out.size() <= kMostSensorsAtOnce) {
    const auto id = text.substr(0, text.find(','));
    if (id.empty() || id.size() > kMaxId) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("{}: an id of {} bytes, it has 1 to {}", kParameter, id.size(), kMaxId));
    }
    out.push_back(id);
    text.remove_prefix(std::min(text.size(), id.size() + 1));
  }
  if (!out.empty() && out.size() <= kMostSensorsAtOnce) return out;
  return fail(ErrorCode::kInvalidArgument, fmt::format("{} names {}", kParameter, out.empty() ? "none" : "too many"),
              fmt::format("name 1 to {} ids of sensors with commas between them", kMostSensorsAtOnce));
}

Result<net::Response> flow(const FlowOf& flow_of, const Principal& who, const net::Request& request) {
  AT_TRY(const auto ids, ids_of(request.query.get("sensors")));
  json::array sensors;
  for (const auto id : ids) {
    const std::string name(id);
    if (const auto found = flow_of(who.tenant, name)) sensors.push_back(shown(name, *found));
  }
  return ok(json::object{{"sensors", std::move(sensors)}});
}

}  // namespace

void add_sensor_flow_routes(Doors& doors, FlowOf flow_of) {
  doors.add("GET", "~/sensors/flow", Need::kViewer,
            [flow_of = std::move(flow_of)](const Principal& who, net::Request& request) {
              return flow(flow_of, who, request);
            });
}

}  // namespace atalaya::api
