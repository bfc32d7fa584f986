#include "auth/tickets.h"

#include "auth/digest.h"
#include "base/random.h"

namespace atalaya::auth {

Result<std::string> Tickets::create(Principal principal, Steady now) {
  auto ticket = random_token();
  principal.kind = Kind::kTicket;
  const std::lock_guard lock(mutex_);
  if (open_.size() >= max_open_) std::erase_if(open_, [&](const auto& entry) { return entry.second.expires <= now; });
  if (open_.size() >= max_open_) {
    return fail(ErrorCode::kResourceExhausted, "too many WebSocket tickets wait to be used", "try again in 30 s");
  }
  open_.emplace(sha256(ticket), Open{std::move(principal), now + lifetime_});
  return ticket;
}

Result<Principal> Tickets::redeem(std::string_view ticket, Steady now) {
  const std::lock_guard lock(mutex_);
  auto node = open_.extract(sha256(ticket));
  if (node.empty() || node.mapped().expires <= now) {
    return fail(ErrorCode::kUnauthenticated, "the WebSocket ticket is unknown, used or expired", "ask for a new one");
  }
  return std::move(node.mapped().principal);
}

}  // namespace atalaya::auth
