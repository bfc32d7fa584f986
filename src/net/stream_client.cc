#include "net/stream_client.h"

#include <boost/asio/buffer.hpp>

#include <array>
#include <deque>
#include <optional>
#include <utility>

#include "net/connector.h"
#include "net/event_loop_impl.h"

namespace atalaya::net {
namespace asio = boost::asio;

struct StreamClient::Impl : std::enable_shared_from_this<StreamClient::Impl> {
  Impl(EventLoop& l, StreamClientOptions o, StreamClientEvents e)
      : loop(l), options(std::move(o)), events(std::move(e)) {}

  EventLoop& loop;
  const StreamClientOptions options;
  StreamClientEvents events;
  bool over = false;
  std::shared_ptr<Connector> connector;
  std::optional<ByteStream> stream;
  std::deque<std::string> queue;
  std::size_t first_sent = 0;  ///< bytes of the queue's first text that have left
  std::size_t queued = 0;
  bool writing = false;
  std::array<char, 4096> dropped{};

  void open() {
    if (over || connector) return;
    Url url;
    url.scheme = options.tls ? "https" : "http";
    url.host = options.host;
    url.port = options.port;
    connector = std::make_shared<Connector>(loop.impl().context, options.connect, std::move(url));
    connector->start([self = shared_from_this()](Result<ByteStream> made) {
      if (self->over) return;
      if (!made) {
        self->end(made.error());
        return;
      }
      self->stream.emplace(std::move(*made));
      self->read();
      const auto opened = self->events.opened;
      if (opened) opened();
    });
  }

  std::string peer() const { return to_string(HostPort{options.host, options.port}); }

  /// Only by reading does one learn that the peer has gone.
  void read() {
    stream->read_some(asio::buffer(dropped), [self = shared_from_this()](const ErrorCodeAsio& error, std::size_t) {
      if (self->over) return;
      if (error) {
        const auto why = error == asio::error::eof ? std::string("the peer ended the connection") : error.message();
        self->end(Error{ErrorCode::kUnavailable, self->peer() + ": " + why, {}, {}});
        return;
      }
      self->read();
    });
  }

  void write() {
    if (writing || queue.empty()) return;
    writing = true;
    const asio::const_buffer rest(queue.front().data() + first_sent, queue.front().size() - first_sent);
    stream->write_some({&rest, 1}, [self = shared_from_this()](const ErrorCodeAsio& error, std::size_t size) {
      self->wrote(error, size);
    });
  }

  void wrote(const ErrorCodeAsio& error, std::size_t size) {
    writing = false;
    if (over) return;
    if (error) {
      end(Error{ErrorCode::kUnavailable, peer() + ": " + error.message(), {}, {}});
      return;
    }
    first_sent += size;
    queued -= size;
    if (first_sent == queue.front().size()) {
      queue.pop_front();
      first_sent = 0;
    }
    if (!queue.empty()) {
      write();
      return;
    }
    const auto drained = events.drained;
    if (drained) drained();
  }

  void end(Error error) {
    if (std::exchange(over, true)) return;
    if (stream) stream->close();
    const auto closed = events.closed;
    if (closed) closed(std::move(error));
  }

  void forget() {
    over = true;
    if (connector) connector->cancel();
    if (stream) stream->close();
  }
};

StreamClient::StreamClient(EventLoop& loop, StreamClientOptions options, StreamClientEvents events)
    : impl_(std::make_shared<Impl>(loop, std::move(options), std::move(events))) {}
StreamClient::~StreamClient() { impl_->forget(); }

void StreamClient::open() { impl_->open(); }

bool StreamClient::send(std::string bytes) {
  auto& impl = *impl_;
  if (impl.over || !impl.stream || bytes.empty()) return false;
  if (impl.queued + bytes.size() > impl.options.max_queue_bytes) return false;
  impl.queued += bytes.size();
  impl.queue.push_back(std::move(bytes));
  impl.write();
  return true;
}

std::size_t StreamClient::queued_bytes() const { return impl_->queued; }

}  // namespace atalaya::net
