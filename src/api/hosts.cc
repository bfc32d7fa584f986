#include "api/hosts.h"

#include <fmt/format.h>

#include "api/json.h"
#include "telemetry/log.h"

namespace atalaya::api {
namespace {

using auth::Principal;

json::object counts_json(const alerts::HostCounts& counts) {
  return {{"critical", counts.critical}, {"warning", counts.warning}, {"no_data", counts.no_data}};
}

Result<registry::Host> find_host(const HostServices& s, const Principal& who, const net::Request& request) {
  const AgentId id{std::string(request.captures.get("id"))};
  const auto host = s.hosts.find(id);
  if (!host || host->tenant != who.tenant) return fail(ErrorCode::kNotFound, "there is no host " + id.value());
  return *host;
}

/// The address by which the caller reached us: what an agent on another node can be told.
std::string own_url(const net::Request& request) {
  return fmt::format("{}://{}", request.tls ? "https" : "http", request.headers.get("Host"));
}

/// Only what a host name and a port may consist of reaches a command that a person will paste.
bool is_plain_authority(std::string_view text) {
  return !text.empty() && text.size() <= 255 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") ==
             std::string_view::npos;
}

Result<net::Response> enroll_agent(const HostServices& s, const net::Request& request) {
  AT_TRY(auto body, Fields::parse(request));
  const auto token = body.text("token", 512);
  const auto name = body.text("name", 253);
  const auto version = body.text_or("version", "", 64);
  const bool replace = body.boolean_or("replace", false);
  AT_TRY(body.finish());
  const auto admit = [&](const TenantId& tenant) -> Status {
    const auto known = s.hosts.find_by_name(tenant, name);
    if (replace || !known || known->state != registry::HostState::kUp) return {};
    return fail(ErrorCode::kConflict, fmt::format("there is a host {} already, and it is up", name),
                "give the new one another name (--name), or take its place (--replace)");
  };
  AT_TRY(auto made, s.auth.enroll_agent(token, name, version, request.remote_address, admit));
  AT_TRY(auto enrolled, s.hosts.enrolled(made.tenant, made.id, name, version, s.clock.now()));
  if (enrolled.replaced) {
    telemetry::log_warn("hosts", "an agent took the place of another one of the same name",
                        {{"tenant", made.tenant.value()},
                         {"name", name},
                         {"old", enrolled.replaced->value()},
                         {"new", made.id.value()},
                         {"address", request.remote_address}});
    s.agents.remove(made.tenant, *enrolled.replaced);
    // The credential that it replaces may be gone already: the new one holds either way.
    if (auto gone = s.auth.delete_agent(made.tenant, *enrolled.replaced);
        !gone && gone.error().code != ErrorCode::kNotFound) {
      return std::unexpected(gone.error());
    }
  }
  if (s.enrolled) s.enrolled(made.tenant, token, name);
  auto answer =
      ok(json::object{{"agent_id", made.id.value()}, {"secret", made.secret}, {"tenant", made.tenant.value()}}, 201);
  answer.headers.set("Cache-Control", "no-store");
  return answer;
}

void add_agent_doors(Doors& doors, const HostServices& s) {
  doors.add("POST", "~/enrolments", Need::kOperator,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(auto body, Fields::parse(request));
              const auto ttl = body.duration_or("ttl", std::chrono::hours{24});
              const auto uses = body.integer("uses", 1, 10'000).value_or(1);
              AT_TRY(body.finish());
              if (!is_plain_authority(request.headers.get("Host"))) {
                return fail(ErrorCode::kInvalidArgument, "the Host header is not a plain host and port");
              }
              AT_TRY(auto made, s.auth.create_enrolment(who.tenant, s.fingerprint(), ttl, static_cast<int>(uses)));
              auto answer = ok(json::object{{"token", made.token},
                                            {"command", fmt::format("atalaya agent enroll --server {} --token {}",
                                                                    own_url(request), made.token)},
                                            {"expires", rfc3339(made.expires)}},
                               201);
              answer.headers.set("Cache-Control", "no-store");
              return answer;
            });
  doors.add("POST", "~/agents/enroll", Need::kPublic,
            [s](const Principal&, net::Request& request) { return enroll_agent(s, request); });
  doors.add(
      "POST", "~/agents/token", Need::kPublic, [s](const Principal&, net::Request& request) -> Result<net::Response> {
        AT_TRY(auto body, Fields::parse(request));
        const AgentId id{body.text("agent_id", 64)};
        const auto secret = body.text("secret", 512);
        AT_TRY(body.finish());
        AT_TRY(auto token, s.auth.agent_token(id, secret, request.remote_address));
        auto answer = ok(json::object{{"access_token", token.token}, {"expires_in", token.expires_in.count() / 1000}});
        answer.headers.set("Cache-Control", "no-store");
        return answer;
      });
  doors.add_socket(
      "~/agents/connect", Need::kAgent, [s](const Principal& who, const net::Request&) -> Result<net::WebSocketOpened> {
        const auto host = s.hosts.find(AgentId{who.subject});
        if (!host) return fail(ErrorCode::kPermissionDenied, "this host was removed", "enrol it again");
        ingest::AgentPeer peer{who.tenant, host->id, host->name};
        return [&hub = s.agents, peer](std::shared_ptr<net::WebSocket> socket) -> net::WebSocketEvents {
          auto session = hub.open(
              peer, [socket](std::string frame) { socket->send(std::move(frame), true); },
              [socket](std::uint16_t code, std::string reason) { socket->close(code, std::move(reason)); });
          return {[session](std::string message, bool binary) { session->on_message(message, binary); },
                  [&hub, session] { hub.closed(session); }};
        };
      });
}

void add_hosts(Doors& doors, const HostServices& s) {
  doors.add_reading("hosts", [s](const Principal& who, net::Request&) -> Result<net::Response> {
    AT_TRY(auto counts, s.alerts.counts_by_host(who.tenant));
    json::array list;
    for (const auto& host : s.hosts.list(who.tenant)) {
      auto one = to_json(host);
      one["alerts"] = counts_json(counts[host.name]);
      list.push_back(std::move(one));
    }
    return ok(json::object{{"hosts", std::move(list)}});
  });
  doors.add("GET", "~/hosts/{id}", Need::kViewer,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(auto host, find_host(s, who, request));
              AT_TRY(auto counts, s.alerts.counts_by_host(who.tenant));
              auto one = to_json(host);
              one["alerts"] = counts_json(counts[host.name]);
              return ok(one);
            });
  doors.add("DELETE", "~/hosts/{id}", Need::kOperator,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(auto host, find_host(s, who, request));
              AT_TRY(s.auth.delete_agent(who.tenant, host.id));
              AT_TRY(s.hosts.remove(who.tenant, host.id));
              s.agents.remove(who.tenant, host.id);
              s.removed(who.tenant, host);
              return net::Response::empty();
            });
}

}  // namespace

json::object to_json(const registry::Host& host) {
  json::object facts;
  for (const auto& [name, value] : host.facts) facts.emplace(name, value);
  json::object out{{"id", host.id.value()},
                   {"name", host.name},
                   {"state", name(host.state)},
                   {"version", host.version},
                   {"created", rfc3339(host.created)},
                   {"facts", std::move(facts)}};
  if (host.last_seen) out["last_seen"] = rfc3339(*host.last_seen);
  return out;
}

void add_host_routes(Doors& doors, HostServices services) {
  add_agent_doors(doors, services);
  add_hosts(doors, services);
}

}  // namespace atalaya::api
