// Pages of an index section, unpacked (docs/formats/index.md).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tsdb/block/index.h"
#include "tsdb/block/index_directory.h"
#include "tsdb/block/index_lists.h"
#include "tsdb/block/page_cache.h"

namespace atalaya::tsdb::index {

/// The series of a pair: one ordinal, or where the list of more lies.
struct ListRef {
  std::uint32_t count = 0;
  std::uint32_t ordinal = 0;  ///< where the count is 1; else:
  std::uint32_t page = 0;
  std::uint32_t offset = 0;
  std::uint32_t bytes = 0;
  ListKind kind = ListKind::kGaps;
};

struct PairPage {
  std::string text;                 ///< values one after another
  std::vector<std::uint32_t> ends;  ///< in text, one a pair
  std::vector<ListRef> lists;       ///< one a pair
  std::uint32_t list_page = 0;      ///< where the lists after this page begin
  std::uint32_t list_offset = 0;

  std::string_view value(std::uint32_t i) const {
    const auto begin = i == 0 ? 0 : ends[i - 1];
    return std::string_view(text).substr(begin, ends[i] - begin);
  }
};

struct LabelPage {
  std::vector<std::uint32_t> pairs;
  std::vector<std::uint32_t> ends;  ///< in pairs, one a series

  std::span<const std::uint32_t> of(std::uint32_t i) const {
    const auto begin = i == 0 ? 0 : ends[i - 1];
    return std::span(pairs).subspan(begin, ends[i] - begin);
  }
};

struct Span {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::uint32_t times = 0;
  std::uint32_t count = 0;
  bool operator==(const Span&) const = default;
};

struct SpanPage {
  std::vector<Span> spans;
};

struct ChunkPage {
  std::vector<ChunkRef> chunks;
  std::vector<std::uint32_t> ends;  ///< in chunks, one a series

  std::span<const ChunkRef> of(std::uint32_t i) const {
    const auto begin = i == 0 ? 0 : ends[i - 1];
    return std::span(chunks).subspan(begin, ends[i] - begin);
  }
};

/// Lists one after another.
struct ListPage {
  std::string bytes;
};

/// Reads pages of a section that may be hostile: each call answers corruption for what breaks a rule of the
/// format that one page can break. Numbers of pages are below those of the directory. Thread-safe.
class Pages {
 public:
  Pages(std::string_view section, Directory directory, std::shared_ptr<PageCache> cache)
      : section_(section), directory_(std::move(directory)), kept_(std::move(cache)) {}

  void keep_in(const std::shared_ptr<PageCache>& cache) { kept_ = PageKeeper(cache); }
  const Directory& directory() const { return directory_; }
  Result<std::shared_ptr<const PairPage>> pairs(std::uint32_t number) const;
  Result<std::shared_ptr<const LabelPage>> labels(std::uint32_t number) const;
  Result<std::shared_ptr<const SpanPage>> spans(std::uint32_t number) const;
  Result<std::shared_ptr<const ChunkPage>> chunks(std::uint32_t number) const;
  Result<std::shared_ptr<const ListPage>> lists(std::uint32_t number) const;
  std::uint32_t series() const { return directory_.items(PageKind::kLabels); }

 private:
  template <typename T, typename Read>
  Result<std::shared_ptr<const T>> get(PageKind kind, std::uint32_t number, Read read) const;
  Result<std::string> unpack(PageKind kind, std::uint32_t number) const;

  const std::string_view section_;
  const Directory directory_;
  PageKeeper kept_;
};

/// What a page holds beside its object: for the cache.
std::size_t weight(const PairPage& page);
std::size_t weight(const LabelPage& page);
std::size_t weight(const SpanPage& page);
std::size_t weight(const ChunkPage& page);
std::size_t weight(const ListPage& page);

}  // namespace atalaya::tsdb::index
