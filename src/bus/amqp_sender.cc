#include "bus/amqp_sender.h"

#include <sys/socket.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/check.h"
#include "bus/amqp_connection.h"

namespace atalaya::bus {

struct AmqpSender::Impl {
  explicit Impl(AmqpOptions o) : options(std::move(o)), thread([this] { work(); }) {}
  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
      // Wakes whatever waits for the broker.
      if (descriptor >= 0) ::shutdown(descriptor, SHUT_RDWR);
      wake.notify_all();
    }
    thread.join();
  }

  struct Batch {
    std::vector<AmqpMessage> messages;
    Done done;
  };

  void work() {
    std::unique_ptr<AmqpConnection> connection;
    while (true) {
      Batch batch;
      {
        std::unique_lock lock(mutex);
        wake.wait(lock, [&] { return stopping || next; });
        if (!next) return;
        batch = std::move(*std::exchange(next, std::nullopt));
      }
      auto status = send(connection, batch.messages);
      {
        const std::lock_guard lock(mutex);
        if (stopping) status = fail(ErrorCode::kCancelled, options.name + ": the sender was stopped");
      }
      batch.done(std::move(status));
    }
  }

  Status send(std::unique_ptr<AmqpConnection>& connection, const std::vector<AmqpMessage>& messages) {
    if (connection == nullptr) {
      connection = std::make_unique<AmqpConnection>(options, [this](int fd) { watch(fd); });
      if (auto opened = connection->open(); !opened) {
        connection.reset();
        return opened;
      }
    }
    auto published = connection->publish(messages);
    if (!published) connection.reset();
    return published;
  }

  void watch(int fd) {
    const std::lock_guard lock(mutex);
    descriptor = fd;
    if (stopping && fd >= 0) ::shutdown(fd, SHUT_RDWR);
  }

  const AmqpOptions options;
  std::mutex mutex;
  std::condition_variable wake;
  // Guarded by the mutex.
  std::optional<Batch> next;
  bool stopping = false;
  int descriptor = -1;  ///< that may be shut down
  std::thread thread;   // last: it uses all of these
};

AmqpSender::AmqpSender(AmqpOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
AmqpSender::~AmqpSender() = default;

void AmqpSender::send(std::vector<AmqpMessage> messages, Done done) {
  const std::lock_guard lock(impl_->mutex);
  AT_CHECK(!impl_->next);
  impl_->next = Impl::Batch{std::move(messages), std::move(done)};
  impl_->wake.notify_all();
}

}  // namespace atalaya::bus
