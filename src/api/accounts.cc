#include "api/accounts.h"

#include "api/json.h"

namespace atalaya::api {
namespace {

using auth::Principal;
using auth::Service;

constexpr std::size_t kMaxSecret = 2048;

json::object to_json(const auth::User& user) {
  json::object out{{"id", user.id.value()},
                   {"name", user.name},
                   {"role", auth::name(user.role)},
                   {"created", rfc3339(user.created)},
                   {"has_password", user.has_password}};
  if (user.last_seen) out["last_seen"] = rfc3339(*user.last_seen);
  return out;
}

net::Response signed_in(const auth::SignedIn& session) {
  auto user = to_json(session.user);
  user["tenant"] = session.tenant.value();
  auto answer = ok(json::object{{"access_token", session.access_token},
                                {"refresh_token", session.refresh_token},
                                {"expires_in", session.expires_in.count() / 1000},
                                {"user", std::move(user)}});
  answer.headers.set("Cache-Control", "no-store");
  return answer;
}

json::object to_json(const auth::TokenInfo& token) {
  return {{"id", token.id},
          {"name", token.name},
          {"role", auth::name(token.role)},
          {"created", rfc3339(token.created)},
          {"expires", rfc3339(token.expires)},
          {"revoked", token.revoked}};
}

void add_sessions(Doors& doors, Service& service) {
  doors.add("POST", "~/auth/sign-in", Need::kPublic,
            [&service](const Principal&, net::Request& request) -> Result<net::Response> {
              AT_TRY(auto body, Fields::parse(request));
              const auto user = body.text("user", 256);
              const auto password = body.text("password", kMaxSecret);
              const TenantId tenant{body.text_or("tenant", default_tenant().value(), 64)};
              AT_TRY(body.finish());
              AT_TRY(auto session, service.sign_in(tenant, user, password, request.remote_address));
              return signed_in(session);
            });
  doors.add("POST", "~/auth/link", Need::kPublic,
            [&service](const Principal&, net::Request& request) -> Result<net::Response> {
              AT_TRY(auto body, Fields::parse(request));
              const auto link = body.text("link", kMaxSecret);
              AT_TRY(body.finish());
              AT_TRY(auto session, service.sign_in_with_link(link, request.remote_address));
              return signed_in(session);
            });
  doors.add("POST", "~/auth/refresh", Need::kPublic,
            [&service](const Principal&, net::Request& request) -> Result<net::Response> {
              AT_TRY(auto body, Fields::parse(request));
              const auto token = body.text("refresh_token", kMaxSecret);
              AT_TRY(body.finish());
              AT_TRY(auto session, service.refresh(token));
              return signed_in(session);
            });
  doors.add("POST", "~/auth/sign-out", Need::kPublic,
            [&service](const Principal&, net::Request& request) -> Result<net::Response> {
              AT_TRY(auto body, Fields::parse(request));
              const auto token = body.text("refresh_token", kMaxSecret);
              AT_TRY(body.finish());
              AT_TRY(service.sign_out(token));
              return net::Response::empty();
            });
  doors.add("GET", "~/auth/me", Need::kViewer,
            [&service](const Principal& who, net::Request&) -> Result<net::Response> {
              json::object out{{"id", who.subject},
                               {"name", who.name},
                               {"role", auth::name(who.role)},
                               {"tenant", who.tenant.value()},
                               {"kind", auth::name(who.kind)}};
              if (who.kind == auth::Kind::kUser) {
                if (const auto user = service.user(who.tenant, UserId{who.subject}))
                  out["has_password"] = user->has_password;
              }
              return ok(out);
            });
  doors.add("POST", "~/auth/ws-ticket", Need::kViewer,
            [&service](const Principal& who, net::Request&) -> Result<net::Response> {
              AT_TRY(auto ticket, service.create_ticket(who));
              return ok(json::object{{"ticket", ticket.ticket}, {"expires_in", ticket.expires_in.count() / 1000}});
            });
  doors.add("POST", "~/auth/password", Need::kViewer,
            [&service](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(auto body, Fields::parse(request));
              const auto old_password = body.text_or("old", "", kMaxSecret);
              const auto new_password = body.text("new", kMaxSecret);
              AT_TRY(body.finish());
              AT_TRY(service.change_password(who, old_password, new_password));
              return net::Response::empty();
            });
}

void add_users(Doors& doors, Service& service) {
  doors.add("GET", "~/users", Need::kAdmin, [&service](const Principal& who, net::Request&) -> Result<net::Response> {
    AT_TRY(auto users, service.users(who.tenant));
    json::array list;
    for (const auto& user : users) list.push_back(to_json(user));
    return ok(json::object{{"users", std::move(list)}});
  });
  doors.add("POST", "~/users", Need::kAdmin,
            [&service](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(auto body, Fields::parse(request));
              const auto name = body.text("name", 256);
              const auto password = body.text_or("password", "", kMaxSecret);
              const auto role_text = body.text("role", 32);
              AT_TRY(body.finish());
              AT_TRY(auto role, auth::parse_role(role_text));
              AT_TRY(auto user, service.create_user(who.tenant, name, password, role));
              return ok(to_json(user), 201);
            });
  doors.add("PATCH", "~/users/{id}", Need::kAdmin,
            [&service](const Principal& who, net::Request& request) -> Result<net::Response> {
              const UserId id{std::string(request.captures.get("id"))};
              AT_TRY(auto body, Fields::parse(request));
              const auto role_text = body.text_or("role", "", 32);
              const auto password = body.text_or("password", "", kMaxSecret);
              AT_TRY(body.finish());
              if (!role_text.empty()) {
                AT_TRY(auto role, auth::parse_role(role_text));
                AT_TRY(service.set_role(who.tenant, id, role));
              }
              if (!password.empty()) AT_TRY(service.set_password(who.tenant, id, password));
              AT_TRY(auto user, service.user(who.tenant, id));
              return ok(to_json(user));
            });
  doors.add("DELETE", "~/users/{id}", Need::kAdmin,
            [&service](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(service.delete_user(who.tenant, UserId{std::string(request.captures.get("id"))}));
              return net::Response::empty();
            });
}

void add_tokens(Doors& doors, Service& service) {
  doors.add("GET", "~/tokens", Need::kAdmin, [&service](const Principal& who, net::Request&) -> Result<net::Response> {
    AT_TRY(auto tokens, service.tokens(who.tenant));
    json::array list;
    for (const auto& token : tokens) list.push_back(to_json(token));
    return ok(json::object{{"tokens", std::move(list)}});
  });
  doors.add("POST", "~/tokens", Need::kAdmin,
            [&service](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(auto body, Fields::parse(request));
              const auto name = body.text("name", 256);
              const auto role_text = body.text("role", 32);
              const auto ttl = body.duration_or("ttl", std::chrono::hours{24 * 90});
              AT_TRY(body.finish());
              AT_TRY(auto role, auth::parse_role(role_text));
              AT_TRY(auto made, service.create_token(who.tenant, name, role, ttl));
              auto out = to_json(made.info);
              out["token"] = made.token;
              auto answer = ok(out, 201);
              answer.headers.set("Cache-Control", "no-store");
              return answer;
            });
  doors.add("DELETE", "~/tokens/{id}", Need::kAdmin,
            [&service](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(service.revoke_token(who.tenant, request.captures.get("id")));
              return net::Response::empty();
            });
}

}  // namespace

void add_account_routes(Doors& doors, Service& service) {
  add_sessions(doors, service);
  add_users(doors, service);
  add_tokens(doors, service);
}

}  // namespace atalaya::api
