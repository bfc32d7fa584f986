#include "notify/dispatcher.h"

#include <algorithm>
#include <chrono>

#include "notify/queries.h"
#include "telemetry/log.h"

namespace atalaya::notify {
namespace {

// Also bounds how long a jump of the wall clock can go unnoticed.
constexpr Duration kLongestSleep{1000};
constexpr std::size_t kMaxAnswer = 1024;

std::string cut_answer(std::string answer) {
  if (answer.size() <= kMaxAnswer) return answer;
  auto size = kMaxAnswer;
  while (size > 0 && (answer[size] & 0xc0) == 0x80) --size;
  answer.resize(size);
  return answer;
}

}  // namespace

Dispatcher::Dispatcher(db::Database& database, const ChannelBook& channels, Report report, const Clock& clock,
                       telemetry::Registry& metrics, DeliveryOptions options)
    : database_(database),
      channels_(channels),
      report_(std::move(report)),
      clock_(clock),
      sent_(metrics.counter("atalaya_notify_attempts_total", "Attempts to deliver.", {{"result", "sent"}})),
      failed_(metrics.counter("atalaya_notify_attempts_total", "Attempts to deliver.", {{"result", "failed"}})),
      retried_(metrics.counter("atalaya_notify_attempts_total", "Attempts to deliver.", {{"result", "retry"}})),
      seconds_(metrics.histogram("atalaya_notify_attempt_seconds", "Time of one attempt.",
                                 {0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 30})),
      pending_(metrics.gauge("atalaya_notify_pending", "Deliveries not yet sent or given up.")),
      max_threads_(std::max<std::size_t>(options.max_running, 1)),
      deliveries_(options) {}

Dispatcher::~Dispatcher() { stop(); }

Status Dispatcher::start() {
  AT_TRY(auto unfinished, Queries(database_).unfinished());
  const std::lock_guard lock(mutex_);
  for (auto& delivery : unfinished) deliveries_.add(std::move(delivery));
  pending_.set(static_cast<double>(deliveries_.pending()));
  if (threads_.empty() && !stopping_) spawn();
  return {};
}

void Dispatcher::stop() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    threads.swap(threads_);
  }
  wake_.notify_all();
  for (auto& thread : threads) thread.join();
}

void Dispatcher::submit(Delivery delivery) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;  // its row waits for the next process
    deliveries_.add(std::move(delivery));
    pending_.set(static_cast<double>(deliveries_.pending()));
    if (idle_ == 0 && threads_.size() < max_threads_) spawn();
  }
  wake_.notify_one();
}

void Dispatcher::spawn() {
  threads_.emplace_back([this] { work(); });
}

void Dispatcher::work() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (const auto delivery = deliveries_.take(clock_.now())) {
      const auto next = deliveries_.next_due();
      const bool more = next && *next <= clock_.now();
      if (more && idle_ == 0 && threads_.size() < max_threads_) spawn();
      if (more && idle_ > 0) wake_.notify_one();
      lock.unlock();
      attempt(*delivery);
      lock.lock();
      continue;
    }
    const auto due = deliveries_.next_due();
    const auto left = due ? std::clamp(*due - clock_.now(), Duration{1}, kLongestSleep) : kLongestSleep;
    ++idle_;
    wake_.wait_for(lock, left);
    --idle_;
  }
}

AttemptResult Dispatcher::send(const Delivery& delivery, Time now) const {
  if (delivery.deadline && now >= *delivery.deadline) {
    return {.permanent = true, .answer = "too late: its group is told anew"};
  }
  const auto channel = channels_.find(delivery.tenant, delivery.channel);
  if (!channel) return {.permanent = true, .answer = "the channel was removed"};
  boost::system::error_code failed;
  auto data = boost::json::parse(delivery.payload, failed);
  if (failed || !data.is_object()) return {.permanent = true, .answer = "the stored payload is damaged"};
  Message message;
  message.tenant = delivery.tenant;
  message.key = delivery.key;
  message.thread = delivery.thread;
  if (message.thread.empty()) message.thread = delivery.alert.value().empty() ? delivery.key : delivery.alert.value();
  message.first_of_thread = delivery.first_of_thread;
  message.created = delivery.created;
  message.data = std::move(data.get_object());
  return channel->send(message, now);
}

void Dispatcher::attempt(const Delivery& delivery) {
  const auto at = clock_.now();
  const auto begun = clock_.steady();
  const auto result = send(delivery, at);
  const auto took = std::chrono::duration_cast<Duration>(clock_.steady() - begun);
  seconds_.observe(to_seconds(took));
  Deliveries::Decision decision;
  {
    const std::lock_guard lock(mutex_);
    decision = deliveries_.finish(delivery.tenant, delivery.key, result, clock_.now());
    pending_.set(static_cast<double>(deliveries_.pending()));
  }
  switch (decision.state) {
    case DeliveryState::kSent: sent_.add(); break;
    case DeliveryState::kFailed: failed_.add(); break;
    default: retried_.add();
  }
  if (!result.ok) {
    telemetry::log_warn("notify", "a notification was not delivered",
                        {{"channel", delivery.channel},
                         {"key", delivery.key},
                         {"answer", cut_answer(result.answer)},
                         {"state", name(decision.state)}});
  }
  AttemptFinished finished{delivery.key,
                           {.number = decision.attempt,
                            .at = at,
                            .ok = result.ok,
                            .status = result.status,
                            .answer = cut_answer(result.answer),
                            .took = took},
                           decision.state,
                           decision.next_attempt};
  // An error means that the process stops: the next one attempts again under the same key.
  (void)report_({delivery.tenant, std::move(finished), {}, {}});
}

}  // namespace atalaya::notify
