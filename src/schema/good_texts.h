// Texts that were found good before. Inside schema only.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_set>

namespace atalaya::schema {

/// Parsing an expression or compiling a pattern costs more than all else about an item, and the instances of a
/// specification, or a package that is read again after a change, bring the same texts by thousands. Forgets all
/// when it holds a few MiB. Thread-safe.
class GoodTexts {
 public:
  bool contains(std::string_view text) const {
    const std::shared_lock lock(mutex_);
    return texts_.contains(text);
  }
  void add(std::string_view text) {
    constexpr std::size_t kMostBytes = 4 << 20;
    constexpr std::size_t kPerEntry = 100;
    if (text.size() > kMostBytes / 100) return;
    const std::unique_lock lock(mutex_);
    if (bytes_ > kMostBytes) {
      texts_.clear();
      bytes_ = 0;
    }
    if (texts_.emplace(text).second) bytes_ += text.size() + kPerEntry;
  }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  mutable std::shared_mutex mutex_;
  std::unordered_set<std::string, Hash, std::equal_to<>> texts_;
  std::size_t bytes_ = 0;
};

}  // namespace atalaya::schema
