// How many samples a tenant may send.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>

#include "base/ids.h"
#include "base/time.h"

namespace atalaya::tsdb {

/// A bucket for each tenant that holds ten seconds' worth. Thread-safe.
class RateLimit {
 public:
  /// `per_second` 0: no limit.
  explicit RateLimit(std::size_t per_second) : per_second_(static_cast<double>(per_second)) {}

  /// Whether so many samples may come now; a batch larger than the bucket passes when that is full.
  bool admit(const TenantId& tenant, std::size_t samples, Steady now) {
    if (per_second_ == 0) return true;
    const auto most = per_second_ * kSeconds;
    const std::lock_guard lock(mutex_);
    const auto [it, is_new] = buckets_.try_emplace(tenant, Bucket{most, now});
    auto& bucket = it->second;
    const std::chrono::duration<double> passed = now - bucket.last;
    bucket.left = std::min(most, bucket.left + passed.count() * per_second_);
    bucket.last = now;
    const auto wanted = static_cast<double>(samples);
    if (bucket.left < std::min(wanted, most)) return false;
    bucket.left -= wanted;
    return true;
  }

 private:
  static constexpr double kSeconds = 10;
  struct Bucket {
    double left;
    Steady last;
  };
  const double per_second_;
  std::mutex mutex_;
  std::map<TenantId, Bucket> buckets_;  ///< guarded by mutex_
};

}  // namespace atalaya::tsdb
