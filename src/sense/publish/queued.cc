#include "sense/publish/queued.h"

#include <algorithm>
#include <utility>

namespace atalaya::sense::publish {
namespace {

std::size_t bytes_of(const Item& item) {
  return sizeof(Item) + item.stream.size() + item.record.labels.packed().size() +
         (item.record.text ? item.record.text->size() : 0);
}

}  // namespace

void QueuedPublisher::publish(std::string_view stream, const Record& record) {
  Item item{std::string(stream), record};
  const auto bytes = bytes_of(item);
  const auto& limits = context_.limits;
  while (!queue_.empty() && (queue_.size() >= limits.max_records || queued_bytes_ + bytes > limits.max_bytes)) {
    queued_bytes_ -= bytes_of(queue_.front());
    queue_.pop_front();
    ++status_.dropped;
  }
  queued_bytes_ += bytes;
  queue_.push_back(std::move(item));
  pump();
}

PublisherStatus QueuedPublisher::status() const {
  auto out = status_;
  out.queued = queue_.size() + batch_.size();
  return out;
}

void QueuedPublisher::fill_batch() {
  std::size_t bytes = 0;
  while (!queue_.empty() && batch_.size() < batch_limits_.records) {
    const auto next = bytes_of(queue_.front());
    if (!batch_.empty() && bytes + next > batch_limits_.bytes) return;
    bytes += next;
    queued_bytes_ -= next;
    batch_.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
}

void QueuedPublisher::pump() {
  if (sending_ || timer_.pending()) return;
  if (batch_.empty()) fill_batch();
  if (batch_.empty()) return;
  sending_ = true;
  send(batch_, guarded([this](const Outcome& outcome) { finished(outcome); }));
}

void QueuedPublisher::finished(const Outcome& outcome) {
  sending_ = false;
  status_.failing = !outcome.status;
  if (outcome.status) {
    status_.delivered += batch_.size();
    batch_.clear();
    next_wait_ = Duration{0};
    if (batch_limits_.pause > Duration{0}) {
      wait(batch_limits_.pause);
    } else {
      pump();
    }
    return;
  }
  ++status_.failures;
  status_.last_error = to_string(outcome.status.error());
  status_.failed_at = context_.clock.now();
  if (outcome.permanent) {
    status_.dropped += batch_.size();
    batch_.clear();
  }
  const auto& limits = context_.limits;
  next_wait_ = std::clamp(2 * next_wait_, limits.first_wait, limits.longest_wait);
  wait(std::clamp(outcome.retry_after.value_or(next_wait_), next_wait_, limits.longest_wait));
}

void QueuedPublisher::wait(Duration time) {
  timer_ = context_.loop.after(time, [this] { pump(); });
}

std::function<void(Outcome)> QueuedPublisher::guarded(std::function<void(Outcome)> work) {
  return [alive = std::weak_ptr<int>(alive_), work = std::move(work)](const Outcome& outcome) {
    if (!alive.expired()) work(outcome);
  };
}

}  // namespace atalaya::sense::publish
