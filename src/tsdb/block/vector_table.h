// Finds a vector of instants that a block has already.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "io/checksum.h"

namespace atalaya::tsdb {

/// Numbers vectors in the order in which they first come. They are known by a keyed hash of 128 bits, 24
/// bytes each; the key is the process's own, so nobody can make two vectors meet. Thread-compatible.
class VectorTable {
 public:
  struct Found {
    std::uint32_t number;
    bool is_new;
  };

  Found find_or_add(std::span<const std::int64_t> times) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    const auto hash = io::keyed_hash({reinterpret_cast<const char*>(times.data()), times.size_bytes()});
    auto& slot = place_of(hash);
    if (slot.number != kFree) return {slot.number, false};
    slot = {hash, size_};
    return {size_++, true};
  }
  std::uint32_t size() const { return size_; }

 private:
  static constexpr std::uint32_t kFree = UINT32_MAX;
  struct Slot {
    io::Hash128 hash;
    std::uint32_t number = kFree;
  };

  Slot& place_of(const io::Hash128& hash) {
    auto at = hash.low & (slots_.size() - 1);
    while (slots_[at].number != kFree && slots_[at].hash != hash) at = (at + 1) & (slots_.size() - 1);
    return slots_[at];
  }
  void grow() {
    auto old = std::move(slots_);
    slots_.assign(old.empty() ? 64 : old.size() * 2, {});
    for (const auto& slot : old) {
      if (slot.number != kFree) place_of(slot.hash) = slot;
    }
  }

  std::vector<Slot> slots_;  ///< a power of two, at most half full
  std::uint32_t size_ = 0;
};

}  // namespace atalaya::tsdb
