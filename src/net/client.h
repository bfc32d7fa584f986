// What an agent needs of the outside: HTTP requests, one WebSocket, TCP probes; asynchronous, on an
// EventLoop, small. (Notifications go through `net/curl`.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/time.h"
#include "net/event_loop.h"
#include "net/http.h"
#include "net/lookup.h"
#include "net/tls.h"

namespace atalaya::net {

/// How to reach servers: whom to trust, and through which HTTP proxy (by CONNECT, for every scheme).
struct ConnectOptions {
  TlsTrust tls;
  /// `http://[user:password@]host:port`; "" goes directly. The password appears in no error.
  std::string proxy;
  Duration connect_timeout{10'000};  ///< name, TCP, proxy and TLS together
  /// Asked of each address that the name has (with a proxy: the proxy's name), before anything is sent there. Those
  /// that it refuses are passed over; when none is left, its last error is the connection's. Null: all are good.
  std::function<Status(const SocketAddress&)> allow;
};

struct ClientRequest {
  std::string method = "GET";
  std::string url;  ///< http or https
  Headers headers;  ///< Host, Content-Length and Connection are ours
  std::string body;
  Duration timeout{30'000};  ///< the whole exchange
  std::uint64_t max_response_bytes = 8 << 20;
  /// Takes a connection that an earlier such request left open, and leaves it open. Where the server has closed it
  /// meanwhile, the request goes out once more over a new one: for methods that may be repeated.
  bool keep_alive = false;
};

struct ClientResponse {
  int status = 0;
  Headers headers;
  std::string body;
};

/// A connection a request, but for those with `keep_alive`: of these, connections that nobody uses stay open for
/// five minutes, at most 64 of them. Redirects are answers like any other. Never throws. Strand-bound to its
/// loop, except `send`, which any thread may call. Destroy it on the loop's thread or while the
/// loop does not run.
class HttpClient {
 public:
  using Done = std::function<void(Result<ClientResponse>)>;

  HttpClient(EventLoop& loop, ConnectOptions options);
  ~HttpClient();  ///< what is under way ends without its `done`
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// `done` is called once, on the loop, never inside this call. Codes: invalid_argument (URL),
  /// deadline_exceeded, unavailable (name, connection, TLS, proxy), permission_denied (pinned or
  /// untrusted certificate), too_large.
  void send(ClientRequest request, Done done);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

struct WebSocketClientOptions {
  std::string url;  ///< ws, wss (http and https are taken as these)
  Headers headers;  ///< sent with the upgrade, e.g. Authorization
  ConnectOptions connect;
  /// A peer that is silent this long is pinged at half time and given up at full time.
  Duration idle_timeout{30'000};
  std::uint64_t max_message_bytes = 8 << 20;
  std::uint64_t max_queue_bytes = 16 << 20;
};

/// Why a WebSocket is no more.
struct WebSocketEnd {
  Error error;
  int http_status = 0;           ///< of a refused upgrade
  std::uint16_t close_code = 0;  ///< the peer's, when it said goodbye
};

struct WebSocketClientEvents {
  std::function<void()> opened;
  std::function<void(std::string message, bool binary)> message;
  std::function<void(WebSocketEnd)> closed;  ///< last call, exactly once after `open`, unless destroyed before
};

/// One connection, opened once; make another to try again. Events run on the loop. Strand-bound to
/// its loop, except `send`, `close` and `queued_bytes`. Destroy like HttpClient; also inside an event.
class WebSocketClient {
 public:
  WebSocketClient(EventLoop& loop, WebSocketClientOptions options, WebSocketClientEvents events);
  ~WebSocketClient();  ///< drops the connection; no event follows
  WebSocketClient(const WebSocketClient&) = delete;
  WebSocketClient& operator=(const WebSocketClient&) = delete;

  void open();
  /// Messages leave in order. False, and nothing is queued, when not open or when the queue would
  /// pass its bound: the caller keeps the message and asks `queued_bytes` later.
  bool send(std::string message, bool binary = true);
  void close(std::uint16_t code, std::string reason);
  std::size_t queued_bytes() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

/// Tries a TCP connection and closes it. Strand-bound to its loop; the destructor cancels.
class TcpProbe {
 public:
  using Done = std::function<void(Status)>;

  /// `done` is called once on the loop, never inside the constructor: ok, deadline_exceeded, or
  /// unavailable with the system's words.
  TcpProbe(EventLoop& loop, std::string host, std::uint16_t port, Duration timeout, Done done);
  ~TcpProbe();
  TcpProbe(const TcpProbe&) = delete;
  TcpProbe& operator=(const TcpProbe&) = delete;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace atalaya::net
