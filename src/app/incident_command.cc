// `atalaya incident`: every verb is a call of the API, its answer printed as text or as it came.
#include <boost/json.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/package_text.h"
#include "app/server_client.h"
#include "app/tables.h"
#include "net/percent.h"

namespace atalaya::app {
namespace {

namespace json = boost::json;
using config::Options;

std::string count_of(const json::object& incident, std::string_view what) {
  return text_of(incident.at("counts").as_object(), what);
}

std::string incidents_text(const json::object& answer) {
  const auto& incidents = list_of(answer, "incidents");
  if (incidents.empty()) return "No incidents.\n";
  std::vector<std::vector<std::string>> rows;
  for (const auto& one : incidents) {
    const auto& incident = one.as_object();
    rows.push_back({text_of(incident, "id"), text_of(incident, "opened"), text_of(incident, "state"),
                    text_of(incident, "severity"), count_of(incident, "open"), text_of(incident, "owner"),
                    text_of(incident, "title")});
  }
  return table_text({"ID>", "OPENED", "STATE", "SEVERITY", "ALERTS>", "OWNER", "TITLE"}, rows);
}

std::string alert_label(const json::object& entry) {
  const auto* alert = entry.if_contains("alert");
  return alert != nullptr && alert->is_object() ? text_of(alert->get_object(), "name") : std::string();
}

/// What an entry of the timeline says beside its kind.
std::string words_of(const json::object& entry) {
  if (const auto* told = entry.if_contains("notification")) {
    const auto& notification = told->as_object();
    return fmt::format("{} to {}: {}", text_of(entry, "text"), text_of(notification, "channel"),
                       text_of(notification, "state"));
  }
  const auto to = text_of(entry, "to");
  const auto text = text_of(entry, "text");
  return to.empty() ? text : text.empty() ? to : to + ": " + text;
}

std::string incident_text(const json::object& incident) {
  std::string out;
  for (const auto* key :
       {"id", "title", "state", "severity", "worst", "trend", "owner", "opened", "closed", "reopened", "merged_into"}) {
    const auto value = text_of(incident, key);
    if (!value.empty()) out += fmt::format("{:<12}{}\n", key, value);
  }
  std::vector<std::vector<std::string>> alerts;
  for (const auto& one : list_of(incident, "alerts")) {
    const auto& alert = one.as_object();
    std::string because;
    if (const auto* parent = alert.if_contains("unknown_because")) {
      because = "unknown because of " + text_of(parent->as_object(), "name");
    }
    alerts.push_back({text_of(alert, "id"), text_of(alert, "state"), text_of(alert, "severity"),
                      text_of(alert, "joined_by"), text_of(alert, "name"),
                      because.empty() ? text_of(alert, "text") : because});
  }
  out += table_text({"ALERT", "STATE", "SEVERITY", "JOINED BY", "NAME", "TEXT"}, alerts) + "\n";
  std::vector<std::vector<std::string>> rows;
  for (const auto& one : list_of(incident, "timeline")) {
    const auto& entry = one.as_object();
    rows.push_back(
        {text_of(entry, "at"), text_of(entry, "kind"), alert_label(entry), text_of(entry, "by"), words_of(entry)});
  }
  return out + table_text({"AT", "WHAT", "ALERT", "BY", "TEXT"}, rows);
}

int print(const Options& options, const Answer& answer, std::string (*text)(const json::object&)) {
  if (options.text("output") == "json") {
    fmt::print("{}\n", answer.body);
  } else if (answer.good()) {
    fmt::print("{}", text(answer.object()));
  } else {
    fmt::print(stderr, "{}", refusal_text(answer.object(), answer.status));
  }
  return answer.good() ? 0 : 1;
}

Result<int> list(const Options& options, const ServerClient& server) {
  std::string path = fmt::format("incidents?state={}&limit={}", options.text("state"), options.integer("limit"));
  for (const auto* name : {"owner", "severity", "text"}) {
    if (options.has(name)) path += fmt::format("&{}={}", name, net::percent_encode(options.text(name)));
  }
  AT_TRY(const auto answer, server.get(path));
  return print(options, answer, incidents_text);
}

Result<int> run(const Options& options) {
  AT_TRY(const auto server, ServerClient::reach(options));
  const auto& verb = options.command().at(1);
  if (verb == "list") return list(options, server);
  auto number = options.argument("NUMBER");
  if (number.starts_with('#')) number.erase(0, 1);
  const auto path = api_path({"incidents", number});
  if (verb == "show") {
    AT_TRY(const auto answer, server.get(path));
    return print(options, answer, incident_text);
  }
  json::object body;
  if (verb == "note") body["text"] = options.argument("TEXT");
  if (verb == "assign") body["owner"] = options.argument("OWNER") == "-" ? "" : options.argument("OWNER");
  if (verb == "merge") body["into"] = options.argument("INTO");
  for (const auto* name : {"note", "owner"}) {
    if (options.declares(name) && options.has(name)) body[name] = options.text(name);
  }
  if (options.declares("for") && options.has("for")) body["for"] = format_duration(options.duration("for"));
  AT_TRY(const auto answer, server.post(path + "/" + (verb == "note" ? "notes" : verb), body));
  return print(options, answer, [](const json::object& incident) {
    const auto owner = text_of(incident, "owner");
    return fmt::format("{} {}: {}{}\n", text_of(incident, "id"), text_of(incident, "title"), text_of(incident, "state"),
                       owner.empty() ? "" : ", " + owner);
  });
}

}  // namespace

int incident(const config::Options& options) {
  const auto done = run(options);
  return done ? *done : complain(done.error());
}

}  // namespace atalaya::app
