// Who reads a series, by its number.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/ids.h"

namespace atalaya::app {

/// Numbers of series are handed out one after another, so a page of them is an array: a look-up costs no hash, and a
/// series that nobody reads four bytes. Forgets everything when more is known than it may hold. Thread-compatible.
class SeriesReaders {
 public:
  /// Nullopt: not known yet.
  using Find = std::function<std::optional<std::vector<std::uint32_t>>(SeriesId)>;

  /// `find` is asked once for a series, again where it did not know. Valid until the next call.
  std::span<const std::uint32_t> of(SeriesId id, const Find& find);

 private:
  static constexpr std::size_t kPage = 4096;
  static constexpr std::size_t kMostPages = 4096;  ///< 16 million series, 64 MiB
  using Page = std::array<std::uint32_t, kPage>;

  /// Zero: unknown; else one more than the place in lists_.
  std::vector<std::unique_ptr<Page>> pages_;
  std::size_t page_count_ = 0;
  std::vector<std::vector<std::uint32_t>> lists_{{}};  ///< the first is that of nobody
};

}  // namespace atalaya::app
