// What Alerta's clients ask of the server itself.
#include "api/alerta_json.h"

namespace atalaya::api::alerta {
namespace {

using auth::Principal;

/// The Alerta whose API this is.
constexpr std::string_view kSpokenAlerta = "8.7.0";

json::object severities() {
  json::object out;
  for (const std::string_view word : {"security", "critical", "major", "minor", "warning", "indeterminate",
                                      "informational", "normal", "ok", "cleared", "debug", "trace", "unknown"}) {
    out[word] = alerts::severity_rank(word).value_or(0);
  }
  return out;
}

/// What the web UI of Alerta draws severities in.
json::object colors() {
  json::object out{{"security", "blue"},       {"critical", "red"},       {"major", "orange"},
                   {"minor", "yellow"},        {"warning", "dodgerblue"}, {"indeterminate", "lightblue"},
                   {"informational", "green"}, {"normal", "green"},       {"ok", "green"},
                   {"cleared", "green"},       {"debug", "purple"},       {"trace", "slategray"},
                   {"unknown", "silver"}};
  return {{"severity", std::move(out)}, {"text", "black"}};
}

/// Letters by which clients sort.
json::object statuses() {
  return {{"open", "A"},     {"assign", "B"}, {"ack", "C"},     {"shelved", "D"},
          {"blackout", "E"}, {"closed", "F"}, {"expired", "G"}, {"unknown", "H"}};
}

/// What its web UI does without, as nobody configures it.
json::object appearance() {
  return {{"dates", json::object{{"shortTime", "HH:mm"},
                                 {"mediumDate", "ddd D MMM HH:mm"},
                                 {"longDate", "ddd D MMM, YYYY HH:mm:ss.SSS Z"}}},
          {"font", json::object{{"font-family", "sans-serif"}, {"font-size", "13px"}, {"font-weight", 500}}},
          {"audio", json::object{{"new", nullptr}}},
          {"columns", json::array{"severity", "status", "lastReceiveTime", "duplicateCount", "environment", "service",
                                  "resource", "event", "value", "text"}},
          {"filter", json::object{{"status", json::array{"open", "ack"}}}},
          {"indicators", json::object{{"severity", json::array{"critical", "major", "minor", "warning"}},
                                      {"queries", json::array{}}}},
          {"actions", json::array{}},
          {"site_logo_url", ""},
          {"tracking_id", nullptr},
          {"refresh_interval", 5000}};
}

net::Response config(const AlertaServices& s) {
  const auto alert = s.alert_timeout / std::chrono::seconds{1};
  json::object out{
      {"debug", false},
      {"endpoint", s.external_url + std::string(kPrefix)},
      {"alarm_model", json::object{{"name", "ALERTA"},
                                   {"severity", severities()},
                                   {"colors", colors()},
                                   {"status", statuses()},
                                   {"defaults", json::object{{"status", "open"},
                                                             {"normal_severity", alerts::kNormalSeverity},
                                                             {"previous_severity", alerts::kFirstSeverity}}}}},
      {"severity", severities()},
      {"colors", colors()},
      {"auth_required", !s.anonymous},
      {"allow_readonly", false},
      {"readonly_scopes", json::array{"read"}},
      {"provider", "basic"},
      {"signup_enabled", false},
      {"email_verification", false},
      {"customer_views", false},
      {"client_id", nullptr},
      {"sort_by", "lastReceiveTime"},
      {"environments", json::array{alerts::kDefaultEnvironment}},
      {"blackouts", json::object{{"duration", 3600}}},
      {"timeouts",
       json::object{{"alert", alert}, {"heartbeat", 86400}, {"ack", 0}, {"shelve", alerts::kShelfTimeout}}}};
  for (auto& [key, value] : appearance()) out[key] = std::move(value);
  return net::Response::json(json::serialize(out));
}

}  // namespace

void add_management(Doors& doors, const AlertaServices& s) {
  const Action index = [s](const Principal&, net::Request&) -> Result<net::Response> {
    return net::Response::json(json::serialize(json::object{
        {"endpoints", json::array{}}, {"uri", s.external_url + std::string(kPrefix)}, {"version", kSpokenAlerta}}));
  };
  for (const auto* pattern : {"/alerta", "/alerta/"}) doors.add("GET", pattern, Need::kPublic, index);
  doors.add("GET", "/alerta/config", Need::kPublic,
            [s](const Principal&, net::Request&) -> Result<net::Response> { return config(s); });
  for (const auto* pattern : {"/alerta/management/healthcheck", "/alerta/management/gtg"}) {
    doors.add("GET", pattern, Need::kPublic,
              [](const Principal&, net::Request&) -> Result<net::Response> { return net::Response::text("OK"); });
  }
  doors.add("GET", "/alerta/management/status", Need::kViewer,
            [s](const Principal&, net::Request&) -> Result<net::Response> {
              const auto now = s.clock.now();
              return net::Response::json(json::serialize(json::object{{"application", "alerta"},
                                                                      {"version", kSpokenAlerta},
                                                                      {"server", "atalaya " + s.version},
                                                                      {"time", to_ms(now)},
                                                                      {"uptime", (now - s.started).count()},
                                                                      {"metrics", json::array{}}}));
            });
  // Time-outs and ends are acted on when they are due: nothing is left to do.
  for (const auto* method : {"GET", "POST"}) {
    doors.add(method, "/alerta/management/housekeeping", Need::kOperator,
              [](const Principal&, net::Request&) -> Result<net::Response> { return answer({{"count", 0}}); });
  }
}

}  // namespace atalaya::api::alerta
