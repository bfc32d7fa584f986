// The HTTP/1.1 and WebSocket server: one port, TLS or not, every route of the program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "net/http.h"
#include "telemetry/metrics.h"

namespace atalaya::net {

struct TlsFiles {
  std::string cert_file;  ///< PEM, the server's certificate first, then its chain
  std::string key_file;
};

struct ServerOptions {
  /// `host:port` each; port 0 lets the system choose (see `addresses`).
  std::vector<std::string> listen = {"127.0.0.1:2001"};
  /// For every listener. Without it only loopback addresses are accepted, unless `insecure_http`.
  std::optional<TlsFiles> tls;
  bool insecure_http = false;

  std::size_t io_threads = 1;
  std::size_t worker_threads = 4;
  std::size_t worker_queue = 256;  ///< requests waiting for a worker; above: 503 with Retry-After
  std::size_t max_connections = 1024;
  std::size_t max_connections_per_address = 256;  ///< so that no client takes all; 0: no such limit
  bool limit_loopback = false;                    ///< programs of this machine, a proxy for instance, count as well
  std::size_t max_header_bytes = 16 << 10;

  Duration header_timeout{10'000};  ///< from the first byte of a request (or the connection) to its blank line
  Duration body_timeout{30'000};    ///< without a byte of the body
  Duration idle_timeout{75'000};    ///< between requests
  Duration write_timeout{30'000};   ///< without the client taking a byte
  Duration drain_timeout{5'000};    ///< what `stop` gives to requests under way

  /// Other origins whose pages may call (`https://ui.example.org`, or `*`); never with cookies.
  std::vector<std::string> cors_origins;
  /// Where a path begins with one of these, an unknown address or method is answered with a line of text, as Go's
  /// servers do: for APIs whose programs know that.
  std::vector<std::string> plain_refusals;
  /// Content-Security-Policy of every answer that sets none; "" sends none.
  std::string content_security_policy;

  std::uint64_t websocket_max_message_bytes = 8 << 20;
  std::uint64_t websocket_max_queue_bytes = 4 << 20;  ///< a slower reader is closed with 1013
  /// A silent peer is pinged at half time and given up at full time.
  Duration websocket_idle_timeout{40'000};
};

/// Reads requests on its I/O threads, runs handlers on a bounded pool of workers, answers in order.
/// Keep-alive and pipelining, gzip both ways, CORS, limits and time-outs as in the options. Counts
/// atalaya_http_requests_total{code,method,route} and atalaya_http_request_duration_seconds{route}.
/// Thread-safe. The registry and the clock must outlive it.
class HttpServer {
 public:
  HttpServer(std::shared_ptr<const Router> router, ServerOptions options, telemetry::Registry& registry,
             const Clock& clock);
  ~HttpServer();  ///< stops
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Binds every listener or none, and takes no connection yet: `addresses` and `port` are known from
  /// here on. Errors as of `start`, which does it where it was not done.
  Status bind();
  /// Binds every listener or none. already_exists: port in use; permission_denied: the port, or plain
  /// HTTP beyond loopback; invalid_argument: the address, certificate or key.
  Status start();
  /// Closes the listeners and idle connections, lets requests under way finish (`drain_timeout`),
  /// closes WebSockets with 1001, joins all threads. Idempotent; not from a handler.
  void stop();
  /// What it listens on, with the ports chosen, in the order of the options.
  std::vector<std::string> addresses() const;
  /// Port of the first listener; 0 before `start`.
  std::uint16_t port() const;
  /// Reads certificate and key again for connections to come; after an error the old ones stay.
  Status reload_certificate();

  struct Impl;  ///< for net's own sources

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace atalaya::net
