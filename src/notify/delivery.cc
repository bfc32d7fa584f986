#include "notify/delivery.h"

#include <fmt/format.h>

namespace atalaya::notify {

std::string_view name(DeliveryState state) {
  switch (state) {
    case DeliveryState::kQueued: return "queued";
    case DeliveryState::kRetrying: return "retrying";
    case DeliveryState::kSent: return "sent";
    case DeliveryState::kFailed: return "failed";
  }
  return "";
}

Result<DeliveryState> parse_delivery_state(std::string_view text) {
  for (const auto state :
       {DeliveryState::kQueued, DeliveryState::kRetrying, DeliveryState::kSent, DeliveryState::kFailed}) {
    if (text == name(state)) return state;
  }
  return fail(ErrorCode::kInvalidArgument, fmt::format("'{}' is not a state of a delivery", text),
              "use queued, retrying, sent or failed");
}

}  // namespace atalaya::notify
