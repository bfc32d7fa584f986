#include "auth/verified_cache.h"

namespace atalaya::auth {

std::shared_ptr<const Principal> VerifiedCache::find(std::string_view token_hash) {
  const std::string key(token_hash);
  const std::lock_guard lock(mutex_);
  if (const auto found = young_.find(key); found != young_.end()) return found->second;
  const auto found = old_.find(key);
  if (found == old_.end()) return nullptr;
  auto principal = found->second;
  old_.erase(found);
  insert(key, principal);
  return principal;
}

void VerifiedCache::put(std::string token_hash, Principal principal) {
  auto shared = std::make_shared<const Principal>(std::move(principal));
  const std::lock_guard lock(mutex_);
  insert(std::move(token_hash), std::move(shared));
}

void VerifiedCache::insert(std::string hash, std::shared_ptr<const Principal> principal) {
  if (young_.size() >= half_) {
    old_ = std::move(young_);
    young_.clear();
  }
  young_.insert_or_assign(std::move(hash), std::move(principal));
}

std::size_t VerifiedCache::size() const {
  const std::lock_guard lock(mutex_);
  return young_.size() + old_.size();
}

}  // namespace atalaya::auth
