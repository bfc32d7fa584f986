// `atalaya alert` and `atalaya silence`: every verb is a call of the API, its answer printed as text or as it came.
#include <boost/json.hpp>
#include <fmt/format.h>

#include <functional>

#include "app/commands.h"
#include "app/package_text.h"
#include "app/server_client.h"
#include "app/tables.h"
#include "net/percent.h"

namespace atalaya::app {
namespace {

namespace json = boost::json;
using config::Options;

int print(const Options& options, const Answer& answer, const std::function<std::string(const json::object&)>& text) {
  if (options.text("output") == "json") {
    fmt::print("{}\n", answer.body);
  } else if (answer.good()) {
    fmt::print("{}", text(answer.object()));
  } else {
    fmt::print(stderr, "{}", refusal_text(answer.object(), answer.status));
  }
  return answer.good() ? 0 : 1;
}

std::string labels_text(const json::object& alert) {
  std::string out;
  const auto* labels = alert.if_contains("labels");
  if (labels == nullptr || !labels->is_object()) return out;
  for (const auto& [name, value] : labels->get_object()) {
    if (name == "alertname" || !value.is_string()) continue;
    out += fmt::format("{}{}={}", out.empty() ? "" : " ", std::string_view(name), std::string_view(value.get_string()));
  }
  return out;
}

std::string alerts_text(const json::object& answer) {
  const auto& alerts = list_of(answer, "alerts");
  if (alerts.empty()) return "No alerts.\n";
  std::vector<std::vector<std::string>> rows;
  for (const auto& one : alerts) {
    const auto& alert = one.as_object();
    const auto state =
        text_of(alert, "state") + (text_of(alert, "status") == "open" ? "" : ", " + text_of(alert, "status"));
    rows.push_back({text_of(alert, "id"), text_of(alert, "started"), state, text_of(alert, "severity"),
                    text_of(alert, "name"), labels_text(alert)});
  }
  return table_text({"ID", "SINCE", "STATE", "SEVERITY", "NAME", "LABELS"}, rows);
}

std::string alert_text(const json::object& alert) {
  std::string out;
  for (const auto* key :
       {"id", "name", "state", "status", "severity", "trend", "started", "resolved", "text", "count"}) {
    const auto value = text_of(alert, key);
    if (!value.empty()) out += fmt::format("{:<10}{}\n", key, value);
  }
  out += fmt::format("{:<10}{}\n", "labels", labels_text(alert));
  std::vector<std::vector<std::string>> rows;
  for (const auto& one : list_of(alert, "history")) {
    const auto& line = one.as_object();
    rows.push_back(
        {text_of(line, "at"), text_of(line, "from"), text_of(line, "to"), text_of(line, "by"), text_of(line, "text")});
  }
  return out + table_text({"AT", "FROM", "TO", "BY", "TEXT"}, rows);
}

std::string silences_text(const json::object& answer, bool expired) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& one : list_of(answer, "silences")) {
    const auto& silence = one.as_object();
    const auto state = text_of(silence.at("status").as_object(), "state");
    if (state == "expired" && !expired) continue;
    rows.push_back({text_of(silence, "id"), state, text_of(silence, "endsAt"), text_of(silence, "hides"),
                    text_of(silence, "text"), text_of(silence, "createdBy"), text_of(silence, "comment")});
  }
  if (rows.empty()) return "No silences.\n";
  return table_text({"ID", "STATE", "UNTIL", "HIDES>", "MATCHERS", "BY", "COMMENT"}, rows);
}

Result<int> list(const Options& options, const ServerClient& server) {
  std::string path = fmt::format("alerts?state={}&limit={}", options.text("state"), options.integer("limit"));
  for (const auto* name : {"severity", "host", "text"}) {
    if (options.has(name)) path += fmt::format("&{}={}", name, net::percent_encode(options.text(name)));
  }
  AT_TRY(const auto answer, server.get(path));
  return print(options, answer, alerts_text);
}

Result<int> command(const Options& options, const ServerClient& server, const std::string& verb) {
  const auto path = api_path({"alerts", options.argument("ID")});
  json::object body;
  if (verb == "show") {
    AT_TRY(const auto answer, server.get(path));
    return print(options, answer, alert_text);
  }
  if (verb == "note") {
    body["text"] = options.argument("TEXT");
  } else if (options.has("note")) {
    body["note"] = options.text("note");
  }
  if (options.declares("for") && options.has("for")) {
    body["for"] = format_duration(options.duration("for"));
  }
  AT_TRY(const auto answer, server.post(path + "/" + (verb == "note" ? "notes" : verb), body));
  return print(options, answer, [](const json::object& alert) {
    return fmt::format("{} {}: {}\n", text_of(alert, "id"), text_of(alert, "name"), text_of(alert, "status"));
  });
}

Result<int> add_silence(const Options& options, const ServerClient& server) {
  std::string matchers;
  for (const auto& one : options.arguments("MATCHER")) matchers += (matchers.empty() ? "" : ",") + one;
  json::object body{
      {"matchers", matchers}, {"for", format_duration(options.duration("for"))}, {"comment", options.text("comment")}};
  if (options.has("start")) body["starts"] = options.text("start");
  AT_TRY(const auto answer, server.post("silences", body));
  return print(options, answer, [](const json::object& silence) { return text_of(silence, "id") + "\n"; });
}

Result<int> list_silences(const Options& options, const ServerClient& server) {
  AT_TRY(const auto answer, server.get("silences"));
  return print(options, answer, [&](const auto& all) { return silences_text(all, options.boolean("expired")); });
}

Result<int> expire_silence(const Options& options, const ServerClient& server) {
  AT_TRY(const auto answer, server.erase(api_path({"silences", options.argument("ID")})));
  return print(options, answer, [](const json::object&) { return std::string(); });
}

Result<int> run(const Options& options) {
  AT_TRY(const auto server, ServerClient::reach(options));
  const auto& verb = options.command().at(1);
  if (options.command().front() == "alert") {
    return verb == "list" ? list(options, server) : command(options, server, verb);
  }
  if (verb == "add") return add_silence(options, server);
  return verb == "list" ? list_silences(options, server) : expire_silence(options, server);
}

}  // namespace

int alerts_and_silences(const config::Options& options) {
  const auto done = run(options);
  return done ? *done : complain(done.error());
}

}  // namespace atalaya::app
