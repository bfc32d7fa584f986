// A connection of plain bytes, over TCP or TLS, to a peer that mostly listens: syslog, framed records.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "net/client.h"
#include "net/event_loop.h"

namespace atalaya::net {

struct StreamClientOptions {
  std::string host;
  std::uint16_t port = 0;
  bool tls = false;
  ConnectOptions connect;
  std::size_t max_queue_bytes = 1 << 20;
};

struct StreamClientEvents {
  std::function<void()> opened;
  /// All that was given to `send` is with the system, which is not yet with the peer.
  std::function<void()> drained;
  std::function<void(Error)> closed;  ///< last call, once after `open`, unless destroyed before; never inside `open`
};

/// One connection, opened once; make another to try again. What the peer says is read and dropped. Strand-bound to its
/// loop; may be destroyed inside an event.
class StreamClient {
 public:
  StreamClient(EventLoop& loop, StreamClientOptions options, StreamClientEvents events);
  ~StreamClient();  ///< drops the connection; no event follows
  StreamClient(const StreamClient&) = delete;
  StreamClient& operator=(const StreamClient&) = delete;

  void open();
  /// False, and nothing is queued, when not open or when the queue would pass its bound.
  bool send(std::string bytes);
  std::size_t queued_bytes() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace atalaya::net
