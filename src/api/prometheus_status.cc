#include "api/prometheus_status.h"

#include <unistd.h>

#include <array>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <thread>

#include "api/envelope.h"
#include "promql/function_names.h"

namespace atalaya::api {
namespace {

using Services = std::shared_ptr<const StatusServices>;

Status of_the_machine(const auth::Principal& who) {
  if (who.tenant == default_tenant()) return {};
  return fail(ErrorCode::kPermissionDenied, "this tells of the machine that all tenants share",
              "ask as the tenant default");
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

/// Clients insist on every name, also where it speaks of Go: threads for its routines, and no limits of its own.
json::object runtime(const StatusServices& s) {
  std::error_code ignored;
  const auto reload = s.reload();
  return {{"startTime", rfc3339(s.started)},
          {"CWD", std::filesystem::current_path(ignored).string()},
          {"hostname", host_name()},
          {"serverTime", rfc3339(s.clock.now())},
          {"reloadConfigSuccess", reload.success},
          {"lastConfigTime", rfc3339(reload.time)},
          {"corruptionCount", s.damaged},
          {"goroutineCount", s.threads()},
          {"GOMAXPROCS", std::thread::hardware_concurrency()},
          {"GOMEMLIMIT", INT64_MAX},
          {"GOGC", ""},
          {"GODEBUG", ""},
          {"storageRetention", s.retention}};
}

json::object build(const StatusServices& s) {
  return {{"version", kSpokenVersion},           {"revision", s.revision}, {"branch", ""},
          {"buildUser", "atalaya " + s.version}, {"buildDate", ""},        {"goVersion", ""}};
}

/// The log behind the last minutes is read as one piece after a start: it is there, or it is not yet.
json::object replay(const StatusServices& s) {
  return {{"min", 0}, {"max", 1}, {"current", s.series.complete_from() == kMinTime ? 1 : 0}};
}

json::array notifications(const StatusServices& s) {
  json::array out;
  const auto add = [&out](std::string text, Time since) {
    out.push_back(json::object{{"text", std::move(text)}, {"date", rfc3339(since)}, {"active", true}});
  };
  if (const auto reload = s.reload(); !reload.success) add("Configuration reload has failed.", reload.failed_at);
  if (const auto ready = s.ready(); !ready) add(ready.error().message, s.clock.now());
  return out;
}

template <typename Words>
json::object all_true(const Words& words) {
  json::object out;
  for (const auto& word : words) out[word] = true;
  return out;
}

/// In the categories and words of Prometheus, as far as they have a meaning here; false: not here.
json::object features() {
  using List = std::initializer_list<std::string_view>;
  json::object operators =
      all_true(List{"!=",       "!~",           "%",      "*",           "+",      "-",   "/",
                    "<",        "<=",           "==",     "=~",          ">",      ">=",  "@",
                    "^",        "and",          "atan2",  "or",          "unless", "avg", "bottomk",
                    "count",    "count_values", "group",  "limit_ratio", "limitk", "max", "min",
                    "quantile", "stddev",       "stdvar", "sum",         "topk"});
  auto promql = all_true(List{"anchored",
                              "at_modifier",
                              "bool",
                              "by",
                              "delayed_name_removal",
                              "duration_expr",
                              "experimental_functions",
                              "fill",
                              "fill_left",
                              "fill_right",
                              "group_left",
                              "group_right",
                              "ignoring",
                              "negative_offset",
                              "offset",
                              "on",
                              "per_query_lookback_delta",
                              "smoothed",
                              "subqueries",
                              "without"});
  for (const auto* absent : {"native_histograms", "per_step_stats", "type_and_unit_labels"}) promql[absent] = false;
  auto api =
      all_true(List{"admin", "exclude_alerts", "label_values_match", "lifecycle", "query_stats", "query_warnings",
                    "remote_read", "remote_write_receiver", "time_range_labels", "time_range_series"});
  api["otlp_write_receiver"] = false;
  return {
      {"api", std::move(api)},
      {"promql", std::move(promql)},
      {"promql_functions", all_true(promql::function_names())},
      {"promql_operators", std::move(operators)},
      {"rules", all_true(List{"keep_firing_for", "labels", "limit", "query_offset"})},
      {"scrape", all_true(List{"exemplars", "fallback_scrape_protocol", "relabeling", "track_timestamps_staleness"})},
      {"service_discovery_providers", all_true(List{"file", "http", "static"})},
      {"tsdb", all_true(List{"delete_series", "exemplars", "out_of_order", "snapshot"})}};
}

}  // namespace

void add_prometheus_status_routes(Doors& doors, StatusServices given) {
  const auto services = std::make_shared<const StatusServices>(std::move(given));
  const auto add = [&](const std::string& path, auto answer) {
    doors.add("GET", "/api/v1/" + path, Need::kViewer,
              [services, answer](const auth::Principal& who, net::Request&) -> Result<net::Response> {
                return answer(*services, who);
              });
  };
  using Who = auth::Principal;
  using Answer = Result<net::Response>;
  add("status/config", [](const StatusServices& s, const Who& who) -> Answer {
    AT_TRY(of_the_machine(who));
    return prometheus_success(json::object{{"yaml", s.configuration}});
  });
  add("status/flags", [](const StatusServices& s, const Who& who) -> Answer {
    AT_TRY(of_the_machine(who));
    return prometheus_success(json::value_from(s.flags));
  });
  add("status/runtimeinfo",
      [](const StatusServices& s, const Who&) -> Answer { return prometheus_success(runtime(s)); });
  add("status/buildinfo", [](const StatusServices& s, const Who&) -> Answer { return prometheus_success(build(s)); });
  add("status/walreplay", [](const StatusServices& s, const Who&) -> Answer { return prometheus_success(replay(s)); });
  add("features", [](const StatusServices&, const Who&) -> Answer { return prometheus_success(features()); });
  // Alerts leave by channels: there is no Alertmanager behind this server.
  add("alertmanagers", [](const StatusServices&, const Who&) -> Answer {
    return prometheus_success(
        json::object{{"activeAlertmanagers", json::array{}}, {"droppedAlertmanagers", json::array{}}});
  });
  add("notifications",
      [](const StatusServices& s, const Who&) -> Answer { return prometheus_success(notifications(s)); });
  add("openapi.yaml", [](const StatusServices& s, const Who&) -> Answer {
    auto response = net::Response::text(std::string(s.api_document));
    response.headers.set("Content-Type", "application/yaml");
    return response;
  });
}

}  // namespace atalaya::api
