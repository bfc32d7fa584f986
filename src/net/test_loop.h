// For tests: an event loop whose work they wait for.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>

#include "net/client.h"
#include "net/event_loop.h"

namespace atalaya::net::testing {

/// Long enough for any machine; a test that runs into it fails.
constexpr std::chrono::seconds kPatience{30};

/// An event loop on its own thread; what runs on it is destroyed on it.
class TestLoop {
 public:
  TestLoop() { loop_.start(); }
  ~TestLoop() { loop_.stop(); }
  EventLoop& operator*() { return loop_; }
  /// Nothing runs on it any more. Idempotent.
  void stop() { loop_.stop(); }

  /// Runs `work` on the loop and waits for it.
  void run(const std::function<void()>& work) {
    std::promise<void> done;
    loop_.post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

  Result<ClientResponse> fetch(ClientRequest request, ConnectOptions options = {}) {
    std::unique_ptr<HttpClient> client;
    run([&] { client = std::make_unique<HttpClient>(loop_, std::move(options)); });
    std::promise<Result<ClientResponse>> answer;
    auto future = answer.get_future();
    client->send(std::move(request), [&](Result<ClientResponse> result) { answer.set_value(std::move(result)); });
    const bool came = future.wait_for(kPatience) == std::future_status::ready;
    run([&] { client.reset(); });
    if (!came) return fail(ErrorCode::kInternal, "the test waited too long");
    return future.get();
  }

 private:
  EventLoop loop_;
};

}  // namespace atalaya::net::testing
