#include "auth/failure_limit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace atalaya::auth {

double FailureLimit::left_at(const Bucket& bucket, Steady now) const {
  const double passed = std::chrono::duration<double>(now - bucket.at).count();
  return std::min(burst_, bucket.left + passed / to_seconds(interval_));
}

Status FailureLimit::take(const std::string& key, Steady now) {
  const std::lock_guard lock(mutex_);
  auto found = buckets_.find(key);
  if (found == buckets_.end()) {
    make_room(now);
    found = buckets_.emplace(key, Bucket{burst_, now}).first;
  }
  auto& bucket = found->second;
  bucket.left = left_at(bucket, now);
  bucket.at = now;
  if (bucket.left < 1) {
    const auto wait = static_cast<int>(std::ceil((1 - bucket.left) * to_seconds(interval_)));
    return fail(ErrorCode::kResourceExhausted, "too many failed sign-ins", fmt::format("try again in {} s", wait));
  }
  bucket.left -= 1;
  return {};
}

void FailureLimit::give_back(const std::string& key) {
  const std::lock_guard lock(mutex_);
  if (const auto found = buckets_.find(key); found != buckets_.end()) {
    found->second.left = std::min(burst_, found->second.left + 1);
  }
}

void FailureLimit::forgive(const std::string& key) {
  const std::lock_guard lock(mutex_);
  buckets_.erase(key);
}

void FailureLimit::make_room(Steady now) {
  if (buckets_.size() < max_keys_) return;
  std::erase_if(buckets_, [&](const auto& entry) { return left_at(entry.second, now) >= burst_; });
  if (buckets_.size() < max_keys_) return;
  buckets_.erase(std::ranges::max_element(buckets_, {}, [&](const auto& entry) { return left_at(entry.second, now); }));
}

std::size_t FailureLimit::size() const {
  const std::lock_guard lock(mutex_);
  return buckets_.size();
}

}  // namespace atalaya::auth
