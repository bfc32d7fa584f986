// The thread that turns the control loop.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "base/time.h"
#include "control/loop.h"
#include "telemetry/metrics.h"

namespace atalaya::control {

/// Owns the control thread: steps the loop when an event arrives or a timer is due, and again with a
/// growing pause while the database refuses. Construct, `start`, `stop` (idempotent; queued events
/// stay unprocessed, which for a judge's events means that the next process judges them again).
/// Thread-safe.
class Runner {
 public:
  Runner(Loop& loop, const Clock& clock, telemetry::Registry& metrics);
  ~Runner();
  void start();
  void stop();

  /// As Loop::post, and wakes the thread.
  Status post(Event event);
  /// Waits while the queue is full (the back-pressure of judges and delivery workers); cancelled
  /// when the runner stops. Never from the control thread.
  Status post_wait(Event event);
  /// Posts and waits for the result: for commands of people. Never from the control thread.
  Status run(TenantId tenant, std::any body);

  /// Returns once everything posted before the call was handled and the loop has turned once more;
  /// deadline_exceeded after `timeout`, cancelled when the runner stops.
  Status wait_cycle(Duration timeout);
  std::uint64_t cycles() const;

 private:
  void work();
  void turn(std::unique_lock<std::mutex>& lock);

  Loop& loop_;
  const Clock& clock_;
  telemetry::Counter& cycle_count_;
  telemetry::Counter& event_count_;
  telemetry::Counter& refused_count_;
  telemetry::Counter& failure_count_;
  telemetry::Counter& full_count_;
  telemetry::Histogram& step_seconds_;
  telemetry::Gauge& queued_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;     ///< the thread waits here
  std::condition_variable changed_;  ///< everybody else waits here
  bool started_ = false;
  bool stopping_ = false;
  bool asked_ = false;         ///< somebody wants a turn
  bool turning_ = false;       ///< a turn is under way
  std::size_t waiters_ = 0;    ///< callers of wait_cycle
  std::uint64_t cycles_ = 0;   ///< completed turns
  std::uint64_t settled_ = 0;  ///< every event numbered up to this was handled before the last turn ended
  Duration pause_{0};          ///< before trying again after a database error
  std::thread thread_;
};

}  // namespace atalaya::control
