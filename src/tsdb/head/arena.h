// Memory of a head's samples: lines of 64 bytes that are given back all together.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "base/check.h"

namespace atalaya::tsdb {

/// A cache line of sample bits. What the words mean: `stream.h`.
struct alignas(64) Line {
  std::array<std::uint64_t, 8> words{};
};

/// Grows by slabs, never moves a line. Handles count from 1; 0 is "none". Lines that are given out
/// are zero. One generation of samples each: dropped as a whole once its samples are in blocks.
///
/// Concurrency: `allocate` by one thread at a time, and excluded from `line` by the head's lock;
/// lines that are full are read by whoever holds the arena.
class Arena {
 public:
  std::uint32_t allocate() {
    const auto handle = next_++;
    if (handle / kSlabLines == slabs_.size()) slabs_.push_back(std::make_unique<Slab>());
    AT_CHECK(handle != 0);  // 256 GiB of samples
    return handle;
  }
  Line& line(std::uint32_t handle) { return (*slabs_[handle / kSlabLines])[handle % kSlabLines]; }
  const Line& line(std::uint32_t handle) const { return (*slabs_[handle / kSlabLines])[handle % kSlabLines]; }
  std::size_t bytes() const { return slabs_.size() * sizeof(Slab); }
  bool empty() const { return next_ == 1; }

 private:
  static constexpr std::size_t kSlabLines = 256;
  using Slab = std::array<Line, kSlabLines>;
  std::vector<std::unique_ptr<Slab>> slabs_;
  std::uint32_t next_ = 1;
};

}  // namespace atalaya::tsdb
