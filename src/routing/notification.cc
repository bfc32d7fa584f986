#include "routing/notification.h"

#include <fmt/format.h>

#include <algorithm>

namespace atalaya::routing {

std::string to_string(const NotificationKey& key) {
  return fmt::format("{}/{}/{}:{}:{}", key.target.receiver, key.target.type, key.target.index, key.flush, key.group);
}

std::string_view name(Reason reason) {
  switch (reason) {
    case Reason::kFirst: return "first";
    case Reason::kChanged: return "changed";
    case Reason::kResolved: return "resolved";
    case Reason::kRepeated: return "repeated";
  }
  return "";
}

bool Notification::firing() const {
  return std::any_of(alerts.begin(), alerts.end(), [](const NotifiedAlert& one) { return one.firing; });
}

}  // namespace atalaya::routing
