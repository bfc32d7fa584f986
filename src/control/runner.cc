#include "control/runner.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>

#include "telemetry/log.h"

namespace atalaya::control {
namespace {

// Also bounds how long a jump of the wall clock can go unnoticed.
constexpr Duration kLongestSleep{1000};
constexpr Duration kFirstPause{50};
constexpr Duration kLongestPause{5000};

std::unexpected<Error> stopped() { return fail(ErrorCode::kCancelled, "the control loop is stopping"); }

}  // namespace

Runner::Runner(Loop& loop, const Clock& clock, telemetry::Registry& metrics)
    : loop_(loop),
      clock_(clock),
      cycle_count_(metrics.counter("atalaya_control_cycles_total", "Turns of the control loop.")),
      event_count_(metrics.counter("atalaya_control_events_total", "Events handled by the control loop.")),
      refused_count_(metrics.counter("atalaya_control_refused_total", "Events and timers that a machine refused.")),
      failure_count_(metrics.counter("atalaya_control_failures_total", "Turns undone by a database error.")),
      full_count_(metrics.counter("atalaya_control_queue_full_total", "Events that found the queue full.")),
      step_seconds_(metrics.histogram("atalaya_control_step_seconds", "Time of one turn, commit included.",
                                      {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1})),
      queued_(metrics.gauge("atalaya_control_queued", "Events that wait for the control loop, after its last turn.")) {}

Runner::~Runner() { stop(); }

void Runner::start() {
  const std::lock_guard lock(mutex_);
  if (started_) return;
  started_ = true;
  thread_ = std::thread([this] { work(); });
}

void Runner::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  loop_.abandon(stopped().error());
}

Status Runner::post(Event event) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return stopped();
    if (auto status = loop_.post(std::move(event)); !status) {
      if (status.error().code == ErrorCode::kResourceExhausted) full_count_.add();
      return status;
    }
  }
  wake_.notify_one();
  return {};
}

Status Runner::post_wait(Event event) {
  bool counted = false;
  {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (stopping_) return stopped();
      const auto seen = cycles_;
      auto status = loop_.post(std::move(event));
      if (status) break;
      if (status.error().code != ErrorCode::kResourceExhausted) return status;
      if (!std::exchange(counted, true)) full_count_.add();
      changed_.wait(lock, [&] { return stopping_ || cycles_ != seen; });
    }
  }
  wake_.notify_one();
  return {};
}

Status Runner::run(TenantId tenant, std::any body) {
  const auto promise = std::make_shared<std::promise<Status>>();
  auto answer = promise->get_future();
  AT_TRY(post({std::move(tenant), std::move(body), [promise](Status s) { promise->set_value(std::move(s)); }, {}}));
  return answer.get();
}

Status Runner::wait_cycle(Duration timeout) {
  std::unique_lock lock(mutex_);
  const auto target = loop_.posted();
  // A turn under way may have begun before this call, so it does not count.
  const auto cycle = cycles_ + (turning_ ? 2 : 1);
  const auto reached = [&] { return cycles_ >= cycle && settled_ >= target; };
  const auto steps = std::chrono::steady_clock::duration(timeout);
  asked_ = true;
  wake_.notify_one();
  ++waiters_;
  changed_.wait_for(lock, steps, [&] { return stopping_ || reached(); });
  --waiters_;
  if (reached()) return {};
  if (stopping_) return stopped();
  return fail(ErrorCode::kDeadlineExceeded, "the control loop did not turn in time");
}

std::uint64_t Runner::cycles() const {
  const std::lock_guard lock(mutex_);
  return cycles_;
}

void Runner::work() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (pause_ > Duration::zero()) {
      wake_.wait_for(lock, pause_, [&] { return stopping_; });
    } else {
      const auto ready = [&] { return stopping_ || asked_ || waiters_ > 0 || !loop_.idle(); };
      const auto due = loop_.next_due();
      if (!ready() && !(due && *due <= clock_.now())) {
        const auto left = due ? std::clamp(*due - clock_.now(), Duration::zero(), kLongestSleep) : kLongestSleep;
        wake_.wait_for(lock, left, ready);
        if (!ready() && !(due && *due <= clock_.now())) continue;
      }
    }
    if (!stopping_) turn(lock);
  }
}

void Runner::turn(std::unique_lock<std::mutex>& lock) {
  asked_ = false;
  turning_ = true;
  lock.unlock();
  const auto begun = clock_.steady();
  const auto stepped = loop_.step(clock_.now());
  step_seconds_.observe(std::chrono::duration<double>(clock_.steady() - begun).count());
  lock.lock();
  turning_ = false;
  if (stepped) {
    ++cycles_;
    pause_ = Duration::zero();
    cycle_count_.add();
    event_count_.add(stepped->events);
    refused_count_.add(stepped->refused);
    settled_ = loop_.passed();
  } else {
    failure_count_.add();
    pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
    telemetry::log_error("control", "a turn was undone and will be tried again",
                         {{"error", to_string(stepped.error())}, {"pause_ms", pause_.count()}});
  }
  queued_.set(static_cast<double>(loop_.queued()));
  changed_.notify_all();
}

}  // namespace atalaya::control
