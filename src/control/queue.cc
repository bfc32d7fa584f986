#include "control/queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace atalaya::control {

Status Queue::post(Event&& event) {
  const std::lock_guard lock(mutex_);
  if (size_ >= limits_.total) {
    return fail(ErrorCode::kResourceExhausted, fmt::format("control queue: {} events wait", size_),
                "try again in a moment");
  }
  auto& own = tenants_[event.tenant];
  if (own.size() >= limits_.per_tenant) {
    return fail(ErrorCode::kResourceExhausted,
                fmt::format("control queue: {} events of tenant {} wait", own.size(), event.tenant.value()),
                "try again in a moment");
  }
  if (own.empty()) turn_.push_back(event.tenant);
  ++posted_;
  ++size_;
  if (event.cursor) cursors_[event.cursor->name].push_back({posted_, event.cursor->position});
  own.push_back({std::move(event), posted_});
  return {};
}

std::vector<Queued> Queue::take(std::size_t count, std::size_t per_tenant) {
  const std::lock_guard lock(mutex_);
  std::vector<Queued> taken;
  while (taken.size() < count && !turn_.empty()) {
    const auto tenant = std::move(turn_.front());
    turn_.pop_front();
    auto& own = tenants_[tenant];
    for (std::size_t n = 0; n < per_tenant && taken.size() < count && !own.empty(); ++n) {
      taken.push_back(std::move(own.front()));
      own.pop_front();
    }
    if (own.empty()) {
      tenants_.erase(tenant);
    } else {
      turn_.push_back(tenant);
    }
  }
  size_ -= taken.size();
  return taken;
}

void Queue::put_back(std::vector<Queued> events) {
  const std::lock_guard lock(mutex_);
  size_ += events.size();
  for (auto it = events.rbegin(); it != events.rend(); ++it) {
    const auto tenant = it->event.tenant;
    auto& own = tenants_[tenant];
    if (own.empty()) turn_.push_front(tenant);
    own.push_front(std::move(*it));
  }
}

std::map<std::string, std::uint64_t> Queue::cursors_after(const std::vector<Queued>& taken) const {
  std::set<std::uint64_t> numbers;
  for (const auto& queued : taken) numbers.insert(queued.number);
  std::map<std::string, std::uint64_t> positions;
  const std::lock_guard lock(mutex_);
  for (const auto& [name, outstanding] : cursors_) {
    for (const auto& one : outstanding) {
      if (!one.settled && !numbers.contains(one.number)) break;
      auto& position = positions[name];
      position = std::max(position, one.position);
    }
  }
  return positions;
}

void Queue::settled(const std::vector<Queued>& events) {
  std::set<std::uint64_t> numbers;
  for (const auto& queued : events) {
    if (queued.event.cursor) numbers.insert(queued.number);
  }
  if (numbers.empty()) return;
  const std::lock_guard lock(mutex_);
  for (auto& [name, outstanding] : cursors_) {
    for (auto& one : outstanding) one.settled = one.settled || numbers.contains(one.number);
    // One settled before its predecessors waits for them: only then may the cursor pass it.
    while (!outstanding.empty() && outstanding.front().settled) outstanding.pop_front();
  }
}

std::size_t Queue::size() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

std::uint64_t Queue::posted() const {
  const std::lock_guard lock(mutex_);
  return posted_;
}

std::uint64_t Queue::passed() const {
  const std::lock_guard lock(mutex_);
  auto lowest = posted_ + 1;
  for (const auto& [tenant, own] : tenants_) {
    if (!own.empty()) lowest = std::min(lowest, own.front().number);
  }
  return lowest - 1;
}

}  // namespace atalaya::control
