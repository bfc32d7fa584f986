// Addresses of a name, and sockets of one's own, on an EventLoop.
#pragma once

#include <sys/socket.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/event_loop.h"

namespace atalaya::net {

/// What connect(2) wants.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

/// Asks the system for the addresses of a name, in its order of preference, without blocking the
/// loop. Strand-bound to its loop; the destructor cancels.
class AddressLookup {
 public:
  using Done = std::function<void(Result<std::vector<SocketAddress>>)>;

  /// `host` is a name or an address (IPv6 without brackets). `done` is called once on the loop, never
  /// inside the constructor: at least one address, or unavailable with the system's words.
  AddressLookup(EventLoop& loop, std::string host, Done done);
  ~AddressLookup();
  AddressLookup(const AddressLookup&) = delete;
  AddressLookup& operator=(const AddressLookup&) = delete;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

/// Says when there is something to read from a non-blocking descriptor, or an error of it. The caller
/// reads until there is nothing more, every time. Strand-bound to its loop; the destructor cancels.
class ReadWatch {
 public:
  /// `descriptor` stays the caller's, who closes it after this is destroyed. `ready` runs on the loop,
  /// never inside the constructor; it may destroy this.
  ReadWatch(EventLoop& loop, int descriptor, std::function<void()> ready);
  ~ReadWatch();
  ReadWatch(const ReadWatch&) = delete;
  ReadWatch& operator=(const ReadWatch&) = delete;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace atalaya::net
