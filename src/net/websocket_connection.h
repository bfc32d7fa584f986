// One WebSocket, server's or client's side: for net's own sources.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/time.h"
#include "net/byte_stream.h"
#include "net/client.h"
#include "net/http.h"

namespace atalaya::net {

struct WebSocketSettings {
  std::uint64_t max_message_bytes = 8 << 20;
  std::uint64_t max_queue_bytes = 4 << 20;
  Duration idle_timeout{40'000};
  Duration close_timeout{5'000};
  bool close_on_overflow = false;  ///< with 1013; else a full queue only refuses
};

/// Owns the stream. `send`, `close` and `queued_bytes` are thread-safe, the rest is for the stream's
/// strand, where the callbacks run too. Pending operations keep it alive. `closed` comes exactly
/// once, last, after a successful handshake; then all callbacks are released.
class WebSocketConnection : public std::enable_shared_from_this<WebSocketConnection> {
 public:
  using Opened = std::function<void(Status, int http_status)>;
  struct Callbacks {
    std::function<void(std::string message, bool binary)> message;
    std::function<void(WebSocketEnd)> closed;
  };

  WebSocketConnection(ByteStream stream, WebSocketSettings settings);
  ~WebSocketConnection();

  /// Answers an upgrade whose head was read already.
  void accept(const Request& request, Headers response_headers, Opened opened);
  /// Asks for one.
  void handshake(const std::string& host, const std::string& target, const Headers& headers, Opened opened);
  /// Begins to read; inside `opened`, when it said yes. Sending is possible before.
  void start(Callbacks callbacks);

  bool send(std::string message, bool binary);
  /// What is queued still leaves, unless the queue overflowed.
  void close(std::uint16_t code, std::string reason);
  std::size_t queued_bytes() const;
  /// Drops the connection now; `closed` follows.
  void abort();
  /// `abort` without any callback.
  void forget();

 private:
  struct Impl;

  void set_open();
  void read_next();
  void write_next();
  void begin_close();
  void finish(const ErrorCodeAsio& error, std::string what);

  struct Outgoing {
    std::string bytes;
    bool binary;
  };
  struct Goodbye {
    std::uint16_t code;
    std::string reason;
  };

  const WebSocketSettings settings_;
  const ByteStream::executor_type executor_;
  mutable std::mutex mutex_;
  std::deque<Outgoing> queue_;  ///< guarded, as the next three
  std::size_t queued_bytes_ = 0;
  std::optional<Goodbye> goodbye_;
  bool open_ = false;
  std::unique_ptr<Impl> impl_;  ///< strand, as the rest
  std::shared_ptr<Callbacks> callbacks_;
  bool writing_ = false;
  bool closing_ = false;
  bool finished_ = false;
};

}  // namespace atalaya::net
