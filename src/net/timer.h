// A handle on something that will happen later.
#pragma once

#include <memory>
#include <utility>

namespace atalaya::net {

/// What `EventLoop::after` returns. The destructor cancels. Cancelled on the loop's own thread the
/// function is certain not to run any more; from another thread it may be running just now.
/// Thread-compatible. Must not outlive its loop's owner, but may outlive the loop's run.
class Timer {
 public:
  struct State;

  Timer() = default;
  explicit Timer(std::shared_ptr<State> state) : state_(std::move(state)) {}
  ~Timer() { cancel(); }
  Timer(Timer&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  Timer& operator=(Timer&& other) noexcept {
    if (this != &other) {
      cancel();
      state_ = std::exchange(other.state_, nullptr);
    }
    return *this;
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void cancel();
  /// Waiting, and neither run nor cancelled.
  bool pending() const;
  /// Lets it run without a handle.
  void detach() { state_.reset(); }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace atalaya::net
