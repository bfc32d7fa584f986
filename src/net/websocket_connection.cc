#include "net/websocket_connection.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <utility>

namespace atalaya::net {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;

/// Neither side compresses: the messages of agents are compressed already, those for browsers small.
using Stream = websocket::stream<ByteStream, false>;

struct WebSocketConnection::Impl {
  Impl(ByteStream stream, const WebSocketSettings& settings)
      : socket(std::move(stream)), close_timer(socket.get_executor()) {
    websocket::stream_base::timeout timeout{};
    timeout.handshake_timeout = std::chrono::seconds(10);
    timeout.idle_timeout = settings.idle_timeout;
    timeout.keep_alive_pings = true;
    socket.set_option(timeout);
    socket.read_message_max(settings.max_message_bytes);
    socket.auto_fragment(false);
  }

  Stream socket;
  asio::steady_timer close_timer;
  beast::flat_buffer incoming;
  http::request<http::empty_body> upgrade;
  websocket::response_type answer;
};

WebSocketConnection::WebSocketConnection(ByteStream stream, WebSocketSettings settings)
    : settings_(settings),
      executor_(stream.get_executor()),
      impl_(std::make_unique<Impl>(std::move(stream), settings_)) {}

WebSocketConnection::~WebSocketConnection() = default;

void WebSocketConnection::accept(const Request& request, Headers response_headers, Opened opened) {
  impl_->upgrade.method(http::verb::get);
  impl_->upgrade.version(11);
  impl_->upgrade.target("/");
  for (const auto& [name, value] : request.headers.fields()) impl_->upgrade.insert(name, value);
  impl_->socket.set_option(
      websocket::stream_base::decorator([headers = std::move(response_headers)](websocket::response_type& response) {
        response.erase(http::field::server);
        for (const auto& [name, value] : headers.fields()) response.insert(name, value);
      }));
  impl_->socket.async_accept(
      impl_->upgrade, [self = shared_from_this(), opened = std::move(opened)](const ErrorCodeAsio& error) {
        if (error) {
          opened(fail(ErrorCode::kInvalidArgument, "WebSocket upgrade: " + error.message()), 400);
          return;
        }
        self->set_open();
        opened({}, 101);
      });
}

void WebSocketConnection::handshake(const std::string& host, const std::string& target, const Headers& headers,
                                    Opened opened) {
  impl_->socket.set_option(
      websocket::stream_base::decorator([fields = headers.fields()](websocket::request_type& request) {
        for (const auto& [name, value] : fields) request.insert(name, value);
      }));
  impl_->socket.async_handshake(
      impl_->answer, host, target, [self = shared_from_this(), opened = std::move(opened)](const ErrorCodeAsio& error) {
        if (!error) {
          self->set_open();
          opened({}, 101);
          return;
        }
        if (error == websocket::error::upgrade_declined) {
          const int status = static_cast<int>(self->impl_->answer.result_int());
          const auto code = status == 401   ? ErrorCode::kUnauthenticated
                            : status == 403 ? ErrorCode::kPermissionDenied
                                            : ErrorCode::kUnavailable;
          opened(fail(code, "the server refused the WebSocket with HTTP status " + std::to_string(status)), status);
          return;
        }
        const bool late = error == beast::error::timeout;
        opened(fail(late ? ErrorCode::kDeadlineExceeded : ErrorCode::kUnavailable,
                    "WebSocket upgrade: " + error.message()),
               0);
      });
}

void WebSocketConnection::start(Callbacks callbacks) {
  callbacks_ = std::make_shared<Callbacks>(std::move(callbacks));
  read_next();
}

void WebSocketConnection::set_open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
}

void WebSocketConnection::read_next() {
  impl_->socket.async_read(impl_->incoming, [self = shared_from_this()](const ErrorCodeAsio& error, std::size_t) {
    if (error) {
      self->finish(error, "read");
      return;
    }
    auto& incoming = self->impl_->incoming;
    const auto bytes = incoming.cdata();
    std::string message(static_cast<const char*>(bytes.data()), bytes.size());
    const bool binary = self->impl_->socket.got_binary();
    incoming.consume(incoming.size());
    if (incoming.capacity() > (256u << 10)) incoming.shrink_to_fit();
    const auto callbacks = self->callbacks_;  // `forget` may be called inside
    if (callbacks && callbacks->message) callbacks->message(std::move(message), binary);
    if (!self->finished_) self->read_next();
  });
}

