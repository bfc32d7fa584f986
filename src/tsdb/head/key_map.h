// From the bytes by which protocols name series to ids.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "storage/series.h"

namespace atalaya::tsdb {

/// Open addressing with all 128 bits of each key. Thread-compatible.
class KeyMap {
 public:
  KeyMap() : slots_(kFirstSlots) {}

  void prefetch(const storage::SeriesKey& key) const { __builtin_prefetch(&slots_[key.low & (slots_.size() - 1)]); }
  /// 0 when absent.
  std::uint32_t find(const storage::SeriesKey& key) const {
    const auto mask = slots_.size() - 1;
    for (auto at = key.low & mask;; at = (at + 1) & mask) {
      const auto& slot = slots_[at];
      if (slot.id == 0 || (slot.low == key.low && slot.high == key.high)) return slot.id;
    }
  }
  void set(const storage::SeriesKey& key, std::uint32_t id) {
    if ((used_ + 1) * 4 > slots_.size() * 3) rebuild(slots_.size() * 2, [](std::uint32_t) { return true; });
    put({key.low, key.high, id});
  }
  /// Leaves the keys whose id `keep` wants.
  template <typename Keep>
  void filter(Keep&& keep) {
    std::size_t kept = 0;
    for (const auto& slot : slots_) kept += slot.id != 0 && keep(slot.id);
    auto size = kFirstSlots;
    while (kept * 2 > size) size *= 2;
    rebuild(size, keep);
  }
  std::size_t size() const { return used_; }
  std::size_t bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
#pragma pack(push, 4)
  struct Slot {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    std::uint32_t id = 0;  ///< 0: empty
  };
#pragma pack(pop)
  static constexpr std::size_t kFirstSlots = 16;

  void put(const Slot& slot) {
    const auto mask = slots_.size() - 1;
    auto at = slot.low & mask;
    while (slots_[at].id != 0 && !(slots_[at].low == slot.low && slots_[at].high == slot.high)) at = (at + 1) & mask;
    used_ += slots_[at].id == 0;
    slots_[at] = slot;
  }
  template <typename Keep>
  void rebuild(std::size_t size, Keep&& keep) {
    std::vector<Slot> old(size);
    old.swap(slots_);
    used_ = 0;
    for (const auto& slot : old) {
      if (slot.id != 0 && keep(slot.id)) put(slot);
    }
  }

  std::vector<Slot> slots_;
  std::size_t used_ = 0;
};

}  // namespace atalaya::tsdb
