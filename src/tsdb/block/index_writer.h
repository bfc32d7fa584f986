// Pages of an index section as they are built (docs/formats/index.md).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/compress.h"
#include "tsdb/block/index_directory.h"
#include "tsdb/block/index_lists.h"
#include "tsdb/block/index_pages.h"

namespace atalaya::tsdb::index {

/// Appends closed pages to a section and notes them in its directory. Thread-compatible.
class PageWriter {
 public:
  /// Kinds come in their order; pages of a kind one after another.
  void append(PageKind kind, std::uint32_t items, std::string_view bytes);
  Directory& directory() { return directory_; }
  std::string& section() { return section_; }

 private:
  std::string section_;
  Directory directory_;
  std::string packed_;
  io::ZstdCompressor zstd_{3, 17};
};

/// Thread-compatible, as all of these.
class ChunkPageWriter {
 public:
  void add(PageWriter& pages, std::span<const ChunkRef> chunks, std::span<const std::uint32_t> spans);
  void close(PageWriter& pages);

 private:
  std::string counts_;
  std::string spans_;
  std::string pages_;
  std::string offsets_;
  std::uint32_t items_ = 0;
  std::uint32_t weight_ = 0;
  std::uint64_t span_ = ~std::uint64_t{0};
  std::uint64_t page_ = 0;
  std::uint64_t offset_ = 0;
};

class LabelPageWriter {
 public:
  void add(PageWriter& pages, std::span<const std::uint32_t> pairs);
  void close(PageWriter& pages);

 private:
  std::string bytes_;
  std::vector<std::uint32_t> before_;
  std::uint32_t items_ = 0;
  std::uint32_t weight_ = 0;
};

class ListPageWriter {
 public:
  /// Where the next list will begin.
  std::uint32_t page() const { return page_; }
  std::uint32_t offset() const { return static_cast<std::uint32_t>(bytes_.size()); }
  /// The word of its pair.
  std::uint64_t add(PageWriter& pages, std::span<const Run> runs);
  void close(PageWriter& pages);

 private:
  std::string bytes_;
  std::uint32_t page_ = 0;
};

/// Collects its pages until all lists are written, since they come behind them.
class PairPageWriter {
 public:
  void add(std::string_view value, bool first_of_name, std::span<const Run> runs, ListPageWriter& lists,
           PageWriter& pages);
  void finish(PageWriter& pages);

 private:
  struct Closed {
    std::uint32_t items = 0;
    std::size_t end = 0;  ///< in closed_bytes_
    PairPageHead head;
  };
  void close();

  std::string values_;
  std::string refs_;
  std::string_view before_;
  PairPageHead head_;
  std::uint32_t items_ = 0;
  std::uint32_t weight_ = 0;
  std::uint64_t ordinal_ = 0;
  std::string closed_bytes_;
  std::vector<Closed> closed_;
};

void write_spans(PageWriter& pages, std::span<const Span> spans);

}  // namespace atalaya::tsdb::index
