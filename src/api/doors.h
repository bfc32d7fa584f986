// The one place where a request's credential is looked at before a route sees it.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "auth/service.h"
#include "net/http.h"
#include "net/worker_pool.h"

namespace atalaya::api {

constexpr std::string_view kPrefix = "/api/atalaya/v1";

/// What a route asks of its caller. kPage: a viewer who comes with the cookie of pages, and with nothing else.
/// kIngest: who may send samples, alerts, heartbeats and results of checks.
enum class Need { kPublic, kViewer, kOperator, kAdmin, kAgent, kPage, kIngest };

/// The cookie that opens pages, and never anything else (docs/formats/credentials.md).
constexpr std::string_view kPageCookie = "atalaya_pages";
/// Who comes with that cookie; unauthenticated without it.
Result<auth::Principal> admit_page(const auth::Service& service, const net::Request& request);

/// Runs on a worker thread; may block briefly.
using Action = std::function<Result<net::Response>(const auth::Principal& who, net::Request& request)>;
/// Answers when it can, from any thread.
using LaterAction = std::function<void(const auth::Principal& who, net::Request& request, net::Respond respond)>;
using SocketAction =
    std::function<Result<net::WebSocketOpened>(const auth::Principal& who, const net::Request& request)>;

/// Adds routes that authenticate, check the role and turn errors into answers. Lives until the
/// router is built; what it captures (service, principal) lives as long as the server.
class Doors {
 public:
  /// `everybody` is who all callers are when authentication is switched off.
  Doors(net::Router& router, auth::Service& service, std::optional<auth::Principal> everybody)
      : router_(router), service_(service), everybody_(std::move(everybody)) {}

  /// The same doors for an API of others, whose errors look otherwise: of the action, and of a caller who is refused.
  Doors with_errors(std::function<net::Response(const Error&)> error) const {
    auto out = *this;
    out.error_ = std::move(error);
    return out;
  }

  /// A pattern that begins with `/` after the prefix `~` (`~/hosts`) stands below `/api/atalaya/v1`.
  void add(std::string method, const std::string& pattern, Need need, Action action, net::RouteOptions options = {});
  /// For what waits for others without holding a thread meanwhile.
  void add_later(std::string method, const std::string& pattern, Need need, LaterAction action,
                 net::RouteOptions options = {});
  /// What viewers read, by GET and unchanged by it: at `~/<name>`, and for the widgets of pages at `/p/-/<name>`.
  void add_reading(const std::string& name, const Action& action);
  /// For protocols whose credential is in the body: its owner, if that may do it.
  Result<auth::Principal> admit_token(std::string_view token, Need need) const;
  /// Set when authentication is switched off.
  const std::optional<auth::Principal>& everybody() const { return everybody_; }
  /// For what may take minutes: the caller is looked at first, then `action` waits for a thread of `workers`
  /// instead of holding one that answers everybody. No room before them: resource_exhausted,
  /// with Retry-After.
  void add_slow(std::string method, const std::string& pattern, Need need, net::WorkerPool& workers, Action action,
                net::RouteOptions options = {});
  /// The credential of a socket is a ticket (`?ticket=`) or, for agents and programs, the usual.
  void add_socket(const std::string& pattern, Need need, SocketAction action);

 private:
  Result<auth::Principal> admit(const net::Request& request, Need need) const;

  net::Router& router_;
  auth::Service& service_;
  std::optional<auth::Principal> everybody_;
  std::function<net::Response(const Error&)> error_ = net::Response::error;
};

}  // namespace atalaya::api
