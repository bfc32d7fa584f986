// One thread that waits for sockets and timers, without showing Asio to those who use it.
#pragma once

#include <functional>
#include <memory>

#include "base/time.h"
#include "net/timer.h"

namespace atalaya::net {

/// Owns an io_context that one thread runs; so whatever runs on it never runs twice at once, and
/// clients on it need no locks. Thread-safe, except that `run` is for one thread at a time.
/// It must outlive the clients made on it.
class EventLoop {
 public:
  EventLoop();
  ~EventLoop();  ///< stops; what was posted and has not run is destroyed
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Runs on the calling thread until `stop`.
  void run();
  /// Runs on a thread of its own until `stop`.
  void start();
  /// Makes `run` return, also one yet to come, and joins the thread of `start` (unless called from
  /// it). Idempotent and final.
  void stop();

  /// Runs `work` soon, on the loop's thread. Exceptions are logged and swallowed.
  void post(std::move_only_function<void()> work);
  /// Runs `work` once, `delay` from now by the machine's steady clock.
  [[nodiscard]] Timer after(Duration delay, std::move_only_function<void()> work);
  bool in_loop() const;

  struct Impl;
  Impl& impl() { return *impl_; }  ///< for net's own sources

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace atalaya::net
