#include "api/logs.h"

#include "api/json.h"
#include "api/parameters.h"

namespace atalaya::api {
namespace {

constexpr std::size_t kMaxLines = 5000;

Result<net::Response> query_logs(const storage::LogQuerier& logs, const TenantId& tenant,
                                 const net::Parameters& parameters) {
  storage::LogQuery query;
  AT_TRY(query.matchers, match_parameter(parameters.get("match")));
  query.contains = parameters.get("text");
  query.regex = parameters.get("regex");
  AT_TRY(query.range.from, time_parameter(parameters, "from", kMinTime));
  AT_TRY(query.range.to, time_parameter(parameters, "to", kMaxTime));
  AT_TRY(query.limit, limit_parameter(parameters, 500, kMaxLines));
  const auto direction = parameters.get("direction");
  if (!direction.empty() && direction != "backward" && direction != "forward") {
    return fail(ErrorCode::kInvalidArgument, "parameter \"direction\" must be backward or forward");
  }
  query.newest_first = direction != "forward";
  AT_TRY(auto found, logs.query(tenant, query));
  json::array lines;
  for (const auto& one : found) {
    lines.push_back(json::object{{"id", std::to_string(one.id)},
                                 {"time", rfc3339(one.record.time)},
                                 {"labels", to_json(one.record.labels)},
                                 {"line", one.record.line}});
  }
  return ok(json::object{{"logs", std::move(lines)}});
}

}  // namespace

void add_log_routes(Doors& doors, const storage::LogQuerier& logs) {
  doors.add_reading("logs", [&logs](const auth::Principal& who, net::Request& request) {
    return query_logs(logs, who.tenant, request.query);
  });
  doors.add("GET", "~/logs/labels/{name}/values", Need::kViewer,
            [&logs](const auth::Principal& who, net::Request& request) -> Result<net::Response> {
              json::array values;
              for (auto& value : logs.label_values(who.tenant, request.captures.get("name"))) {
                values.push_back(json::string(value));
              }
              return ok(json::object{{"values", std::move(values)}});
            });
}

}  // namespace atalaya::api
