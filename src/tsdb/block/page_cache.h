// The pages of a block that were unpacked last.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace atalaya::tsdb {

struct UnpackedPage {
  std::string bytes;
  std::vector<std::uint32_t> starts;  ///< of a page of instants: where each vector's text begins
};
using UnpackedPagePtr = std::shared_ptr<const UnpackedPage>;

/// A page has one place, by its number; whoever comes to it next takes it. Series are read in order, so
/// that is as good as a list of use, without keeping one. Thread-safe.
class PageCache {
 public:
  static constexpr std::size_t kPages = 8;

  UnpackedPagePtr find(std::uint32_t number) const {
    const std::lock_guard lock(mutex_);
    const auto& slot = slots_[number % kPages];
    return slot.second != nullptr && slot.first == number ? slot.second : nullptr;
  }
  void put(std::uint32_t number, UnpackedPagePtr page) const {
    const std::lock_guard lock(mutex_);
    slots_[number % kPages] = {number, std::move(page)};
  }
  void clear() const {
    const std::lock_guard lock(mutex_);
    slots_.fill({});
  }

 private:
  mutable std::mutex mutex_;
  mutable std::array<std::pair<std::uint32_t, UnpackedPagePtr>, kPages> slots_;
};

}  // namespace atalaya::tsdb
