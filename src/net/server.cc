#include "net/server.h"

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include "base/check.h"
#include "net/http_session.h"
#include "net/server_core.h"
#include "net/url.h"
#include "telemetry/log.h"

namespace atalaya::net {
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

Result<tcp::endpoint> resolve_listener(asio::io_context& context, const HostPort& address) {
  ErrorCodeAsio error;
  if (address.host.empty() || address.host == "*") return tcp::endpoint(tcp::v6(), address.port);
  const auto literal = asio::ip::make_address(address.host, error);
  if (!error) return tcp::endpoint(literal, address.port);
  const auto found = tcp::resolver(context).resolve(address.host, std::to_string(address.port), error);
  if (error || found.empty())
    return fail(ErrorCode::kInvalidArgument, "listen address '" + address.host + "': " + error.message());
  for (const auto& entry : found)
    if (entry.endpoint().address().is_v4()) return entry.endpoint();
  return found.begin()->endpoint();
}

std::unexpected<Error> fail_listen(const std::string& address, const ErrorCodeAsio& error) {
  if (error == asio::error::address_in_use)
    return fail(ErrorCode::kAlreadyExists, "port in use: another program listens on " + address,
                "stop it or choose another address with --listen");
  if (error == asio::error::access_denied)
    return fail(ErrorCode::kPermissionDenied, "not allowed to listen on " + address,
                "choose a port above 1023 or grant CAP_NET_BIND_SERVICE");
  return fail(ErrorCode::kInvalidArgument, "cannot listen on " + address + ": " + error.message());
}

}  // namespace

HttpMetrics::HttpMetrics(telemetry::Registry& registry)
    : connections(registry.gauge("atalaya_http_connections", "Open connections, WebSockets included.")),
      websockets(registry.gauge("atalaya_websocket_connections", "Open WebSockets.")),
      refused_connections(registry.counter("atalaya_http_refused_total", "Connections and requests refused for load.",
                                           {{"what", "connection"}})),
      refused_requests(registry.counter("atalaya_http_refused_total", "Connections and requests refused for load.",
                                        {{"what", "request"}})),
      registry_(registry) {}

void HttpMetrics::count(const std::string& route, const std::string& method, int status, double seconds) {
  const std::lock_guard lock(mutex_);
  auto& requests = requests_[{route, method, status}];
  if (!requests)
    requests = &registry_.counter("atalaya_http_requests_total", "Answered HTTP requests.",
                                  {{"code", std::to_string(status)}, {"method", method}, {"route", route}});
  requests->add();
  auto& duration = durations_[route];
  if (!duration)
    duration =
        &registry_.histogram("atalaya_http_request_duration_seconds", "From the first byte of a request to its answer.",
                             {0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30}, {{"route", route}});
  if (status != 101) duration->observe(seconds);
}

HttpServer::Impl::Impl(std::shared_ptr<const Router> r, ServerOptions o, telemetry::Registry& registry, const Clock& c)
    : router(std::move(r)), options(std::move(o)), clock(c), metrics(registry) {
  AT_CHECK(router && options.io_threads > 0 && options.worker_threads > 0);
}

Status HttpServer::Impl::bind_to(const std::string& text) {
  AT_TRY(const auto address, parse_host_port(text));
  AT_TRY(auto endpoint, resolve_listener(context, address));
  if (!endpoint.address().is_loopback() && !options.tls && !options.insecure_http)
    return fail(ErrorCode::kPermissionDenied, "refusing to serve " + text + " without TLS: passwords would be readable",
                "give --tls-cert and --tls-key, listen on 127.0.0.1, or say --insecure-http");
  auto acceptor = std::make_shared<Acceptor>(asio::any_io_executor(asio::make_strand(context)));
  ErrorCodeAsio error;
  acceptor->open(endpoint.protocol(), error);
  if (error && (address.host.empty() || address.host == "*")) {  // a machine without IPv6
    endpoint = tcp::endpoint(tcp::v4(), address.port);
    acceptor->open(endpoint.protocol(), error);
  }
  if (!error) acceptor->set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && endpoint.address().is_v6() && endpoint.address().is_unspecified())
    acceptor->set_option(asio::ip::v6_only(false), error);
  if (!error) acceptor->bind(endpoint, error);
  if (error) return fail_listen(text, error);
  const auto bound = acceptor->local_endpoint(error);
  addresses.push_back(to_string(HostPort{bound.address().to_string(), bound.port()}));
  if (first_port == 0) first_port = bound.port();
  acceptors.push_back(std::move(acceptor));
  return {};
}

Status HttpServer::Impl::bind() {
  AT_CHECK(!started && !stopping && acceptors.empty());
  if (options.tls) {
    AT_TRY(tls, make_server_context(options.tls->cert_file, options.tls->key_file));
  }
  for (const auto& address : options.listen) {
    if (auto status = bind_to(address); !status) {
      acceptors.clear();
      addresses.clear();
      first_port = 0;
      return status;
    }
  }
  return {};
}

Status HttpServer::Impl::start() {
  AT_CHECK(!started && !stopping);
  if (acceptors.empty()) AT_TRY(bind());
  for (std::size_t i = 0; i < acceptors.size(); ++i) {
    ErrorCodeAsio error;
    acceptors[i]->listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      const auto address = addresses[i];
      acceptors.clear();
      return fail_listen(address, error);
    }
  }
  started = true;
  workers = std::make_unique<WorkerPool>(options.worker_threads, options.worker_queue);
  guard.emplace(context.get_executor());
  for (const auto& acceptor : acceptors)
    asio::post(acceptor->get_executor(), [self = shared_from_this(), acceptor] { self->accept_next(acceptor); });
  for (std::size_t i = 0; i < options.io_threads; ++i) io_threads.emplace_back([this] { context.run(); });
  return {};
}

