// A delivery: one notification for one channel, from the outbox to its last attempt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"

namespace atalaya::notify {

enum class DeliveryState : std::uint8_t {
  kQueued,    ///< not tried yet
  kRetrying,  ///< tried, another attempt will follow
  kSent,
  kFailed,  ///< given up: refused for good, too old, or its channel is gone
};
std::string_view name(DeliveryState state);  ///< queued, retrying, sent, failed
Result<DeliveryState> parse_delivery_state(std::string_view text);

struct Delivery {
  TenantId tenant;
  /// Unique within the tenant: `<alert id>:<transition>:<channel>` of the built-in route, else what
  /// routing::to_string makes of the notification's key.
  std::string key;
  AlertId alert;  ///< of several the first; empty value for a test notification
  std::string alert_name;
  std::uint32_t transition = 0;
  std::string change;  ///< what is told: firing, resolved, no_data, test
  std::string channel;
  std::string type;
  DeliveryState state = DeliveryState::kQueued;
  Time created;
  std::optional<Time> next_attempt;  ///< while queued or retrying
  std::uint32_t attempts = 0;
  bool first_of_thread = true;
  /// Not to be tried at or after this: its group is told anew then.
  std::optional<Time> deadline;
  std::string thread;   ///< equal for all that one conversation is about; "" for the alert
  std::string payload;  ///< JSON snapshot of the data object
};

struct Attempt {
  std::uint32_t number = 1;
  Time at;
  bool ok = false;
  int status = 0;
  std::string answer;
  Duration took{0};
};

}  // namespace atalaya::notify
