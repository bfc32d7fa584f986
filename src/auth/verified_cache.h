// Tokens whose signature has been checked, so that a busy client pays for it once.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "auth/principal.h"

namespace atalaya::auth {

/// Keyed by the SHA-256 of the token, so that no token lies in memory. Times and revocations are not
/// looked at: the caller checks them on every hit. Two generations of at most `capacity / 2` each: a
/// full one becomes the old one, and what is still in use comes back from there. Thread-safe.
class VerifiedCache {
 public:
  explicit VerifiedCache(std::size_t capacity) : half_(capacity / 2 + 1) {}

  std::shared_ptr<const Principal> find(std::string_view token_hash);
  void put(std::string token_hash, Principal principal);
  std::size_t size() const;

 private:
  using Generation = std::unordered_map<std::string, std::shared_ptr<const Principal>>;
  void insert(std::string hash, std::shared_ptr<const Principal> principal);

  const std::size_t half_;
  mutable std::mutex mutex_;
  Generation young_;
  Generation old_;
};

}  // namespace atalaya::auth