// The handlers hold a plain pointer: what is pending in the io_context must not keep its owner, and
// `stop` lets it run dry first.
void HttpServer::Impl::accept_next(const std::shared_ptr<Acceptor>& acceptor) {
  if (stopping || !acceptor->is_open()) return;
  acceptor->async_accept(asio::any_io_executor(asio::make_strand(context)),
                         [this, acceptor](const ErrorCodeAsio& error, tcp::socket socket) {
                           if (stopping || error == asio::error::operation_aborted) return;
                           if (!error) {
                             admit(std::move(socket));
                             accept_next(acceptor);
                             return;
                           }
                           // Out of descriptors, most likely: some will be given back.
                           telemetry::log_warn("net", "accept failed", {{"error", error.message()}});
                           auto pause = std::make_shared<asio::steady_timer>(acceptor->get_executor());
                           pause->expires_after(std::chrono::milliseconds(100));
                           pause->async_wait([this, acceptor, pause](const ErrorCodeAsio&) { accept_next(acceptor); });
                         });
}

bool HttpServer::Impl::counts(const asio::ip::address& address) const {
  return options.max_connections_per_address != 0 && (options.limit_loopback || !address.is_loopback());
}

void HttpServer::Impl::admit(tcp::socket socket) {
  ErrorCodeAsio error;
  const auto remote = socket.remote_endpoint(error);
  if (error) return;
  auto address = remote.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  const auto strand = socket.get_executor();
  std::shared_ptr<HttpSession> session;
  {
    const std::lock_guard lock(mutex);
    if (stopping) return;
    auto* of_address = counts(address) ? &sessions_by_address[address.to_string()] : nullptr;
    if (sessions.size() >= options.max_connections ||
        (of_address != nullptr && *of_address >= options.max_connections_per_address)) {
      if (of_address != nullptr && *of_address == 0) sessions_by_address.erase(address.to_string());
      metrics.refused_connections.add();
      return;
    }
    if (of_address != nullptr) ++*of_address;
    session = std::make_shared<HttpSession>(*this, std::move(socket), address.to_string());
    sessions.insert(session);
    metrics.connections.set(static_cast<double>(sessions.size()));
  }
  asio::post(strand, [session] { session->start(); });
}

void HttpServer::Impl::session_ended(const std::shared_ptr<HttpSession>& session) {
  const std::lock_guard lock(mutex);
  if (sessions.erase(session) > 0) {
    if (const auto of_address = sessions_by_address.find(session->peer());
        of_address != sessions_by_address.end() && --of_address->second == 0) {
      sessions_by_address.erase(of_address);
    }
  }
  metrics.connections.set(static_cast<double>(sessions.size()));
  none_left.notify_all();
}

void HttpServer::Impl::websocket_opened(int change) {
  const std::lock_guard lock(mutex);
  websocket_count += static_cast<std::size_t>(change);
  metrics.websockets.set(static_cast<double>(websocket_count));
  none_left.notify_all();
}

bool HttpServer::Impl::wait_until_no_sessions(Duration at_most) {
  std::unique_lock lock(mutex);
  return none_left.wait_for(lock, at_most, [this] { return sessions.empty() && websocket_count == 0; });
}

std::shared_ptr<asio::ssl::context> HttpServer::Impl::current_tls() const {
  const std::lock_guard lock(mutex);
  return tls;
}

void HttpServer::Impl::stop() {
  if (!started || stopping.exchange(true)) return;
  for (const auto& acceptor : acceptors)
    asio::post(acceptor->get_executor(), [acceptor] {
      ErrorCodeAsio ignored;
      acceptor->close(ignored);
    });
  const auto each_session = [this](void (HttpSession::*action)()) {
    const std::lock_guard lock(mutex);
    for (const auto& session : sessions) ((*session).*action)();
  };
  each_session(&HttpSession::begin_stop);
  if (!wait_until_no_sessions(options.drain_timeout)) {
    each_session(&HttpSession::abort);
    wait_until_no_sessions(options.drain_timeout);
  }
  workers->stop();
  guard.reset();
  context.stop();  // timers of closed WebSockets would hold the threads
  for (auto& thread : io_threads) thread.join();
  // What is ready may hold a reference to this: run it, or neither would ever be freed.
  context.restart();
  context.poll();
}

HttpServer::HttpServer(std::shared_ptr<const Router> router, ServerOptions options, telemetry::Registry& registry,
                       const Clock& clock)
    : impl_(std::make_shared<Impl>(std::move(router), std::move(options), registry, clock)) {}
HttpServer::~HttpServer() { stop(); }

Status HttpServer::bind() { return impl_->bind(); }
Status HttpServer::start() { return impl_->start(); }
void HttpServer::stop() { impl_->stop(); }
std::vector<std::string> HttpServer::addresses() const { return impl_->addresses; }
std::uint16_t HttpServer::port() const { return impl_->first_port; }

Status HttpServer::reload_certificate() {
  if (!impl_->options.tls) return {};
  AT_TRY(auto fresh, make_server_context(impl_->options.tls->cert_file, impl_->options.tls->key_file));
  const std::lock_guard lock(impl_->mutex);
  impl_->tls = std::move(fresh);
  return {};
}

}  // namespace atalaya::net
