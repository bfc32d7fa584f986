// Memory of a head's samples: lines of 64 bytes that are given back all together.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>

#include "base/check.h"

namespace atalaya::tsdb {

/// A cache line of sample bits. What the words mean: `stream.h`.
struct alignas(64) Line {
  std::array<std::uint64_t, 8> words{};
};

/// Grows by slabs, never moves a line, nor what leads to it. Handles count from 1; 0 is "none". Lines that are given
/// out are zero. One generation of samples each: dropped as a whole once its samples are in blocks.
///
/// Concurrency: `allocate` by one thread at a time. Lines that are full, and were allocated before one last had the
/// head's lock, are read by whoever holds the arena, also while others are allocated.
class Arena {
 public:
  std::uint32_t allocate() {
    const auto handle = next_++;
    if (handle / kSlabLines == slabs_) add_slab();
    AT_CHECK(handle != 0);  // 256 GiB of samples
    return handle;
  }
  Line& line(std::uint32_t handle) { return (*slab(handle / kSlabLines))[handle % kSlabLines]; }
  const Line& line(std::uint32_t handle) const { return (*slab(handle / kSlabLines))[handle % kSlabLines]; }
  std::size_t bytes() const { return slabs_ * sizeof(Slab); }
  bool empty() const { return next_ == 1; }

 private:
  static constexpr std::uint32_t kSlabLines = 256;
  using Slab = std::array<Line, kSlabLines>;
  using SlabPtr = std::unique_ptr<Slab>;

  /// Table k leads to 2^k slabs: a vector would move its pointers away under those who read.
  static std::uint32_t table_of(std::uint32_t number) {
    return static_cast<std::uint32_t>(std::bit_width(number + 1)) - 1;
  }
  const SlabPtr& slab(std::uint32_t number) const {
    const auto table = table_of(number);
    return tables_[table][number + 1 - (1U << table)];
  }
  void add_slab() {
    const auto table = table_of(slabs_);
    if (!tables_[table]) tables_[table] = std::make_unique<SlabPtr[]>(std::size_t{1} << table);
    tables_[table][slabs_ + 1 - (1U << table)] = std::make_unique<Slab>();
    ++slabs_;
  }

  std::array<std::unique_ptr<SlabPtr[]>, 25> tables_;
  std::uint32_t slabs_ = 0;
  std::uint32_t next_ = 1;
};

}  // namespace atalaya::tsdb
