#include <boost/asio/post.hpp>

#include "net/client.h"
#include "net/connector.h"
#include "net/event_loop_impl.h"
#include "net/websocket_connection.h"

namespace atalaya::net {
namespace asio = boost::asio;

/// The mutex guards only the pointer to the connection, for senders on other threads.
struct WebSocketClient::Impl : std::enable_shared_from_this<WebSocketClient::Impl> {
  Impl(EventLoop& l, WebSocketClientOptions o, WebSocketClientEvents e)
      : loop(l), options(std::move(o)), events(std::move(e)) {}

  EventLoop& loop;
  const WebSocketClientOptions options;
  WebSocketClientEvents events;
  bool over = false;
  std::shared_ptr<Connector> connector;
  std::mutex mutex;
  std::shared_ptr<WebSocketConnection> connection;

  std::shared_ptr<WebSocketConnection> current() {
    const std::lock_guard lock(mutex);
    return connection;
  }

  void open() {
    if (over || connector) return;
    auto url = parse_url(options.url);
    if (!url) {
      end({url.error()});
      return;
    }
    for (const auto& [name, value] : options.headers.fields())
      if ((name + value).find_first_of("\r\n") != std::string::npos) {
        end({Error{ErrorCode::kInvalidArgument, "malformed HTTP header", {}, {}}});
        return;
      }
    const auto target = *url;
    connector = std::make_shared<Connector>(loop.impl().context, options.connect, std::move(*url));
    connector->start([self = shared_from_this(), target](Result<ByteStream> stream) {
      if (stream)
        self->upgrade(target, std::move(*stream));
      else
        self->end({stream.error()});
    });
  }

  void upgrade(const Url& url, ByteStream stream) {
    WebSocketSettings settings;
    settings.max_message_bytes = options.max_message_bytes;
    settings.max_queue_bytes = options.max_queue_bytes;
    settings.idle_timeout = options.idle_timeout;
    auto fresh = std::make_shared<WebSocketConnection>(std::move(stream), settings);
    {
      const std::lock_guard lock(mutex);
      connection = fresh;
    }
    fresh->handshake(url.authority(), url.target, options.headers,
                     [self = shared_from_this(), fresh](const Status& status, int http_status) {
                       if (self->over) return;
                       if (!status) {
                         self->end({status.error(), http_status});
                         return;
                       }
                       self->begin(fresh);
                     });
  }

  void begin(const std::shared_ptr<WebSocketConnection>& fresh) {
    fresh->start({[self = shared_from_this()](std::string message, bool binary) {
                    if (!self->over && self->events.message) self->events.message(std::move(message), binary);
                  },
                  [self = shared_from_this()](WebSocketEnd reason) { self->end(std::move(reason)); }});
    const auto opened = events.opened;
    if (opened) opened();
  }

  void end(WebSocketEnd reason) {
    if (std::exchange(over, true)) return;
    // Copied: the owner may destroy the client inside.
    const auto closed = events.closed;
    if (closed) closed(std::move(reason));
  }

  void forget() {
    over = true;
    if (connector) connector->cancel();
    if (const auto last = current()) last->forget();
  }
};

WebSocketClient::WebSocketClient(EventLoop& loop, WebSocketClientOptions options, WebSocketClientEvents events)
    : impl_(std::make_shared<Impl>(loop, std::move(options), std::move(events))) {}
WebSocketClient::~WebSocketClient() { impl_->forget(); }

void WebSocketClient::open() {
  asio::post(impl_->loop.impl().context, [impl = impl_] { impl->open(); });
}

bool WebSocketClient::send(std::string message, bool binary) {
  const auto connection = impl_->current();
  return connection && connection->send(std::move(message), binary);
}

void WebSocketClient::close(std::uint16_t code, std::string reason) {
  if (const auto connection = impl_->current()) connection->close(code, std::move(reason));
}

std::size_t WebSocketClient::queued_bytes() const {
  const auto connection = impl_->current();
  return connection ? connection->queued_bytes() : 0;
}

}  // namespace atalaya::net
