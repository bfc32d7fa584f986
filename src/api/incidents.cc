#include "api/incidents.h"

#include <algorithm>
#include <any>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "alerts/annotations.h"
#include "api/alerts.h"
#include "api/json.h"
#include "api/parameters.h"
#include "incidents/engine.h"

namespace atalaya::api {
namespace {

using auth::Principal;

constexpr std::size_t kMaxPage = 1000;
constexpr std::size_t kMaxNote = 2000;  ///< bytes
constexpr std::size_t kMaxName = 200;   ///< bytes of an owner
constexpr std::size_t kMostSeries = 20;
constexpr std::size_t kMostEntries = 1000;       ///< of a timeline
constexpr std::size_t kMostTold = 200;           ///< alerts whose notifications are looked for
constexpr std::size_t kMostNotifications = 500;  ///< of a timeline

Result<incidents::IncidentId> id_of(const net::Request& request) {
  const auto text = std::string(request.captures.get("id"));
  auto id = incidents::parse_incident_id(text);
  if (!id) return fail(ErrorCode::kNotFound, "there is no incident " + text);
  return *id;
}

Result<net::Response> list_incidents(const IncidentServices& s, const TenantId& tenant,
                                     const net::Parameters& parameters) {
  incidents::Filter filter;
  AT_TRY(filter.state, incidents::parse_state_filter(parameters.get("state")));
  if (const auto severity = parameters.get("severity"); !severity.empty()) {
    AT_TRY(filter.severity, alerts::parse_severity(severity));
  }
  filter.owner = parameters.get("owner");
  filter.text = parameters.get("text");
  filter.before = parameters.get("before");
  AT_TRY(filter.limit, limit_parameter(parameters, 100, kMaxPage));
  AT_TRY(const auto page, s.incidents.list(tenant, filter));
  json::array list;
  for (const auto& incident : page.incidents) list.push_back(incidents::to_json(incident));
  json::object out{{"incidents", std::move(list)},
                   {"counts", json::object{{"open", page.open}, {"acknowledged", page.acknowledged}}}};
  if (!page.next.empty()) out["next"] = page.next;
  return ok(out);
}

/// Entries of the timeline with their times, which order them.
using Timed = std::vector<std::pair<Time, json::object>>;

json::object entry(Time at, std::string_view kind, const std::string& text) {
  return {{"at", rfc3339(at)}, {"kind", kind}, {"text", text}};
}

void add_own_lines(const incidents::Details& details, Timed& out) {
  for (const auto& line : details.lines) {
    auto one = entry(line.at, line.kind, line.text);
    if (!line.by.empty()) one["by"] = line.by;
    one["severity"] = alerts::name(line.severity);
    out.emplace_back(line.at, std::move(one));
  }
}

std::map<AlertId, json::object> briefs_of(const incidents::Details& details) {
  std::map<AlertId, json::object> out;
  for (const auto& [alert, member] : details.alerts) {
    out[alert.id] =
        json::object{{"id", alert.id.value()}, {"name", alert.name}, {"labels", alerts::labels_json(alert.labels)}};
  }
  return out;
}

void add_alert_lines(const incidents::Details& details, const std::map<AlertId, json::object>& briefs, Timed& out) {
  const auto brief = [&](const AlertId& id) {
    const auto found = briefs.find(id);
    return found == briefs.end() ? json::object{{"id", id.value()}} : found->second;
  };
  for (const auto& [alert, member] : details.alerts) {
    auto one = entry(member.joined, "joined", std::string(incidents::name(member.by)));
    one["alert"] = brief(alert.id);
    one["severity"] = alerts::name(alert.severity);
    out.emplace_back(member.joined, std::move(one));
  }
  for (const auto& [id, line] : details.history) {
    auto one = entry(line.at, "alert", line.text);
    if (!line.by.empty()) one["by"] = line.by;
    one["severity"] = alerts::name(line.severity);
    one["from"] = line.from;
    one["to"] = line.to;
    one["value"] = std::isfinite(line.value) ? json::value(line.value) : json::value(nullptr);
    one["alert"] = brief(id);
    out.emplace_back(line.at, std::move(one));
  }
}

Status add_notifications(const IncidentServices& s, const TenantId& tenant, const incidents::Details& details,
                         const std::map<AlertId, json::object>& briefs, Timed& out) {
  std::vector<AlertId> ids;
  for (const auto& one : details.alerts) {
    if (ids.size() < kMostTold) ids.push_back(one.alert.id);
  }
  AT_TRY(const auto deliveries, s.deliveries.of_alerts(tenant, ids, details.incident.opened, kMostNotifications));
  // What was told of the end is told after it.
  constexpr Duration kAfter{std::chrono::minutes{10}};
  for (const auto& delivery : deliveries) {
    if (details.incident.closed && delivery.created > *details.incident.closed + kAfter) continue;
    auto one = entry(delivery.created, "notification", delivery.change);
    one["notification"] = json::object{{"id", delivery.key},
                                       {"channel", delivery.channel},
                                       {"type", delivery.type},
                                       {"state", notify::name(delivery.state)}};
    const auto brief = briefs.find(delivery.alert);
    one["alert"] = brief == briefs.end() ? json::object{{"id", delivery.alert.value()}, {"name", delivery.alert_name}}
                                         : brief->second;
    out.emplace_back(delivery.created, std::move(one));
  }
  return {};
}

json::array members_json(const incidents::Details& details) {
  json::array out;
  for (const auto& [alert, member] : details.alerts) {
    auto one = alerts::to_json(alert);
    one["joined"] = rfc3339(member.joined);
    one["joined_by"] = incidents::name(member.by);
    if (member.left) one["left"] = rfc3339(*member.left);
    one["in_incident"] = !member.left;
    out.push_back(std::move(one));
  }
  return out;
}

json::array series_json(const incidents::Details& details) {
  json::array out;
  std::set<std::pair<std::string, Labels>> seen;
  for (const auto& [alert, member] : details.alerts) {
    if (alert.expr.empty() || alert.kind == alerts::Kind::kTailable || out.size() == kMostSeries) continue;
    if (!seen.emplace(alert.expr, alert.labels).second) continue;
    out.push_back(json::object{{"alert", alert.id.value()},
                               {"name", alert.name},
                               {"expr", alert.expr},
                               {"labels", alerts::labels_json(alert.labels)}});
  }
  return out;
}

Result<net::Response> one_incident(const IncidentServices& s, const TenantId& tenant, incidents::IncidentId id) {
  AT_TRY(const auto details, s.incidents.get(tenant, id));
  Timed timed;
  add_own_lines(details, timed);
  const auto briefs = briefs_of(details);
  add_alert_lines(details, briefs, timed);
  AT_TRY(add_notifications(s, tenant, details, briefs, timed));
  std::ranges::stable_sort(timed, {}, &Timed::value_type::first);
  json::array timeline;
  for (auto i = timed.size() - std::min(timed.size(), kMostEntries); i < timed.size(); ++i) {
    timeline.push_back(std::move(timed[i].second));
  }
  auto out = incidents::to_json(details.incident);
  out["alerts"] = members_json(details);
  out["timeline"] = std::move(timeline);
  out["series"] = series_json(details);
  return ok(out);
}

/// A command of a person about one incident: answered with the incident as it then is.
void add_command(Doors& doors, const IncidentServices& s, const char* method, const std::string& what,
                 std::function<Result<std::any>(const Principal&, incidents::IncidentId, net::Request&)> command) {
  doors.add(method, "~/incidents/{id}/" + what, Need::kOperator,
            [s, command = std::move(command)](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(const auto id, id_of(request));
              AT_TRY(auto event, command(who, id, request));
              AT_TRY(s.control.run(who.tenant, std::move(event)));
              return one_incident(s, who.tenant, id);
            });
}

using incidents::IncidentId;

void add_commands(Doors& doors, const IncidentServices& s) {
  add_command(doors, s, "POST", "ack",
              [s](const Principal& who, IncidentId id, net::Request& request) -> Result<std::any> {
                AT_TRY(auto body, Fields::parse(request));
                incidents::AcknowledgeIncident out{id, who.name, body.text_or("note", "", kMaxNote), {}, {}};
                out.owner = body.text_or("owner", who.name, kMaxName);
                Status status;
                out.until = read_until(body, s.clock.now(), status);
                AT_TRY(body.finish());
                AT_TRY(std::move(status));
                return out;
              });
  add_command(doors, s, "DELETE", "ack", [](const Principal& who, IncidentId id, net::Request&) -> Result<std::any> {
    return incidents::UnacknowledgeIncident{id, who.name};
  });
  add_command(doors, s, "POST", "assign",
              [](const Principal& who, IncidentId id, net::Request& request) -> Result<std::any> {
                AT_TRY(auto body, Fields::parse(request));
                // Nobody is somebody, too; only silence is none.
                const bool there = body.has("owner");
                incidents::AssignIncident out{id, who.name, body.text_or("owner", "", kMaxName), {}};
                if (!there) return fail(ErrorCode::kInvalidArgument, "field \"owner\" is missing", "\"\" is nobody");
                out.note = body.text_or("note", "", kMaxNote);
                AT_TRY(body.finish());
                return out;
              });
  add_command(doors, s, "POST", "close",
              [](const Principal& who, IncidentId id, net::Request& request) -> Result<std::any> {
                AT_TRY(auto body, Fields::parse(request));
                auto note = body.text_or("note", "", kMaxNote);
                AT_TRY(body.finish());
                return incidents::CloseIncident{id, who.name, std::move(note)};
              });
  add_command(doors, s, "POST", "merge",
              [](const Principal& who, IncidentId id, net::Request& request) -> Result<std::any> {
                AT_TRY(auto body, Fields::parse(request));
                const auto into = body.text("into", kMaxName);
                auto note = body.text_or("note", "", kMaxNote);
                AT_TRY(body.finish());
                AT_TRY(const auto other, incidents::parse_incident_id(into));
                return incidents::MergeIncident{id, other, who.name, std::move(note)};
              });
  add_command(doors, s, "POST", "notes",
              [](const Principal& who, IncidentId id, net::Request& request) -> Result<std::any> {
                AT_TRY(auto body, Fields::parse(request));
                auto text = body.text("text", kMaxNote);
                AT_TRY(body.finish());
                return incidents::NoteIncident{id, who.name, std::move(text)};
              });
}

}  // namespace

void add_incident_routes(Doors& doors, IncidentServices s) {
  doors.add("GET", "~/incidents", Need::kViewer,
            [s](const Principal& who, net::Request& request) { return list_incidents(s, who.tenant, request.query); });
  doors.add("GET", "~/incidents/{id}", Need::kViewer,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(const auto id, id_of(request));
              return one_incident(s, who.tenant, id);
            });
  add_commands(doors, s);
}

}  // namespace atalaya::api
