// Single-use tickets with which a browser opens a WebSocket: browsers cannot set headers there.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "auth/principal.h"
#include "base/result.h"
#include "base/time.h"

namespace atalaya::auth {

/// In memory only: a restart closes every WebSocket anyway. At most `max_open` tickets wait to be
/// used; more are refused with resource_exhausted. Thread-safe.
class Tickets {
 public:
  Tickets(Duration lifetime, std::size_t max_open) : lifetime_(lifetime), max_open_(max_open) {}

  Result<std::string> create(Principal principal, Steady now);
  /// unauthenticated if unknown, used or expired.
  Result<Principal> redeem(std::string_view ticket, Steady now);

 private:
  struct Open {
    Principal principal;
    Steady expires{};
  };
  const Duration lifetime_;
  const std::size_t max_open_;
  std::mutex mutex_;
  std::unordered_map<std::string, Open> open_;  ///< by hash of the ticket
};

}  // namespace atalaya::auth
