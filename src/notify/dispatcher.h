// The threads that carry deliveries out.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/time.h"
#include "control/machine.h"
#include "db/database.h"
#include "notify/channel.h"
#include "notify/deliveries.h"
#include "notify/outbox.h"
#include "telemetry/metrics.h"

namespace atalaya::notify {

/// Owns up to `max_running` threads, started as needed. `submit` starts the first attempt at once; after each attempt
/// the result is posted as an AttemptFinished event. After a restart `start` finds what is not finished in the outbox;
/// an attempt whose result was not stored is made again under the same key. Thread-safe.
class Dispatcher {
 public:
  /// Stores a result; may wait for room; an error means that the process is stopping
  /// (control::Runner::post_wait).
  using Report = std::function<Status(control::Event)>;

  Dispatcher(db::Database& database, const ChannelBook& channels, Report report, const Clock& clock,
             telemetry::Registry& metrics, DeliveryOptions options = {});
  ~Dispatcher();

  /// Loads the unfinished deliveries and starts the threads.
  Status start();
  /// Waits for the attempts under way. Idempotent.
  void stop();

  /// From the listener of DeliveryQueued. Does not block.
  void submit(Delivery delivery);

 private:
  void work();
  void spawn();
  void attempt(const Delivery& delivery);
  AttemptResult send(const Delivery& delivery, Time now) const;

  db::Database& database_;
  const ChannelBook& channels_;
  Report report_;
  const Clock& clock_;
  telemetry::Counter& sent_;
  telemetry::Counter& failed_;
  telemetry::Counter& retried_;
  telemetry::Histogram& seconds_;
  telemetry::Gauge& pending_;
  std::size_t max_threads_;

  std::mutex mutex_;
  std::condition_variable wake_;
  Deliveries deliveries_;
  bool stopping_ = false;
  std::size_t idle_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace atalaya::notify
