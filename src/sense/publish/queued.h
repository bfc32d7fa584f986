// A queue with a bound, attempts one after the other, and waits that grow: what publishers that need answers share.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "net/event_loop.h"
#include "sense/publish/publisher.h"

namespace atalaya::sense::publish {

/// What became of an attempt.
struct Outcome {
  Status status;
  bool permanent = false;               ///< the receiver will never take these
  std::optional<Duration> retry_after;  ///< what it asked for
};

class QueuedPublisher : public Publisher {
 public:
  void publish(std::string_view stream, const Record& record) override;
  PublisherStatus status() const override;

 protected:
  struct Batch {
    std::size_t records = 500;
    std::size_t bytes = 256 << 10;
    Duration pause{0};  ///< between an attempt that succeeded and the next
  };
  QueuedPublisher(const PublisherContext& context, Batch batch) : context_(context), batch_limits_(batch) {}

  using Sent = std::function<void(Outcome)>;
  /// One attempt with some records. `sent` is called once, on the loop, never inside this call. `items` live until
  /// then.
  virtual void send(const std::vector<Item>& items, Sent sent) = 0;

  const PublisherContext& context() const { return context_; }
  void count_dropped(std::uint64_t records) { status_.dropped += records; }
  /// Runs `work` on the loop unless this is destroyed before.
  std::function<void(Outcome)> guarded(std::function<void(Outcome)> work);

 private:
  void pump();
  void fill_batch();
  void finished(const Outcome& outcome);
  void wait(Duration time);

  const PublisherContext context_;
  const Batch batch_limits_;
  std::deque<Item> queue_;
  std::size_t queued_bytes_ = 0;
  std::vector<Item> batch_;  ///< under way, or to be tried again
  bool sending_ = false;
  Duration next_wait_{0};
  net::Timer timer_;
  PublisherStatus status_;
  /// Expires with this.
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace atalaya::sense::publish
