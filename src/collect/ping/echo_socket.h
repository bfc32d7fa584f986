// The socket that echoes go through.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "collect/ping/packet.h"
#include "net/event_loop.h"
#include "net/lookup.h"

namespace atalaya::collect::ping {

/// A conversation with one address; never blocks. Strand-bound.
class EchoSocket {
 public:
  virtual ~EchoSocket() = default;
  virtual Status send(const Echo& echo) = 0;
  /// The next answer that has come; nullopt: no more for now. unavailable: what the network says of
  /// the address ("No route to host"); an answer may still come.
  virtual Result<std::optional<Echo>> receive() = 0;
};

/// Opens one to `address`, by the interface of this name unless "". `readable` is called on the loop
/// whenever `receive` has something. permission_denied with the remedy where this process may not ping.
using OpenEcho = std::function<Result<std::unique_ptr<EchoSocket>>(
    const net::SocketAddress& address, const std::string& interface, std::function<void()> readable)>;

/// By the kernel's unprivileged ping socket, else by a raw socket.
OpenEcho system_echo(net::EventLoop& loop);

/// Whether this process may ping at all.
Status may_ping();

}  // namespace atalaya::collect::ping
