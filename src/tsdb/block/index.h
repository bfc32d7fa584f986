// What finds the series of one tenant in a block: labels, inverted index, places of chunks
// (docs/formats/index.md).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "tsdb/block/ordinal_ids.h"
#include "tsdb/block/page_cache.h"

namespace atalaya::tsdb {

/// Where a chunk of a series lies in its block, and what can be told of it without reading it.
struct ChunkRef {
  std::int64_t first = 0;  ///< Unix milliseconds, inclusive
  std::int64_t last = 0;
  std::uint32_t count = 0;
  std::uint32_t times = 0;   ///< which vector of instants of the block
  std::uint32_t page = 0;    ///< which page of values
  std::uint32_t offset = 0;  ///< in the unpacked page
  bool operator==(const ChunkRef&) const = default;
};

/// Collects series in ascending order of their labels. Thread-compatible.
class IndexBuilder {
 public:
  IndexBuilder();
  ~IndexBuilder();
  IndexBuilder(IndexBuilder&&) noexcept;
  IndexBuilder& operator=(IndexBuilder&&) noexcept;

  /// Labels above all earlier ones; chunks ascending in time, at least one.
  void add(const Labels& labels, std::span<const ChunkRef> chunks);
  std::size_t size() const;
  /// The whole section. The builder is empty after it.
  std::string finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Reads a section in place. A series is known by its ordinal, from 0, in ascending order of labels.
/// Immutable, but for a bounded cache of unpacked pages; thread-safe.
class Index {
 public:
  /// `bytes` outlive the index (they are mapped). corruption for a section that cannot serve; what is
  /// checked when it is first used answers corruption then. Bytes may come from anywhere. Unpacked pages
  /// are kept in `cache`, in one of its own without.
  static Result<std::unique_ptr<Index>> open(std::string_view bytes, std::shared_ptr<PageCache> cache = nullptr);
  ~Index();

  /// As of a block.
  void keep_pages_in(const std::shared_ptr<PageCache>& cache);
  std::uint32_t size() const;
  /// Ordinals of series that match all matchers, ascending. At least one matcher must refuse the empty
  /// value, else invalid_argument.
  Result<std::vector<std::uint32_t>> select(const Matchers& matchers) const;
  Result<Labels> labels(std::uint32_t ordinal) const;
  /// Of the series with the ordinals (ascending): one call unpacks a page once.
  Result<std::vector<Labels>> labels(std::span<const std::uint32_t> ordinals) const;
  /// Replaces what `out` holds.
  Status chunks(std::uint32_t ordinal, std::vector<ChunkRef>& out) const;
  /// Good until the next call of the thread.
  Result<std::span<const ChunkRef>> chunks(std::uint32_t ordinal) const;
  /// For who reads blocks and memory as one.
  OrdinalIds& ids() const;
  /// Sorted; of the series that match, or of all for no matchers.
  Result<std::vector<std::string>> label_names(const Matchers& matchers) const;
  Result<std::vector<std::string>> label_values(std::string_view name, const Matchers& matchers) const;
  /// Reads all of it: checksums, order, every posting within bounds.
  Status verify() const;

 private:
  struct Impl;
  explicit Index(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace atalaya::tsdb
