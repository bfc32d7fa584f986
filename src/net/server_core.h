// What listeners and sessions of one HttpServer share: for net's own sources.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "net/server.h"
#include "net/worker_pool.h"

namespace atalaya::net {

class HttpSession;

/// Requests by route, code and method, and how long they took. Thread-safe.
class HttpMetrics {
 public:
  explicit HttpMetrics(telemetry::Registry& registry);
  void count(const std::string& route, const std::string& method, int status, double seconds);

  telemetry::Gauge& connections;
  telemetry::Gauge& websockets;
  telemetry::Counter& refused_connections;
  telemetry::Counter& refused_requests;

 private:
  telemetry::Registry& registry_;
  std::mutex mutex_;
  std::map<std::tuple<std::string, std::string, int>, telemetry::Counter*> requests_;
  std::map<std::string, telemetry::Histogram*, std::less<>> durations_;
};

/// The io_context comes first, so it dies last: whoever may still post to it (a Respond, a
/// WebSocket in the hands of a handler) holds a reference to all of this.
struct HttpServer::Impl : std::enable_shared_from_this<HttpServer::Impl> {
  Impl(std::shared_ptr<const Router> r, ServerOptions o, telemetry::Registry& registry, const Clock& c);

  using Acceptor = boost::asio::ip::tcp::acceptor;

  boost::asio::io_context context;
  const std::shared_ptr<const Router> router;
  const ServerOptions options;
  const Clock& clock;
  HttpMetrics metrics;
  std::atomic<bool> stopping{false};

  mutable std::mutex mutex;           ///< guards the rest down to `io_threads`
  std::condition_variable none_left;  ///< a session or WebSocket ended
  std::unordered_set<std::shared_ptr<HttpSession>> sessions;
  std::unordered_map<std::string, std::size_t> sessions_by_address;  ///< without those that do not count
  std::size_t websocket_count = 0;
  std::shared_ptr<boost::asio::ssl::context> tls;  ///< null without TLS

  std::vector<std::thread> io_threads;
  std::vector<std::shared_ptr<Acceptor>> acceptors;
  std::vector<std::string> addresses;
  std::uint16_t first_port = 0;
  std::unique_ptr<WorkerPool> workers;
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> guard;
  bool started = false;

  Status bind();
  Status start();
  Status bind_to(const std::string& address);
  bool counts(const boost::asio::ip::address& address) const;
  void stop();
  void accept_next(const std::shared_ptr<Acceptor>& acceptor);
  void admit(boost::asio::ip::tcp::socket socket);
  std::shared_ptr<boost::asio::ssl::context> current_tls() const;

  void session_ended(const std::shared_ptr<HttpSession>& session);
  void websocket_opened(int change);
  bool wait_until_no_sessions(Duration at_most);
};

}  // namespace atalaya::net
