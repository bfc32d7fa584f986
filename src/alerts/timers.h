// Keys of the machine's durable timers; any other key is the id of a pending alert: for the library's own sources.
#pragma once

#include <chrono>
#include <string_view>

#include "base/time.h"

namespace atalaya::alerts {

constexpr std::string_view kPurge = "purge";             ///< deletes what is over
constexpr std::string_view kEndsTimer = "ends";          ///< the earliest end of a posted alert
constexpr std::string_view kSilencesTimer = "silences";  ///< the next begin or end of a silence
constexpr std::string_view kSearchTimer = "search";      ///< brings words of what is over into their index
constexpr std::string_view kAckTimer = "ack:";           ///< and an alert's id
constexpr std::string_view kShelfTimer = "shelf:";       ///< and an alert's id
constexpr std::string_view kFlapTimer = "flap:";         ///< and an alert's id
constexpr std::string_view kHeldTimer = "held:";         ///< and an alert's id
constexpr std::string_view kCalmTimer = "calm:";         ///< and an alert's id
constexpr std::string_view kPingTimer = "ping:";         ///< and a check's id

/// The same all day, so that the timer comes although each alert that resolves sets it.
inline Time next_purge(Time now) { return std::chrono::floor<std::chrono::days>(now) + std::chrono::hours{24 + 3}; }

/// Not before the storm is over; the same for a while, for the same reason.
inline Time next_indexing(Time now) {
  return std::chrono::floor<std::chrono::minutes>(now) + std::chrono::minutes{1} + std::chrono::seconds{10};
}

}  // namespace atalaya::alerts
