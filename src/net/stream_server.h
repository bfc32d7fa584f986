// Takes connections of plain bytes over a Unix socket, TCP or TLS.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/descriptor.h"
#include "net/event_loop.h"
#include "net/server.h"

namespace atalaya::net {

using StreamId = std::uint64_t;

struct StreamServerOptions {
  std::string listen;                     ///< `unix:/path`, `host:port` with an address (port 0: any), or "": none
  std::optional<TlsFiles> tls;            ///< of TCP
  std::size_t max_connections = 64;       ///< further ones are closed at once
  std::size_t max_queue_bytes = 4 << 20;  ///< of what is sent to one; who lets it grow beyond is closed
  Duration handshake_timeout{10'000};
};

struct StreamServerEvents {
  std::function<void(StreamId)> opened;
  std::function<void(StreamId, std::string_view)> received;
  std::function<void(StreamId)> closed;  ///< not of those that `close` ended
};

/// Strand-bound to its loop. A Unix socket is made with mode 0600 and taken away again; one that a dead process left is
/// replaced, one that somebody answers at is already_exists.
class StreamServer {
 public:
  StreamServer(EventLoop& loop, StreamServerOptions options, StreamServerEvents events);
  ~StreamServer();  ///< drops all connections; no event follows
  StreamServer(const StreamServer&) = delete;
  StreamServer& operator=(const StreamServer&) = delete;

  /// invalid_argument for an address that is none, unavailable with the system's words.
  Status start();
  /// Where it listens, with the port that the system chose.
  std::string address() const;
  /// A connection that somebody else has made, such as one end of a socket pair: `opened` tells its id before this
  /// returns.
  void adopt(io::Descriptor connection);

  /// False when there is no such connection, or its queue would pass its bound: then it is closed.
  bool send(StreamId to, std::string bytes);
  std::size_t queued_bytes(StreamId of) const;  ///< 0 when there is no such connection
  /// What was sent before still leaves.
  void close(StreamId id);
  /// Nothing is read as long as it rests, so that senders have to wait.
  void rest(bool resting);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace atalaya::net
