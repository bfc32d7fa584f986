// How often somebody may guess.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "base/time.h"

namespace atalaya::auth {

/// A bucket for each key: `burst` attempts at once, then one every `interval`. An attempt is taken
/// before it is judged, so that guesses made at the same moment count too, and is given back if it
/// succeeded. At most `max_keys` buckets: full ones are dropped first, since they say nothing, then
/// the fullest. Thread-safe.
class FailureLimit {
 public:
  FailureLimit(int burst, Duration interval, std::size_t max_keys)
      : burst_(burst), interval_(interval), max_keys_(max_keys) {}

  /// resource_exhausted, naming the wait, when the bucket is empty.
  Status take(const std::string& key, Steady now);
  void give_back(const std::string& key);
  /// Fills the bucket: the owner has shown the right password.
  void forgive(const std::string& key);
  std::size_t size() const;

 private:
  struct Bucket {
    double left = 0;
    Steady at{};
  };
  double left_at(const Bucket& bucket, Steady now) const;
  void make_room(Steady now);

  const double burst_;
  const Duration interval_;
  const std::size_t max_keys_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace atalaya::auth
