// HTTP as plain types: what a route sees. Beast stays inside `net`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace atalaya::net {

/// Names compare case-insensitively; order and repeats are kept.
class Headers {
 public:
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  void set(std::string name, std::string value);
  /// First value, or "".
  std::string_view get(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// Decoded `a=b&c=d`, from a query string or a form body; order and repeats are kept.
class Parameters {
 public:
  static Parameters parse(std::string_view encoded);
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  std::string_view get(std::string_view name) const;  ///< first value, or ""
  bool has(std::string_view name) const;
  std::vector<std::string> all(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct Request {
  std::string method;  ///< upper case
  std::string path;    ///< percent-decoded, normalised: no `.` or `..`
  Parameters query;
  Headers headers;
  std::string body;     ///< complete, at most the route's bound, already gunzipped if it said gzip
  Parameters captures;  ///< `{id}` parts of the route's pattern
  std::string remote_address;
  bool tls = false;
  Steady arrived{};      ///< its first byte, by the server's clock
  std::stop_token gone;  ///< asked to stop once nobody waits for the answer any more
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  /// Used instead of `body` when set: bytes that live as long as the program (embedded files).
  std::optional<std::string_view> static_body;

  static Response json(std::string text, int status = 200);
  static Response text(std::string text, int status = 200);
  static Response empty(int status = 204);
  /// `{"status":"error","errorType":…,"error":…}` and, when known, `"place"` and `"remedy"`: the one
  /// shape of every error answer.
  static Response error(const Error& error);
};

/// Call once, from any thread. If every copy dies uncalled the client gets 500.
using Respond = std::function<void(Response)>;
/// Runs on a worker thread and may block briefly; the request is the handler's.
using Handler = std::function<void(Request request, Respond respond)>;

/// One server side WebSocket. Thread-safe.
class WebSocket {
 public:
  virtual ~WebSocket() = default;
  /// Queued; messages leave in order. False, and the socket closes with 1013, when more than the
  /// bound would wait: a reader too slow must come again and catch up.
  virtual bool send(std::string message, bool binary = false) = 0;
  virtual void close(std::uint16_t code, std::string reason) = 0;
  virtual std::size_t queued_bytes() const = 0;
};

/// What the owner of a socket gives; called on the socket's strand, so never two at once. `message`
/// must be short or hand the work on; until it returns the peer is not read (back-pressure).
struct WebSocketEvents {
  std::function<void(std::string message, bool binary)> message;
  std::function<void()> closed;  ///< last call
};

/// Decides about an upgrade: either the events of the new socket, given the socket, or an error
/// that is answered over plain HTTP.
using WebSocketOpened = std::function<WebSocketEvents(std::shared_ptr<WebSocket>)>;
using WebSocketHandler = std::function<Result<WebSocketOpened>(const Request& request)>;

class WorkerPool;

struct RouteOptions {
  std::uint64_t max_body_bytes = 1 << 20;
  /// Runs the handler instead of the server's own pool, for routes that must not hold up others; outlives the server.
  WorkerPool* workers = nullptr;
};

/// Patterns are literal segments, `{name}` for one segment, and a final `{name...}` for the rest.
/// Literals win over captures. Fill before the server starts; then immutable.
class Router {
 public:
  Router();
  ~Router();
  void add(std::string method, std::string pattern, Handler handler, RouteOptions options = {});
  void add_websocket(std::string pattern, WebSocketHandler handler);
  /// `METHOD pattern` of every route, sorted: compared with the API document by a test.
  std::vector<std::string> routes() const;

  struct Match;
  /// not_found, or invalid method with the allowed ones.
  const Match* find(std::string_view method, std::string_view path, Parameters& captures,
                    std::vector<std::string>& allowed) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace atalaya::net
