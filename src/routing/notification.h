// What routing wants told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/labels.h"
#include "routing/alert.h"

namespace atalaya::routing {

/// One integration of one receiver, as the log knows it across configurations.
struct Target {
  std::string receiver;
  std::string type;
  std::size_t index = 0;
  auto operator<=>(const Target&) const = default;
};

/// Names one notification for ever: (group, receiver, flush number).
struct NotificationKey {
  std::string group;  ///< Alertmanager's group key: `{}/{team="a"}:{alertname="disk"}`
  Target target;
  std::uint64_t flush = 0;
  auto operator<=>(const NotificationKey&) const = default;
};
/// `ops/webhook/0:17:{}/{team="a"}:{alertname="disk"}`: an idempotency key.
std::string to_string(const NotificationKey& key);

enum class Reason : std::uint8_t {
  kFirst,    ///< nothing of the group was told, or all of it was over
  kChanged,  ///< further alerts fire
  kResolved,
  kRepeated,  ///< nothing changed for repeat_interval
};
std::string_view name(Reason reason);

struct NotifiedAlert {
  Alert alert;
  Labels labels;  ///< with the severity
  bool firing = true;
};

/// An effect: to be sent by `deadline`, or not at all; until then, and until it is answered with
/// Machine::delivered or Machine::failed, its target hears nothing else of this group.
struct Notification {
  NotificationKey key;
  Reason reason = Reason::kFirst;
  std::string route;  ///< the route's id
  Labels group_labels;
  /// In order of job, instance and the other labels. Resolved ones only where the integration sends
  /// them. Never empty.
  std::vector<NotifiedAlert> alerts;
  Time at;
  Time deadline;

  bool firing() const;  ///< at least one alert does
};

}  // namespace atalaya::routing
