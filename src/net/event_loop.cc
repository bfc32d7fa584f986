#include "net/event_loop.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <exception>

#include "base/check.h"
#include "net/event_loop_impl.h"
#include "telemetry/log.h"

namespace atalaya::net {
namespace asio = boost::asio;

struct Timer::State : std::enable_shared_from_this<Timer::State> {
  State(asio::io_context& context, std::move_only_function<void()> w) : timer(context), work(std::move(w)) {}

  asio::steady_timer timer;
  std::mutex mutex;                      ///< guards the two below
  std::move_only_function<void()> work;  ///< empty: run or cancelled
  bool expired = false;
};

void Timer::cancel() {
  const auto state = std::exchange(state_, nullptr);
  if (!state) return;
  std::move_only_function<void()> dropped;
  {
    const std::lock_guard lock(state->mutex);
    dropped = std::exchange(state->work, nullptr);
    if (!state->expired) state->timer.cancel();
  }
}

bool Timer::pending() const {
  if (!state_) return false;
  const std::lock_guard lock(state_->mutex);
  return static_cast<bool>(state_->work);
}

namespace {

/// Every piece of work has a handler: nothing may unwind through the loop.
void run_guarded(std::move_only_function<void()>& work) {
  try {
    work();
  } catch (const std::exception& e) {
    telemetry::log_error("net", "work on an event loop threw", {{"error", e.what()}});
  }
}

}  // namespace

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {}
EventLoop::~EventLoop() { stop(); }

void EventLoop::run() {
  const auto guard = asio::make_work_guard(impl_->context);
  impl_->runner = std::this_thread::get_id();
  impl_->context.run();
  impl_->context.restart();  // so that it may be run again
  impl_->runner = std::thread::id();
}

void EventLoop::start() {
  const std::lock_guard lock(impl_->thread_mutex);
  AT_CHECK(!impl_->thread.joinable());
  impl_->thread = std::thread([this] { run(); });
}

void EventLoop::stop() {
  impl_->context.stop();
  if (in_loop()) return;
  const std::lock_guard lock(impl_->thread_mutex);
  if (impl_->thread.joinable()) impl_->thread.join();
}

void EventLoop::post(std::move_only_function<void()> work) {
  asio::post(impl_->context, [work = std::move(work)]() mutable { run_guarded(work); });
}

Timer EventLoop::after(Duration delay, std::move_only_function<void()> work) {
  auto state = std::make_shared<Timer::State>(impl_->context, std::move(work));
  state->timer.expires_after(delay);
  state->timer.async_wait([state](const boost::system::error_code&) {
    std::move_only_function<void()> due;
    {
      const std::lock_guard lock(state->mutex);
      state->expired = true;
      due = std::exchange(state->work, nullptr);
    }
    if (due) run_guarded(due);
  });
  return Timer(state);
}

bool EventLoop::in_loop() const { return impl_->runner.load() == std::this_thread::get_id(); }

}  // namespace atalaya::net
