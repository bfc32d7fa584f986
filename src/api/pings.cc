// Dead-man switches: their addresses, which need no credential but themselves, and their keeping.
#include <algorithm>
#include <charconv>

#include "alerts/machine.h"
#include "api/alerts.h"
#include "api/json.h"
#include "base/bytes.h"
#include "base/random.h"

namespace atalaya::api {
namespace {

using auth::Principal;

constexpr std::uint64_t kMaxBody = 1 << 20;  ///< taken; of it kMaxPingBytes are kept

/// The beginning of what a program wrote, which may be anything.
std::string kept(std::string body) {
  body.resize(std::min(body.size(), alerts::kMaxPingBytes));
  if (is_utf8(body)) return body;
  for (auto& c : body) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return body;
}

/// What the rest of the address says; nothing for what is no such word.
std::optional<alerts::PingLine> line_of(std::string_view action) {
  alerts::PingLine line;
  if (action.empty()) return line;
  if (action == "start") line.kind = alerts::PingKind::kStart;
  if (action == "fail") line.kind = alerts::PingKind::kFail;
  if (action == "log") line.kind = alerts::PingKind::kLog;
  if (line.kind != alerts::PingKind::kSuccess) return line;
  int status = 0;
  const auto [end, failed] = std::from_chars(action.data(), action.data() + action.size(), status);
  if (failed != std::errc{} || end != action.data() + action.size() || status < 0 || status > 255) return std::nullopt;
  line.exit = status;
  line.kind = status == 0 ? alerts::PingKind::kSuccess : alerts::PingKind::kFail;
  return line;
}

Result<net::Response> ping(const AlertServices& s, net::Request& request) {
  auto line = line_of(request.captures.get("action"));
  if (!line) return net::Response::text("invalid url format\n", 400);
  const std::string id(request.captures.get("id"));
  const auto tenant = s.pings.tenant_of(id);
  if (!tenant && tenant.error().code == ErrorCode::kNotFound) return net::Response::text("not found\n", 404);
  if (!tenant) return std::unexpected(tenant.error());
  line->body = kept(std::move(request.body));
  line->from = request.remote_address;
  AT_TRY(s.control.run(*tenant, alerts::Pinged{id, std::move(*line)}));
  return net::Response::text("OK");
}

json::object shown(const alerts::PingCheck& check, const AlertServices& s) {
  auto out = alerts::to_json(check, s.clock.now());
  out["url"] = s.external_url + "/ping/" + check.id;
  return out;
}

Result<net::Response> set(const AlertServices& s, const Principal& who, const net::Request& request, std::string id) {
  AT_TRY(auto body, Fields::parse(request));
  alerts::PingCheck check;
  check.id = id.empty() ? random_uuid() : id;
  check.name = body.text("name", 200);
  check.period = body.duration_or("period", std::chrono::hours{24});
  check.grace = body.duration_or("grace", std::chrono::hours{1});
  const auto labels = body.object_or_empty("labels");
  AT_TRY(body.finish());
  for (const auto& [key, value] : labels) {
    if (!value.is_string() || key.empty() || key == "alertname") {
      return fail(ErrorCode::kInvalidArgument, "labels: texts by their names, without alertname");
    }
    check.labels.emplace(key, value.get_string());
  }
  if (!id.empty()) AT_TRY(s.pings.get(who.tenant, id));
  const auto stored = check.id;
  AT_TRY(s.control.run(who.tenant, alerts::SetPing{std::move(check)}));
  AT_TRY(const auto made, s.pings.get(who.tenant, stored));
  return ok(shown(made.first, s), id.empty() ? 201 : 200);
}

void add_keeping(Doors& doors, const AlertServices& s) {
  // Ids are secrets: who may only look does not see them.
  doors.add("GET", "~/pings", Need::kOperator, [s](const Principal& who, net::Request&) -> Result<net::Response> {
    AT_TRY(const auto checks, s.pings.list(who.tenant));
    json::array list;
    for (const auto& check : checks) list.push_back(shown(check, s));
    return ok(json::object{{"pings", std::move(list)}});
  });
  doors.add("POST", "~/pings", Need::kOperator,
            [s](const Principal& who, net::Request& request) { return set(s, who, request, ""); });
  doors.add("GET", "~/pings/{id}", Need::kOperator,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(const auto found, s.pings.get(who.tenant, std::string(request.captures.get("id"))));
              auto out = shown(found.first, s);
              json::array lines;
              for (const auto& line : found.second) lines.push_back(alerts::to_json(line));
              out["log"] = std::move(lines);
              return ok(out);
            });
  doors.add("PUT", "~/pings/{id}", Need::kOperator, [s](const Principal& who, net::Request& request) {
    return set(s, who, request, std::string(request.captures.get("id")));
  });
  doors.add("DELETE", "~/pings/{id}", Need::kOperator,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(s.control.run(who.tenant, alerts::RemovePing{std::string(request.captures.get("id"))}));
              return net::Response::empty();
            });
}

}  // namespace

void add_ping_routes(Doors& doors, AlertServices services) {
  for (const auto* method : {"GET", "POST"}) {
    for (const auto* pattern : {"/ping/{id}", "/ping/{id}/{action}"}) {
      doors.add(method, pattern, Need::kPublic,
                [s = services](const Principal&, net::Request& request) { return ping(s, request); },
                {.max_body_bytes = kMaxBody});
    }
  }
  add_keeping(doors, services);
}

}  // namespace atalaya::api
