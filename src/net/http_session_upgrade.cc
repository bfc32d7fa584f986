#include <boost/asio/post.hpp>

#include <exception>
#include <utility>

#include "net/http_session.h"
#include "net/responder.h"
#include "telemetry/log.h"

namespace atalaya::net {
namespace asio = boost::asio;
namespace {

/// What a handler holds of a WebSocket; may outlive the connection and the server's run.
class WebSocketHandle final : public WebSocket {
 public:
  WebSocketHandle(std::shared_ptr<HttpServer::Impl> server, std::shared_ptr<WebSocketConnection> connection)
      : server_(std::move(server)), connection_(std::move(connection)) {}

  bool send(std::string message, bool binary) override { return connection_->send(std::move(message), binary); }
  void close(std::uint16_t code, std::string reason) override { connection_->close(code, std::move(reason)); }
  std::size_t queued_bytes() const override { return connection_->queued_bytes(); }

 private:
  const std::shared_ptr<HttpServer::Impl> server_;  // first, so that the socket dies before its io_context
  const std::shared_ptr<WebSocketConnection> connection_;
};

}  // namespace

void HttpSession::dispatch_upgrade() {
  if (reader_.head().has_body()) {
    refuse(error_with_status(400, "a WebSocket upgrade has no body"));
    return;
  }
  phase_ = Phase::kHandling;
  clear_deadline();
  auto responder = std::make_shared<Responder>(server_.shared_from_this(), weak_from_this(), context_);
  WorkerPool::Work work = [self = weak_from_this(), server = server_.shared_from_this(), match = match_,
                           strand = strand_, request = request_, responder]() {
    auto decision = [&]() -> Result<WebSocketOpened> {
      try {
        return match->websocket(request);
      } catch (const std::exception& e) {
        telemetry::log_error("net", "a WebSocket handler threw", {{"route", match->pattern}, {"error", e.what()}});
        return fail(ErrorCode::kInternal, "internal error");
      }
    }();
    if (!decision) {
      responder->respond(Response::error(decision.error()));
      return;
    }
    asio::post(strand, [self, responder, opened = std::move(*decision)]() mutable {
      const auto session = self.lock();
      if (session && session->phase_ == Phase::kHandling) session->upgrade(std::move(opened));
    });
  };
  if (server_.workers->try_post(std::move(work))) return;
  server_.metrics.refused_requests.add();
  responder->respond(Response::error(Error{ErrorCode::kUnavailable, "the server is overloaded", {}, {}}));
}

void HttpSession::upgrade(WebSocketOpened opened) {
  phase_ = Phase::kWebSocket;
  const auto& options = server_.options;
  stream_->unread(std::exchange(incoming_, {}));
  WebSocketSettings settings;
  settings.max_message_bytes = options.websocket_max_message_bytes;
  settings.max_queue_bytes = options.websocket_max_queue_bytes;
  settings.idle_timeout = options.websocket_idle_timeout;
  settings.close_timeout = options.drain_timeout;
  settings.close_on_overflow = true;
  websocket_ = std::make_shared<WebSocketConnection>(std::move(*stream_), settings);
  stream_.reset();
  websocket_->accept(request_, {}, [self = shared_from_this(), opened = std::move(opened)](Status status, int) {
    self->websocket_accepted(opened, status);
  });
}

void HttpSession::websocket_accepted(const WebSocketOpened& opened, const Status& status) {
  if (!status || phase_ != Phase::kWebSocket) {
    end();
    return;
  }
  server_.metrics.count(match_->pattern, method_, 101, 0);
  server_.websocket_opened(1);
  WebSocketEvents events;
  bool threw = false;
  try {
    events = opened(std::make_shared<WebSocketHandle>(server_.shared_from_this(), websocket_));
  } catch (const std::exception& e) {
    telemetry::log_error("net", "a WebSocket handler threw", {{"route", match_->pattern}, {"error", e.what()}});
    threw = true;
  }
  WebSocketConnection::Callbacks callbacks;
  callbacks.message = std::move(events.message);
  callbacks.closed = [self = shared_from_this(), closed = std::move(events.closed)](const WebSocketEnd&) {
    if (closed) closed();
    self->end();
    self->server_.websocket_opened(-1);
  };
  websocket_->start(std::move(callbacks));
  if (threw) websocket_->close(1011, "internal error");
  if (stopping_) websocket_->close(1001, "the server stops");
}

}  // namespace atalaya::net
