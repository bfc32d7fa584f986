// For tests of publishers: one on a loop, what it sends, and how it is.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <condition_variable>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "io/descriptor.h"
#include "net/testing.h"
#include "sense/publish/publisher.h"

namespace atalaya::sense::publish::testing {

using net::testing::kPatience;
using net::testing::TestLoop;

inline const Time kTime = from_ms(1'700'000'000'123);
inline Record value(double number, Labels labels = {}) { return {kTime, number, std::move(labels), std::nullopt}; }

/// Things that arrive, in order.
template <typename T>
class Inbox {
 public:
  void put(T one) {
    const std::lock_guard lock(mutex_);
    all_.push_back(std::move(one));
    came_.notify_all();
  }
  bool has() {
    const std::lock_guard lock(mutex_);
    return !all_.empty();
  }
  /// Waits for the next one.
  T next() {
    std::unique_lock lock(mutex_);
    if (!came_.wait_for(lock, kPatience, [&] { return !all_.empty(); })) throw std::runtime_error("nothing came");
    auto one = std::move(all_.front());
    all_.pop_front();
    return one;
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<T> all_;
};

/// A UDP socket on a port of its own.
class Receiver {
 public:
  Receiver() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) throw std::runtime_error("bind");
    getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    timeval patience{kPatience.count(), 0};
    setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  std::uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string next() {
    std::array<char, 65536> bytes;
    const auto size = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    return size < 0 ? "nothing came" : std::string(bytes.data(), static_cast<std::size_t>(size));
  }
  void close() { socket_.reset(); }

 private:
  io::Descriptor socket_;
  std::uint16_t port_ = 0;
};

class Publishers : public ::testing::Test {
 protected:
  ~Publishers() override {
    loop_.run([&] { publisher_.reset(); });
  }

  PublisherContext context() {
    PublisherContext out{.loop = *loop_,
                         .clock = clock_,
                         .destinations = *Destinations::make({}),
                         .who = {default_tenant(), "urn:uuid:s1111"},
                         .host = "node1",
                         .log_folder = folder_ / "publish/default"};
    out.platform = platform_;
    out.limits = limits_;
    return out;
  }
  std::string refusal(const Part& part) {
    const auto made = make_publisher(part, context());
    return made ? "" : to_string(made.error());
  }
  void make(const Part& part) {
    loop_.run([&] {
      auto made = make_publisher(part, context());
      if (made) publisher_ = std::move(*made);
      error_ = made ? "" : to_string(made.error());
    });
    ASSERT_EQ(error_, "");
  }
  void publish(const Record& record, const std::string& stream = "c") {
    loop_.run([&] { publisher_->publish(stream, record); });
  }
  PublisherStatus status() {
    PublisherStatus out;
    loop_.run([&] { out = publisher_->status(); });
    return out;
  }
  /// Asks on the loop, again and again, until it is so.
  PublisherStatus await(const std::function<bool(const PublisherStatus&)>& so) {
    auto done = std::make_shared<std::promise<PublisherStatus>>();
    auto future = done->get_future();
    auto ask = std::make_shared<std::function<void()>>();
    *ask = [this, so, done, ask] {
      auto now = publisher_->status();
      if (so(now)) {
        *ask = nullptr;
        done->set_value(std::move(now));
      } else {
        (*loop_).after(Duration{1}, [ask] { (*ask)(); }).detach();
      }
    };
    (*loop_).post([ask] { (*ask)(); });
    if (future.wait_for(kPatience) == std::future_status::ready) return future.get();
    ADD_FAILURE() << "it never came to be; last error: " << status().last_error;
    return {};
  }

  TestLoop loop_;
  ManualClock clock_{kTime};
  net::testing::TemporaryFolder folder_;
  Platform* platform_ = nullptr;
  PublisherLimits limits_{.first_wait = Duration{1}, .longest_wait = Duration{5}, .mail_pause = Duration{1}};
  std::unique_ptr<Publisher> publisher_;
  std::string error_;
};

}  // namespace atalaya::sense::publish::testing
