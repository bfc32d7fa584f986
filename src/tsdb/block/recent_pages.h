// The pages that a thread read last.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

namespace atalaya::tsdb {

/// A number that nobody else in the process has: stands for an owner of pages where its address might come again.
inline std::uint64_t unique_number() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

/// Neighbouring series lie in the same pages: this is asked before the cache, which all threads share. Keeps few
/// pages, also of owners that are gone. One a thread (thread_local). Thread-compatible.
template <typename Page, std::size_t kSlots>
class RecentPages {
 public:
  /// What is kept for the page, to be filled when it is null. Good until the next call.
  std::shared_ptr<const Page>& of(std::uint64_t owner, std::uint32_t number) {
    auto& slot = slots_[(owner * 31 + number) % kSlots];
    if (slot.owner != owner || slot.number != number) {
      slot.page = nullptr;
      slot.owner = owner;
      slot.number = number;
    }
    return slot.page;
  }

 private:
  struct Slot {
    std::uint64_t owner = 0;
    std::uint32_t number = 0;
    std::shared_ptr<const Page> page;
  };
  std::array<Slot, kSlots> slots_;
};

}  // namespace atalaya::tsdb
