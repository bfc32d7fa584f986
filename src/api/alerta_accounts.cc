// People and keys as Alerta's clients look them up: our accounts, tokens and roles. They are changed by our own API.
#include "api/alerta_json.h"
#include "api/alerta_query.h"

namespace atalaya::api::alerta {
namespace {

using auth::Principal;
using auth::Role;

constexpr Role kRoles[] = {Role::kIngest, Role::kViewer, Role::kOperator, Role::kAdmin};

/// What a role may do here, in Alerta's words.
json::array scopes_of(Role role) {
  switch (role) {
    case Role::kNone: return {};
    case Role::kIngest: return {"write:alerts", "write:heartbeats"};
    case Role::kViewer: return {"read"};
    case Role::kOperator: return {"read", "write"};
    case Role::kAdmin: return {"admin", "read", "write"};
  }
  return {};
}

json::object user_json(const AlertaServices& s, std::string_view id, std::string_view name, Role role) {
  return {{"id", id},
          {"href", href(s, "user", id)},
          {"name", name},
          {"login", name},
          {"email", name},
          {"status", "active"},
          {"roles", json::array{auth::name(role)}},
          {"attributes", json::object{}},
          {"text", ""},
          {"email_verified", false}};
}

Result<net::Response> keys(const AlertaServices& s, const Principal& who, const net::Request& request) {
  AT_TRY(const auto tokens, s.accounts.tokens(who.tenant));
  json::array list;
  for (const auto& token : tokens) {
    const bool active = !token.revoked && token.expires > s.clock.now();
    list.push_back(json::object{{"id", token.id},
                                {"key", token.id},  // The token itself is shown once, when it is made.
                                {"href", href(s, "key", token.id)},
                                {"status", active ? "active" : "expired"},
                                {"user", token.name},
                                {"scopes", scopes_of(token.role)},
                                {"type", token.role == Role::kViewer ? "read-only" : "read-write"},
                                {"text", token.name},
                                {"expireTime", rfc3339(token.expires)},
                                {"count", nullptr},
                                {"lastUsedTime", nullptr},
                                {"customer", nullptr}});
  }
  return page_of("keys", list, request.query);
}

Result<net::Response> users(const AlertaServices& s, const Principal& who, const net::Request& request) {
  AT_TRY(const auto known, s.accounts.users(who.tenant));
  json::array list;
  for (const auto& user : known) {
    auto one = user_json(s, user.id.value(), user.name, user.role);
    one["createTime"] = rfc3339(user.created);
    one["lastLogin"] = user.last_seen ? json::value(rfc3339(*user.last_seen)) : json::value(nullptr);
    list.push_back(std::move(one));
  }
  return page_of("users", list, request.query);
}

json::array permissions(const AlertaServices& s) {
  json::array list;
  for (const auto role : kRoles) {
    const auto name = auth::name(role);
    list.push_back(
        json::object{{"id", name}, {"href", href(s, "perm", name)}, {"match", name}, {"scopes", scopes_of(role)}});
  }
  return list;
}

net::Response me(const AlertaServices& s, const Principal& who) {
  return answer({{"user", user_json(s, who.subject, who.name, who.role)}});
}

net::Response userinfo(const Principal& who) {
  std::string scope;
  for (const auto& one : scopes_of(who.role)) scope += (scope.empty() ? "" : " ") + std::string(one.as_string());
  return net::Response::json(json::serialize(json::object{{"sub", who.subject},
                                                          {"name", who.name},
                                                          {"preferred_username", who.name},
                                                          {"provider", "basic"},
                                                          {"roles", json::array{auth::name(who.role)}},
                                                          {"scope", scope},
                                                          {"customers", json::array{}}}));
}

}  // namespace

void add_accounts(Doors& doors, const AlertaServices& s) {
  doors.add("GET", "/alerta/userinfo", Need::kViewer,
            [](const Principal& who, net::Request&) -> Result<net::Response> { return userinfo(who); });
  doors.add("GET", "/alerta/user/me", Need::kViewer,
            [s](const Principal& who, net::Request&) -> Result<net::Response> { return me(s, who); });
  doors.add("GET", "/alerta/user/me/attributes", Need::kViewer,
            [](const Principal&, net::Request&) -> Result<net::Response> {
              return answer({{"attributes", json::object{}}});
            });
  doors.add("GET", "/alerta/users", Need::kAdmin,
            [s](const Principal& who, net::Request& request) { return users(s, who, request); });
  doors.add("GET", "/alerta/keys", Need::kAdmin,
            [s](const Principal& who, net::Request& request) { return keys(s, who, request); });
  doors.add("GET", "/alerta/perms", Need::kViewer, [s](const Principal&, net::Request& request) {
    return page_of("permissions", permissions(s), request.query);
  });
  doors.add("GET", "/alerta/scopes", Need::kViewer, [](const Principal&, net::Request&) -> Result<net::Response> {
    json::array scopes{"read", "write", "admin", "write:alerts", "write:heartbeats"};
    const auto total = scopes.size();
    return answer({{"scopes", std::move(scopes)}, {"total", total}});
  });
  // Nobody is grouped, and no alert belongs to a customer alone.
  for (const std::string what : {"groups", "customers"}) {
    doors.add("GET", "/alerta/" + what, Need::kViewer,
              [what](const Principal&, net::Request& request) { return page_of(what, {}, request.query); });
  }
}

}  // namespace atalaya::api::alerta
