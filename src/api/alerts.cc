#include "api/alerts.h"

#include <any>
#include <functional>

#include "alerts/machine.h"
#include "api/json.h"
#include "api/parameters.h"
#include "base/random.h"
#include "notify/outbox.h"

namespace atalaya::api {
namespace {

using auth::Principal;

constexpr std::size_t kMaxPage = 1000;
constexpr std::size_t kMaxNote = 2000;  ///< bytes

AlertId id_of(const net::Request& request) { return AlertId{std::string(request.captures.get("id"))}; }

Result<net::Response> list_alerts(const AlertServices& s, const TenantId& tenant, const net::Parameters& parameters) {
  alerts::Filter filter;
  AT_TRY(filter.state, alerts::parse_state_filter(parameters.get("state")));
  if (const auto severity = parameters.get("severity"); !severity.empty()) {
    AT_TRY(filter.severity, alerts::parse_severity(severity));
  }
  filter.host = parameters.get("host");
  filter.text = parameters.get("text");
  filter.before = parameters.get("before");
  AT_TRY(filter.limit, limit_parameter(parameters, 100, kMaxPage));
  AT_TRY(auto page, s.alerts.list(tenant, filter));
  json::array list;
  for (const auto& alert : page.alerts) list.push_back(alerts::to_json(alert));
  json::object out{{"alerts", std::move(list)}};
  if (!page.next.empty()) out["next"] = page.next;
  return ok(out);
}

Result<net::Response> one_alert(const AlertServices& s, const TenantId& tenant, const AlertId& id) {
  AT_TRY(auto details, s.alerts.get(tenant, id));
  AT_TRY(auto deliveries, s.deliveries.of_alert(tenant, id));
  auto out = alerts::to_json(details.alert);
  json::array history;
  for (const auto& line : details.history) history.push_back(alerts::to_json(line));
  json::array notifications;
  for (const auto& delivery : deliveries) notifications.push_back(notify::to_json(delivery));
  out["history"] = std::move(history);
  if (!details.events.empty()) {
    json::array events;
    for (const auto& event : details.events) events.push_back(alerts::to_json(event));
    out["events"] = std::move(events);
  }
  out["notifications"] = std::move(notifications);
  return ok(out);
}

void add_alerts(Doors& doors, const AlertServices& s) {
  doors.add_reading(
      "alerts", [s](const Principal& who, net::Request& request) { return list_alerts(s, who.tenant, request.query); });
  doors.add("GET", "~/alerts/{id}", Need::kViewer,
            [s](const Principal& who, net::Request& request) { return one_alert(s, who.tenant, id_of(request)); });
}

/// A command of a person about one alert: answered with the alert as it then is.
void add_command(Doors& doors, const AlertServices& s, const char* method, const std::string& what,
                 std::function<Result<std::any>(const Principal&, net::Request&)> command) {
  doors.add(method, "~/alerts/{id}/" + what, Need::kOperator,
            [s, command = std::move(command)](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(auto event, command(who, request));
              AT_TRY(s.control.run(who.tenant, std::move(event)));
              return one_alert(s, who.tenant, id_of(request));
            });
}

struct Word {
  std::string note;
  std::optional<Time> until;
};

Result<Word> word_of(const net::Request& request, Time now) {
  AT_TRY(auto body, Fields::parse(request));
  Word out;
  out.note = body.text_or("note", "", kMaxNote);
  Status status;
  out.until = read_until(body, now, status);
  AT_TRY(body.finish());
  AT_TRY(std::move(status));
  return out;
}

void add_commands(Doors& doors, const AlertServices& s) {
  add_command(doors, s, "POST", "ack", [s](const Principal& who, net::Request& request) -> Result<std::any> {
    AT_TRY(auto word, word_of(request, s.clock.now()));
    return alerts::Acknowledge{id_of(request), who.name, std::move(word.note), word.until};
  });
  add_command(doors, s, "DELETE", "ack", [](const Principal& who, net::Request& request) -> Result<std::any> {
    return alerts::Unacknowledge{id_of(request), who.name};
  });
  add_command(doors, s, "POST", "shelve", [s](const Principal& who, net::Request& request) -> Result<std::any> {
    AT_TRY(auto word, word_of(request, s.clock.now()));
    if (!word.until) {
      return fail(ErrorCode::kInvalidArgument, "a shelved alert needs an end", "say \"for\": \"2h\" or \"until\"");
    }
    return alerts::Shelve{id_of(request), who.name, std::move(word.note), *word.until};
  });
  add_command(doors, s, "DELETE", "shelve", [](const Principal& who, net::Request& request) -> Result<std::any> {
    return alerts::Unshelve{id_of(request), who.name};
  });
  add_command(doors, s, "POST", "close", [](const Principal& who, net::Request& request) -> Result<std::any> {
    AT_TRY(auto body, Fields::parse(request));
    auto note = body.text_or("note", "", kMaxNote);
    AT_TRY(body.finish());
    return alerts::Close{id_of(request), who.name, std::move(note)};
  });
  add_command(doors, s, "POST", "notes", [](const Principal& who, net::Request& request) -> Result<std::any> {
    AT_TRY(auto body, Fields::parse(request));
    auto text = body.text("text", kMaxNote);
    AT_TRY(body.finish());
    return alerts::AddNote{id_of(request), who.name, std::move(text)};
  });
}

void add_notifications(Doors& doors, const AlertServices& s) {
  doors.add("GET", "~/notifications", Need::kViewer,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(auto limit, limit_parameter(request.query, 100, kMaxPage));
              AT_TRY(auto deliveries, s.deliveries.list(who.tenant, limit));
              json::array list;
              for (const auto& delivery : deliveries) list.push_back(notify::to_json(delivery));
              return ok(json::object{{"notifications", std::move(list)}});
            });
  doors.add("GET", "~/channels", Need::kViewer, [s](const Principal& who, net::Request&) -> Result<net::Response> {
    json::array list;
    for (const auto& channel : s.channels.list(who.tenant)) {
      list.push_back(json::object{{"id", channel.id}, {"type", channel.type}, {"target", channel.target}});
    }
    return ok(json::object{{"channels", std::move(list)}});
  });
  doors.add("POST", "~/channels/{id...}", Need::kOperator,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              // An id holds slashes (`ops/mail`), so the action is the last segment of the rest.
              std::string id(request.captures.get("id"));
              if (!id.ends_with("/test")) return fail(ErrorCode::kNotFound, "a channel can only be tested");
              id.resize(id.size() - std::string_view("/test").size());
              AT_TRY(s.control.run(who.tenant, notify::TestChannel{id, random_token(9), who.name}));
              return net::Response::json("{}", 202);
            });
}

}  // namespace

std::optional<Time> read_until(Fields& body, Time now, Status& status) {
  const auto until = body.text_or("until", "", 64);
  const auto lasts = body.duration_or("for", Duration::zero());
  if (!until.empty() && lasts != Duration::zero()) {
    status = fail(ErrorCode::kInvalidArgument, "\"until\" and \"for\" say the same", "leave one of them out");
    return std::nullopt;
  }
  if (lasts != Duration::zero()) return now + lasts;
  if (until.empty()) return std::nullopt;
  auto time = parse_time(until);
  if (time) return *time;
  status = fail_within("until", std::move(time).error());
  return std::nullopt;
}

void add_alert_routes(Doors& doors, AlertServices services) {
  add_alerts(doors, services);
  add_commands(doors, services);
  add_notifications(doors, services);
}

}  // namespace atalaya::api
