// When each delivery is due: lanes, order, back-off. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "notify/channel.h"
#include "notify/delivery.h"

namespace atalaya::notify {

struct DeliveryOptions {
  Duration first_retry{1'000};
  Duration longest_retry{300'000};
  Duration give_up{std::chrono::hours{24}};  ///< after creation
  std::size_t lane_width = 2;                ///< attempts of one healthy channel at once
  std::size_t max_running = 32;              ///< attempts at once (the dispatcher's threads)
  std::size_t max_suspects = 24;             ///< of them, for channels whose last attempt failed
};

/// Decides what to try now and what an attempt's result means.
///
/// A *lane* is one channel of one tenant. A healthy lane runs `lane_width` attempts at once, one
/// whose last attempt failed (a suspect) only one, and all suspects together at most `max_suspects`:
/// so dead channels never take the place of living ones. Notifications of one alert through one
/// channel keep their order: a later one waits until the earlier is sent or given up. Back-off
/// doubles from `first_retry` to `longest_retry`, ± 20 % (from the key: no randomness), and never
/// below the peer's Retry-After, which holds for the lane. Thread-compatible.
class Deliveries {
 public:
  explicit Deliveries(DeliveryOptions options = {}) : options_(options) {}

  /// A known key is ignored.
  void add(Delivery delivery);
  /// The next delivery to try, taken out until `finish`; null when nothing is due or may run.
  std::shared_ptr<const Delivery> take(Time now);

  struct Decision {
    DeliveryState state = DeliveryState::kSent;
    std::optional<Time> next_attempt;
    std::uint32_t attempt = 1;  ///< number of the attempt that ended
  };
  Decision finish(const TenantId& tenant, const std::string& key, const AttemptResult& result, Time now);

  /// When `take` should be asked again if nothing finishes or is added before.
  std::optional<Time> next_due() const;
  std::size_t pending() const { return known_.size(); }
  std::size_t running() const { return running_; }

 private:
  struct Item;
  struct Lane;
  using LaneKey = std::pair<TenantId, std::string>;

  bool may_run(const Lane& lane) const;
  std::pair<Lane*, Time> best_lane(Time now) const;
  void end(const std::shared_ptr<Item>& item);
  Duration back_off(const std::string& key, std::uint32_t attempts) const;

  DeliveryOptions options_;
  std::map<LaneKey, std::shared_ptr<Lane>> lanes_;
  std::map<std::pair<TenantId, std::string>, std::shared_ptr<Item>> known_;
  std::size_t running_ = 0;
  std::size_t running_suspects_ = 0;
  std::uint64_t added_ = 0;
};

}  // namespace atalaya::notify
