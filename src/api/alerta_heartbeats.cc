// Heartbeats ping our dead-man switches: one of each origin.
#include <fmt/format.h>

#include <algorithm>

#include "alerts/machine.h"
#include "api/alerta_json.h"
#include "api/alerta_query.h"
#include "base/random.h"

namespace atalaya::api::alerta {
namespace {

using alerts::PingCheck;
using auth::Principal;

constexpr std::int64_t kTimeout = 86'400;  ///< seconds, of one that names none
constexpr std::int64_t kMostTimeout = 31'536'000;
constexpr std::int64_t kMostLatency = 2000;  ///< milliseconds; what took longer is slow
constexpr Duration kGrace{std::chrono::seconds{1}};

/// Not the check's own id: that is the secret of its address.
std::string shown_id(const PingCheck& check) {
  const auto half = [&](std::string_view part) {
    return fmt::format("{:016x}", Labels{{"id", check.id}, {"part", part}}.hash());
  };
  const auto text = half("1") + half("2");
  return fmt::format("{}-{}-{}-{}-{}", text.substr(0, 8), text.substr(8, 4), text.substr(12, 4), text.substr(16, 4),
                     text.substr(20));
}

json::object shown(const AlertaServices& s, const PingCheck& check) {
  const auto now = s.clock.now();
  const auto body = Body::parse(check.heartbeat);
  json::array tags;
  json::object attributes;
  json::value customer;
  auto created = check.last.value_or(check.created);
  std::optional<std::int64_t> named;
  if (body) {
    tags = list(body->texts("tags").value_or(std::vector<std::string>{}));
    attributes = body->object("attributes").value_or(json::object{});
    customer = or_null(body->text("customer").value_or(""));
    if (const auto time = body->time("createTime"); time && *time) created = **time;
    named = body->seconds("timeout").value_or(std::nullopt);
  }
  const auto received = check.last.value_or(check.created);
  const auto timeout = std::chrono::duration_cast<std::chrono::seconds>(check.period).count();
  const auto since = std::chrono::duration_cast<std::chrono::seconds>(now - received).count();
  const auto latency = (received - created).count();
  const bool expired = check.state == alerts::PingState::kDown || since > timeout;
  return {{"id", shown_id(check)},
          {"href", href(s, "heartbeat", shown_id(check))},
          {"origin", check.name},
          {"tags", std::move(tags)},
          {"attributes", std::move(attributes)},
          {"type", "Heartbeat"},
          {"createTime", rfc3339(created)},
          {"timeout", named.value_or(timeout)},
          {"receiveTime", rfc3339(received)},
          {"customer", std::move(customer)},
          {"latency", latency},
          {"maxLatency", kMostLatency},
          {"since", since},
          {"status", expired                  ? "expired"
                     : latency > kMostLatency ? "slow"
                                              : "ok"}};
}

std::optional<PingCheck> by_origin(const std::vector<PingCheck>& checks, const std::string& origin) {
  const auto found = std::ranges::find(checks, origin, &PingCheck::name);
  return found == checks.end() ? std::nullopt : std::optional(*found);
}

Result<std::vector<PingCheck>> heartbeats(const AlertaServices& s, const Principal& who) {
  AT_TRY(auto checks, s.pings.list(who.tenant));
  std::erase_if(checks, [](const PingCheck& check) { return check.heartbeat.empty(); });
  return checks;
}

Result<PingCheck> one(const AlertaServices& s, const Principal& who, const net::Request& request) {
  AT_TRY(const auto checks, heartbeats(s, who));
  const auto id = request.captures.get("id");
  const auto found = std::ranges::find_if(
      checks, [&](const PingCheck& check) { return id.size() >= 8 && shown_id(check).starts_with(id); });
  if (found == checks.end()) return fail(ErrorCode::kNotFound, "there is no such heartbeat");
  return *found;
}

Result<PingCheck> read(const AlertaServices& s, const Body& body) {
  PingCheck out;
  out.id = random_uuid();
  AT_TRY(out.name, body.text("origin", 200));
  if (out.name.empty()) return fail(ErrorCode::kInvalidArgument, "Missing mandatory value for \"origin\"");
  AT_TRY(const auto tags, body.texts("tags"));
  AT_TRY(const auto attributes, body.object("attributes"));
  AT_TRY(const auto created, body.time("createTime"));
  AT_TRY(const auto customer, body.text("customer"));
  AT_TRY(const auto timeout, body.seconds("timeout"));
  // 0 is as long as a check can wait.
  const auto seconds = timeout.value_or(kTimeout) == 0 ? kMostTimeout : timeout.value_or(kTimeout);
  out.period = std::chrono::seconds{std::min(seconds, kMostTimeout)};
  out.grace = kGrace;
  out.labels["origin"] = out.name;
  for (const auto* key : {"environment", "severity", "service", "group"}) {
    const auto* value = attributes.if_contains(key);
    if (value != nullptr && value->is_string() && !value->get_string().empty()) out.labels[key] = value->get_string();
  }
  out.heartbeat = json::serialize(json::object{{"tags", list(tags)},
                                               {"attributes", attributes},
                                               {"createTime", rfc3339(created.value_or(s.clock.now()))},
                                               {"timeout", timeout.value_or(kTimeout)},
                                               {"customer", customer}});
  return out;
}

Result<net::Response> beat(const AlertaServices& s, const Principal& who, const net::Request& request) {
  AT_TRY(const auto body, Body::parse(request.body));
  AT_TRY(auto check, read(s, body));
  AT_TRY(const auto known, s.pings.list(who.tenant));
  if (const auto before = by_origin(known, check.name)) check.id = before->id;
  auto set = s.control.run(who.tenant, alerts::SetPing{check});
  // Somebody else sent the first one of this origin at the same time.
  if (!set && set.error().code == ErrorCode::kAlreadyExists) {
    AT_TRY(const auto now, s.pings.list(who.tenant));
    if (const auto other = by_origin(now, check.name)) check.id = other->id;
    set = s.control.run(who.tenant, alerts::SetPing{check});
  }
  AT_TRY(std::move(set));
  alerts::PingLine line;
  line.from = request.remote_address;
  AT_TRY(s.control.run(who.tenant, alerts::Pinged{check.id, std::move(line)}));
  AT_TRY(const auto now, s.pings.get(who.tenant, check.id));
  return answer({{"id", shown_id(now.first)}, {"heartbeat", shown(s, now.first)}}, 201);
}

}  // namespace

void add_heartbeats(Doors& doors, const AlertaServices& s) {
  doors.add_slow("POST", "/alerta/heartbeat", Need::kIngest, s.senders,
                 [s](const Principal& who, net::Request& request) { return beat(s, who, request); });
  doors.add("GET", "/alerta/heartbeats", Need::kViewer,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(const auto checks, heartbeats(s, who));
              json::array list;
              for (const auto& check : checks) list.push_back(shown(s, check));
              return page_of("heartbeats", list, request.query);
            });
  doors.add("GET", "/alerta/heartbeat/{id}", Need::kViewer,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(const auto check, one(s, who, request));
              return answer({{"total", 1}, {"heartbeat", shown(s, check)}});
            });
  doors.add("DELETE", "/alerta/heartbeat/{id}", Need::kOperator,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(const auto check, one(s, who, request));
              AT_TRY(s.control.run(who.tenant, alerts::RemovePing{check.id}));
              return answer({});
            });
}

}  // namespace atalaya::api::alerta
