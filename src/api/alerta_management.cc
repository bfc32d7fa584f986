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

net::Response config(const AlertaServices& s) {
  const auto alert = s.alert_timeout / std::chrono::seconds{1};
  return net::Response::json(json::serialize(json::object{
      {"endpoint", s.external_url + std::string(kPrefix)},
      {"alarm_model", json::object{{"name", "ALERTA"},
                                   {"severity", severities()},
                                   {"defaults", json::object{{"status", "open"},
                                                             {"normal_severity", alerts::kNormalSeverity},
                                                             {"previous_severity", alerts::kFirstSeverity}}}}},
      {"severity", severities()},
      {"auth_required", !s.anonymous},
      {"customer_views", false},
      {"provider", "basic"},
      {"sort_by", "lastReceiveTime"},
      {"blackouts", json::object{{"duration", 3600}}},
      {"timeouts",
       json::object{{"alert", alert}, {"heartbeat", 86400}, {"ack", 0}, {"shelve", alerts::kShelfTimeout}}}}));
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
