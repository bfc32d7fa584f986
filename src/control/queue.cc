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
  const auto own = usual_.size_of(event.tenant) + urgent_.size_of(event.tenant);
  if (own >= limits_.per_tenant) {
    return fail(ErrorCode::kResourceExhausted,
                fmt::format("control queue: {} events of tenant {} wait", own, event.tenant.value()),
                "try again in a moment");
  }
  ++posted_;
  ++size_;
  if (event.cursor) cursors_[event.cursor->name].push_back({posted_, event.cursor->position});
  auto& lane = event.urgent ? urgent_ : usual_;
  lane.push({std::move(event), posted_});
  return {};
}

std::vector<Queued> Queue::take(const Portion& portion) {
  const std::lock_guard lock(mutex_);
  was_urgent_ = !urgent_.empty() && (!was_urgent_ || usual_.empty());
  std::vector<Queued> taken;
  (was_urgent_ ? urgent_ : usual_).take(portion, taken);
  size_ -= taken.size();
  return taken;
}

void Queue::put_back(std::vector<Queued> events) {
  const std::lock_guard lock(mutex_);
  size_ += events.size();
  for (auto it = events.rbegin(); it != events.rend(); ++it) {
    auto& lane = it->event.urgent ? urgent_ : usual_;
    lane.push_front(std::move(*it));
  }
}

std::size_t Queue::Lane::size_of(const TenantId& tenant) const {
  const auto own = tenants_.find(tenant);
  return own == tenants_.end() ? 0 : own->second.size();
}

void Queue::Lane::push(Queued queued) {
  auto& own = tenants_[queued.event.tenant];
  if (own.empty()) turn_.push_back(queued.event.tenant);
  own.push_back(std::move(queued));
}

void Queue::Lane::push_front(Queued queued) {
  auto& own = tenants_[queued.event.tenant];
  if (own.empty()) turn_.push_front(queued.event.tenant);
  own.push_front(std::move(queued));
}

void Queue::Lane::take(const Portion& portion, std::vector<Queued>& out) {
  std::size_t weight = 0;
  const auto has_room = [&] { return out.size() < portion.count && weight < portion.weight; };
  while (has_room() && !turn_.empty()) {
    const auto tenant = std::move(turn_.front());
    turn_.pop_front();
    auto& own = tenants_[tenant];
    for (std::size_t n = 0; n < portion.per_tenant && has_room() && !own.empty(); ++n) {
      weight += own.front().event.weight;
      out.push_back(std::move(own.front()));
      own.pop_front();
    }
    if (own.empty()) {
      tenants_.erase(tenant);
    } else {
      turn_.push_back(tenant);
    }
  }
}

std::uint64_t Queue::Lane::lowest(std::uint64_t none) const {
  auto lowest = none;
  for (const auto& [tenant, own] : tenants_) {
    if (!own.empty()) lowest = std::min(lowest, own.front().number);
  }
  return lowest;
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
  return urgent_.lowest(usual_.lowest(posted_ + 1)) - 1;
}

}  // namespace atalaya::control
