#include "api/doors.h"

#include <memory>

#include "base/check.h"

namespace atalaya::api {
namespace {

std::string full(const std::string& pattern) {
  return pattern.starts_with('~') ? std::string(kPrefix) + pattern.substr(1) : pattern;
}

auth::RequestView view(const net::Request& request) {
  return {[&request](std::string_view name) { return request.headers.get(name); },
          [&request](std::string_view name) { return request.query.get(name); }};
}

std::string_view cookie_of(const net::Request& request, std::string_view name) {
  auto left = request.headers.get("Cookie");
  while (!left.empty()) {
    const auto end = left.find(';');
    auto one = left.substr(0, end);
    left.remove_prefix(end == std::string_view::npos ? left.size() : end + 1);
    while (one.starts_with(' ')) one.remove_prefix(1);
    if (one.size() > name.size() && one.starts_with(name) && one[name.size()] == '=')
      return one.substr(name.size() + 1);
  }
  return {};
}

Status check_role(const auth::Principal& who, Need need) {
  switch (need) {
    case Need::kPublic: return {};
    case Need::kPage:
    case Need::kViewer: return auth::require(who, auth::Role::kViewer);
    case Need::kOperator: return auth::require(who, auth::Role::kOperator);
    case Need::kAdmin: return auth::require(who, auth::Role::kAdmin);
    case Need::kAgent: return auth::require_agent(who);
    case Need::kIngest: return auth::require_ingest(who);
  }
  AT_CHECK(false);
}

}  // namespace

Result<auth::Principal> admit_page(const auth::Service& service, const net::Request& request) {
  const auto cookie = cookie_of(request, kPageCookie);
  if (cookie.empty()) {
    return fail(ErrorCode::kUnauthenticated, "this needs the cookie of pages", "open the page from the web UI");
  }
  return service.authenticate_page(cookie);
}

Result<auth::Principal> Doors::admit(const net::Request& request, Need need) const {
  if (need == Need::kPublic) return auth::Principal{};
  if (everybody_ && need != Need::kAgent) return *everybody_;
  AT_TRY(auto who, need == Need::kPage ? admit_page(service_, request) : service_.authenticate(view(request)));
  AT_TRY(check_role(who, need));
  return who;
}

Result<auth::Principal> Doors::admit_token(std::string_view token, Need need) const {
  if (everybody_) return *everybody_;
  AT_TRY(auto who, service_.authenticate_token(token));
  AT_TRY(check_role(who, need));
  return who;
}

void Doors::add(std::string method, const std::string& pattern, Need need, Action action, net::RouteOptions options) {
  auto handler = [doors = *this, need, action = std::move(action)](net::Request request, const net::Respond& respond) {
    const auto who = doors.admit(request, need);
    if (!who) return respond(doors.error_(who.error()));
    auto answer = action(*who, request);
    respond(answer ? std::move(*answer) : doors.error_(answer.error()));
  };
  router_.add(std::move(method), full(pattern), std::move(handler), options);
}

void Doors::add_later(std::string method, const std::string& pattern, Need need, LaterAction action,
                      net::RouteOptions options) {
  auto handler = [doors = *this, need, action = std::move(action)](net::Request request, net::Respond respond) {
    const auto who = doors.admit(request, need);
    if (!who) return respond(doors.error_(who.error()));
    action(*who, request, std::move(respond));
  };
  router_.add(std::move(method), full(pattern), std::move(handler), options);
}

void Doors::add_reading(const std::string& name, const Action& action) {
  add("GET", "~/" + name, Need::kViewer, action);
  add("GET", "/p/-/" + name, Need::kPage,
      [action](const auth::Principal& who, net::Request& request) -> Result<net::Response> {
        AT_TRY(auto response, action(who, request));
        response.headers.set("Cache-Control", "no-store");
        return response;
      });
}

void Doors::add_slow(std::string method, const std::string& pattern, Need need, net::WorkerPool& workers, Action action,
                     net::RouteOptions options) {
  auto handler = [doors = *this, need, &workers, action = std::move(action)](net::Request request,
                                                                             const net::Respond& respond) {
    auto who = doors.admit(request, need);
    if (!who) return respond(doors.error_(who.error()));
    net::WorkerPool::Work work = [who = std::move(*who), request = std::move(request), respond, action,
                                  error = doors.error_]() mutable {
      auto answer = action(who, request);
      respond(answer ? std::move(*answer) : error(answer.error()));
    };
    if (workers.try_post(std::move(work))) return;
    auto full = doors.error_(
        {ErrorCode::kResourceExhausted, "too many such requests wait already", std::nullopt, "try again soon"});
    full.headers.set("Retry-After", "1");
    respond(std::move(full));
  };
  router_.add(std::move(method), full(pattern), std::move(handler), options);
}

void Doors::add_socket(const std::string& pattern, Need need, SocketAction action) {
  router_.add_websocket(
      full(pattern),
      [doors = *this, need, action = std::move(action)](const net::Request& request) -> Result<net::WebSocketOpened> {
        const auto ticket = request.query.get("ticket");
        auto who =
            ticket.empty() || need == Need::kAgent ? doors.admit(request, need) : doors.service_.redeem_ticket(ticket);
        if (!who) return std::unexpected(who.error());
        AT_TRY(check_role(*who, need));
        return action(*who, request);
      });
}

}  // namespace atalaya::api
