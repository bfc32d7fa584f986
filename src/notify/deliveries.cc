#include "notify/deliveries.h"

#include <algorithm>
#include <deque>
#include <set>
#include <tuple>

#include "base/check.h"
#include "notify/hash.h"

namespace atalaya::notify {

struct Deliveries::Item {
  std::shared_ptr<const Delivery> delivery;
  std::shared_ptr<Lane> lane;
  std::string queue;  ///< alert, or the own key: what keeps its order
  Time due;
  std::uint32_t attempts = 0;
  std::uint64_t number = 0;
  bool running = false;
  bool ran_as_suspect = false;
};

struct Deliveries::Lane {
  /// Per alert, in order; only the first of each is in `due`.
  std::map<std::string, std::deque<std::shared_ptr<Item>>> queues;
  std::set<std::tuple<Time, std::uint64_t, std::shared_ptr<Item>>> due;
  std::size_t running = 0;
  bool suspect = false;
  Time paused_until = kMinTime;

  void offer(const std::shared_ptr<Item>& item) { due.emplace(item->due, item->number, item); }
  Time next() const { return std::max(paused_until, std::get<0>(*due.begin())); }
};

void Deliveries::add(Delivery delivery) {
  const auto id = std::pair(delivery.tenant, delivery.key);
  if (known_.contains(id)) return;
  auto& lane = lanes_[{delivery.tenant, delivery.channel}];
  if (!lane) lane = std::make_shared<Lane>();
  auto item = std::make_shared<Item>();
  item->lane = lane;
  item->queue = !delivery.thread.empty()         ? delivery.thread
                : delivery.alert.value().empty() ? delivery.key
                                                 : delivery.alert.value();
  item->due = delivery.next_attempt.value_or(delivery.created);
  item->attempts = delivery.attempts;
  item->number = ++added_;
  item->delivery = std::make_shared<const Delivery>(std::move(delivery));
  known_.emplace(id, item);
  auto& queue = lane->queues[item->queue];
  queue.push_back(item);
  if (queue.size() == 1) lane->offer(item);
}

bool Deliveries::may_run(const Lane& lane) const {
  if (lane.due.empty() || running_ >= options_.max_running) return false;
  if (!lane.suspect) return lane.running < options_.lane_width;
  return lane.running == 0 && running_suspects_ < options_.max_suspects;
}

std::pair<Deliveries::Lane*, Time> Deliveries::best_lane(Time now) const {
  Lane* best = nullptr;
  Time best_due = kMaxTime;
  for (const auto& [key, lane] : lanes_) {
    if (!may_run(*lane)) continue;
    const auto due = lane->next();
    // Of what is due, healthy lanes go first; then whoever waits longest.
    const bool first =
        best == nullptr ||
        (due <= now && best_due <= now && lane->suspect != best->suspect ? best->suspect : due < best_due);
    if (first) std::tie(best, best_due) = std::pair(lane.get(), due);
  }
  return {best, best_due};
}

std::shared_ptr<const Delivery> Deliveries::take(Time now) {
  const auto [lane, due] = best_lane(now);
  if (lane == nullptr || due > now) return nullptr;
  const auto item = std::get<2>(*lane->due.begin());
  lane->due.erase(lane->due.begin());
  item->running = true;
  item->ran_as_suspect = lane->suspect;
  ++lane->running;
  ++running_;
  if (item->ran_as_suspect) ++running_suspects_;
  return item->delivery;
}

std::optional<Time> Deliveries::next_due() const {
  const auto [lane, due] = best_lane(kMinTime);
  if (lane == nullptr) return std::nullopt;
  return due;
}

Duration Deliveries::back_off(const std::string& key, std::uint32_t attempts) const {
  auto wait = options_.first_retry;
  for (std::uint32_t i = 1; i < attempts && wait < options_.longest_retry; ++i) wait *= 2;
  wait = std::min(wait, options_.longest_retry);
  // ± 20 %, so that what failed together does not come back together.
  const auto spread = static_cast<std::int64_t>(hash_text(key + ":" + std::to_string(attempts)) % 401) - 200;
  return wait + wait * spread / 1000;
}

void Deliveries::end(const std::shared_ptr<Item>& item) {
  auto& lane = *item->lane;
  auto& queue = lane.queues[item->queue];
  AT_CHECK(!queue.empty() && queue.front() == item);
  queue.pop_front();
  if (queue.empty()) {
    lane.queues.erase(item->queue);
  } else {
    lane.offer(queue.front());
  }
  known_.erase({item->delivery->tenant, item->delivery->key});
}

Deliveries::Decision Deliveries::finish(const TenantId& tenant, const std::string& key, const AttemptResult& result,
                                        Time now) {
  const auto it = known_.find({tenant, key});
  AT_CHECK(it != known_.end() && it->second->running);
  const auto item = it->second;
  auto& lane = *item->lane;
  --lane.running;
  --running_;
  if (item->ran_as_suspect) --running_suspects_;
  item->running = false;
  Decision decision{.attempt = ++item->attempts};
  // A peer that refuses is alive; one that cannot be reached is not.
  lane.suspect = !result.ok && !result.permanent;
  if (result.ok) {
    decision.state = DeliveryState::kSent;
    end(item);
    return decision;
  }
  const auto wait = std::max(back_off(key, item->attempts), result.retry_after.value_or(Duration::zero()));
  auto last = item->delivery->created + options_.give_up;
  if (item->delivery->deadline) last = std::min(last, *item->delivery->deadline);
  if (result.permanent || now + wait > last) {
    decision.state = DeliveryState::kFailed;
    end(item);
    return decision;
  }
  if (result.retry_after) lane.paused_until = std::max(lane.paused_until, now + *result.retry_after);
  item->due = now + wait;
  decision.state = DeliveryState::kRetrying;
  decision.next_attempt = item->due;
  lane.offer(item);
  return decision;
}

}  // namespace atalaya::notify
