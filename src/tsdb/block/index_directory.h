// The directory of an index section: names, and where its pages are (docs/formats/index.md).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atalaya::tsdb::index {

/// In the order in which they lie in a section.
enum class PageKind : std::uint8_t { kChunks, kSpans, kLabels, kLists, kPairs };
constexpr std::size_t kPageKinds = 5;

constexpr std::size_t kMaxPageBytes = 64 << 20;  ///< unpacked
/// How much a page takes before it is closed, by kind: items, and weight (see the document).
constexpr std::array<std::uint32_t, kPageKinds> kPageItems{512, 512, 512, ~0u, 256};
constexpr std::array<std::uint32_t, kPageKinds> kPageWeight{32768, ~0u, 32768, 32768, 16384};

constexpr std::size_t at(PageKind kind) { return static_cast<std::size_t>(kind); }

struct Page {
  std::uint64_t offset = 0;      ///< in the section
  std::uint32_t first_item = 0;  ///< number of its first series, pair or span
  std::uint32_t items = 0;
  std::uint32_t stored = 0;
  std::uint32_t unpacked = 0;
  std::uint32_t crc = 0;
};

/// What is told of a page of pairs beside.
struct PairPageHead {
  std::uint32_t list_page = 0;
  std::uint32_t list_offset = 0;
  std::string separator;
};

struct Name {
  std::string text;
  std::uint32_t first_pair = 0;
  std::uint32_t pairs = 0;
  std::uint32_t series = 0;
};

/// Holds copies of what it was read from: a medium that fails later cannot change it.
struct Directory {
  std::vector<Name> names;
  std::array<std::vector<Page>, kPageKinds> pages;
  std::vector<PairPageHead> pair_heads;  ///< one a page of pairs

  const std::vector<Page>& of(PageKind kind) const { return pages[at(kind)]; }
  std::uint32_t items(PageKind kind) const;
  /// Number of the page that holds an item below items(kind).
  std::uint32_t page_of(PageKind kind, std::uint32_t item) const;
  /// Index into names of a pair below items(kPairs).
  std::uint32_t name_of(std::uint32_t pair) const;
  /// Null when there is none.
  const Name* find_name(std::string_view text) const;

  /// Appends directory and trailer.
  void write(std::string& section) const;
  /// corruption when the section does not hold together.
  static Result<Directory> read(std::string_view section);
};

}  // namespace atalaya::tsdb::index
