// What is known of the series of a block in memory.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace atalaya::tsdb {

/// Of each series of an index the id that it has in memory, once somebody has looked it up by its labels: 0 until
/// then. An id is never given to other labels, so what is noted here never becomes wrong. Takes memory where series
/// are noted alone. Thread-safe.
class OrdinalIds {
 public:
  explicit OrdinalIds(std::size_t size) : size_(size) {}
  ~OrdinalIds() { std::free(ids_.load()); }
  OrdinalIds(const OrdinalIds&) = delete;
  OrdinalIds& operator=(const OrdinalIds&) = delete;

  std::uint32_t find(std::uint32_t ordinal) const {
    auto* ids = ids_.load(std::memory_order_acquire);
    return ids ? std::atomic_ref(ids[ordinal]).load(std::memory_order_relaxed) : 0;
  }
  void note(std::uint32_t ordinal, std::uint32_t id) {
    auto* ids = ids_.load(std::memory_order_acquire);
    if (!ids) ids = allocate();
    std::atomic_ref(ids[ordinal]).store(id, std::memory_order_relaxed);
  }

 private:
  /// Zeroed by the system when a page is first touched.
  std::uint32_t* allocate() {
    auto* fresh = static_cast<std::uint32_t*>(std::calloc(size_, sizeof(std::uint32_t)));
    if (!fresh) throw std::bad_alloc();
    std::uint32_t* there = nullptr;
    if (ids_.compare_exchange_strong(there, fresh)) return fresh;
    std::free(fresh);
    return there;
  }

  const std::size_t size_;
  std::atomic<std::uint32_t*> ids_ = nullptr;
};

}  // namespace atalaya::tsdb
