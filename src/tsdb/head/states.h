// The series of one tenant by id.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "tsdb/head/stream.h"

namespace atalaya::tsdb {

/// Ids count from 1 and are never used twice. A page of states goes when the last of its series is
/// retired, so that ids may run on for years. Thread-compatible.
class StateTable {
 public:
  /// Null for an id that was never given out, or whose series is retired.
  SeriesState* find(std::uint64_t id) {
    const auto page = id / kPageStates;
    if (page >= pages_.size() || !pages_[page]) return nullptr;
    auto& state = pages_[page]->states[id % kPageStates];
    return state.pairs ? &state : nullptr;
  }
  const SeriesState* find(std::uint64_t id) const { return const_cast<StateTable*>(this)->find(id); }
  void prefetch(std::uint64_t id) const {
    const auto page = id / kPageStates;
    if (page < pages_.size() && pages_[page]) __builtin_prefetch(&pages_[page]->states[id % kPageStates], 1);
  }

  /// The id that comes next; above all earlier ones.
  std::uint32_t next() const { return next_; }
  /// Makes the state of an id that has none. `next` is above it from now on.
  SeriesState& make(std::uint32_t id) {
    const auto page = id / kPageStates;
    if (page >= pages_.size()) pages_.resize(page + 1);
    if (!pages_[page]) pages_[page] = std::make_unique<Page>();
    ++pages_[page]->live;
    if (id >= next_) next_ = id + 1;
    return pages_[page]->states[id % kPageStates];
  }
  void skip_to(std::uint32_t next) {
    if (next > next_) next_ = next;
  }
  void retire(std::uint32_t id) {
    auto& page = pages_[id / kPageStates];
    page->states[id % kPageStates] = SeriesState{};
    if (--page->live == 0) page.reset();
  }

  /// Calls `visit(id, state)` for the live states with ids from `from`, of at most `pages` pages; returns
  /// the id to go on from, 0 at the end.
  template <typename Visit>
  std::uint32_t visit(std::uint32_t from, std::size_t pages, Visit&& visit) const {
    return const_cast<StateTable*>(this)->visit(from, pages,
                                                [&](std::uint32_t id, const SeriesState& state) { visit(id, state); });
  }
  template <typename Visit>
  std::uint32_t visit(std::uint32_t from, std::size_t pages, Visit&& visit) {
    auto page = from / kPageStates;
    for (; page < pages_.size() && pages > 0; ++page) {
      if (!pages_[page]) continue;
      --pages;
      for (std::uint32_t i = 0; i < kPageStates && pages_[page]; ++i) {
        auto& state = pages_[page]->states[i];
        if (state.pairs) visit(static_cast<std::uint32_t>(page * kPageStates + i), state);
      }
    }
    return page < pages_.size() ? static_cast<std::uint32_t>(page * kPageStates) : 0;
  }
  std::size_t bytes() const {
    std::size_t pages = 0;
    for (const auto& page : pages_) pages += page != nullptr;
    return pages * sizeof(Page) + pages_.capacity() * sizeof(void*);
  }

 private:
  static constexpr std::uint32_t kPageStates = 256;
  struct Page {
    std::array<SeriesState, kPageStates> states;
    std::uint32_t live = 0;
  };
  std::vector<std::unique_ptr<Page>> pages_;
  std::uint32_t next_ = 1;
};

}  // namespace atalaya::tsdb