bool WebSocketConnection::send(std::string message, bool binary) {
  bool overflow = false;
  {
    const std::lock_guard lock(mutex_);
    if (!open_ || goodbye_) return false;
    if (queued_bytes_ + message.size() > settings_.max_queue_bytes) {
      if (!settings_.close_on_overflow) return false;
      overflow = true;
      goodbye_ = Goodbye{1013, "too slow: come again"};
      while (queue_.size() > 1) {  // the first may be under way
        queued_bytes_ -= queue_.back().bytes.size();
        queue_.pop_back();
      }
    } else {
      queued_bytes_ += message.size();
      queue_.push_back({std::move(message), binary});
    }
    if (!overflow && queue_.size() > 1) return true;  // a write is under way or about to be
  }
  asio::post(executor_, [self = shared_from_this()] { self->write_next(); });
  return !overflow;
}

void WebSocketConnection::close(std::uint16_t code, std::string reason) {
  {
    const std::lock_guard lock(mutex_);
    if (!open_ || goodbye_) return;
    if (reason.size() > 120) reason.resize(120);  // a control frame holds 125 bytes
    goodbye_ = Goodbye{code, std::move(reason)};
  }
  asio::post(executor_, [self = shared_from_this()] { self->write_next(); });
}

std::size_t WebSocketConnection::queued_bytes() const {
  const std::lock_guard lock(mutex_);
  return queued_bytes_;
}

void WebSocketConnection::write_next() {
  if (finished_ || closing_) return;
  const Outgoing* next = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (goodbye_ && impl_->close_timer.expiry() == asio::steady_timer::time_point()) {
      // From now on there is an end, also when the peer takes nothing any more.
      impl_->close_timer.expires_after(settings_.close_timeout);
      impl_->close_timer.async_wait([self = shared_from_this()](const ErrorCodeAsio& error) {
        if (!error) self->abort();
      });
    }
    if (!writing_ && !queue_.empty()) next = &queue_.front();  // only this strand pops
    writing_ = writing_ || next;
  }
  if (!next) {
    if (!writing_) begin_close();
    return;
  }
  impl_->socket.binary(next->binary);
  impl_->socket.async_write(asio::buffer(next->bytes),
                            [self = shared_from_this()](const ErrorCodeAsio& error, std::size_t) {
                              self->writing_ = false;
                              {
                                const std::lock_guard lock(self->mutex_);
                                self->queued_bytes_ -= self->queue_.front().bytes.size();
                                self->queue_.pop_front();
                              }
                              if (error)
                                self->finish(error, "write");
                              else
                                self->write_next();
                            });
}

void WebSocketConnection::begin_close() {
  Goodbye goodbye;
  {
    const std::lock_guard lock(mutex_);
    if (!goodbye_) return;
    goodbye = *goodbye_;
  }
  closing_ = true;
  impl_->socket.async_close({static_cast<websocket::close_code>(goodbye.code), goodbye.reason},
                            [self = shared_from_this()](const ErrorCodeAsio& error) {
                              self->finish(error ? error : websocket::error::closed, "close");
                            });
}

void WebSocketConnection::abort() { impl_->socket.next_layer().close(); }

void WebSocketConnection::forget() {
  callbacks_.reset();
  abort();
}

void WebSocketConnection::finish(const ErrorCodeAsio& error, std::string what) {
  if (std::exchange(finished_, true)) return;
  WebSocketEnd end;
  {
    const std::lock_guard lock(mutex_);
    open_ = false;
    if (goodbye_) end.error = {ErrorCode::kCancelled, "closed by this side", {}, {}};
  }
  if (error == websocket::error::closed && end.error.message.empty()) {
    end.close_code = impl_->socket.reason().code;
    end.error = {ErrorCode::kUnavailable,
                 "the peer closed with " + std::to_string(end.close_code) + " " + impl_->socket.reason().reason.c_str(),
                 {},
                 {}};
  } else if (error == beast::error::timeout) {
    end.error = {
        ErrorCode::kDeadlineExceeded, "the peer was silent for " + format_duration(settings_.idle_timeout), {}, {}};
  } else if (error == websocket::error::message_too_big || error == websocket::error::buffer_overflow) {
    end.error = {ErrorCode::kTooLarge,
                 "a message of more than " + std::to_string(settings_.max_message_bytes) + " bytes",
                 {},
                 {}};
  } else if (end.error.message.empty()) {
    end.error = {ErrorCode::kUnavailable, what + ": " + error.message(), {}, {}};
  }
  impl_->close_timer.cancel();
  abort();
  const auto callbacks = std::exchange(callbacks_, nullptr);
  if (callbacks && callbacks->closed) callbacks->closed(std::move(end));
}

}  // namespace atalaya::net
