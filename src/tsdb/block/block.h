// A block: samples of many series on disk, mapped into memory (docs/formats/block.md).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "io/file_system.h"
#include "model/matcher.h"
#include "storage/series.h"
#include "tsdb/block/index.h"
#include "tsdb/block/page_cache.h"

namespace atalaya::tsdb {

/// The columns of a rolled-up block, in this order; a raw block has one column, the values.
enum class RollupColumn : std::uint8_t { kCount, kSum, kMin, kMax, kLast };
constexpr std::size_t kRollupColumns = 5;

struct BlockMeta {
  std::int64_t first = 0;  ///< Unix milliseconds of the oldest sample
  std::int64_t last = 0;   ///< and of the youngest, inclusive
  /// Which flushes are in it. Of two samples of one series and instant, the one of the block with the
  /// lower sequence stands.
  std::uint64_t first_sequence = 0;
  std::uint64_t last_sequence = 0;
  std::int64_t resolution = 0;  ///< milliseconds; 0 for raw samples
  std::uint32_t columns = 1;
  std::uint64_t series = 0;
  std::uint64_t samples = 0;
  std::uint64_t bytes = 0;  ///< of the file
};

struct BlockOptions {
  std::uint32_t chunk_samples = 1024;   ///< at most; 1 to 65,536
  std::uint32_t page_bytes = 16 << 10;  ///< of unpacked values or instants, about; up to 16 MiB
  int zstd_level = 3;
};

/// What one series has in a range: `times[i]` belongs to `columns[c][i]`.
struct ColumnsRead {
  std::vector<std::int64_t> times;
  std::vector<std::vector<double>> columns;
};

/// Immutable; thread-safe. Holds the file open: it serves also after the name is gone.
class Block {
 public:
  /// Maps the file and checks header, footer and what selecting needs. corruption names file, part and
  /// offset; unprocessable for a newer version.
  static Result<std::shared_ptr<const Block>> open(io::FileSystem& files, const std::string& path);
  /// The same without the tenants whose index does not open: for who brings to safety what still reads.
  static Result<std::shared_ptr<const Block>> open_rest(io::FileSystem& files, const std::string& path);
  ~Block();

  const std::string& path() const;
  const BlockMeta& meta() const;
  /// Ascending.
  const std::vector<TenantId>& tenants() const;
  /// Whose index did not read: of open_rest alone. Ascending.
  const std::vector<TenantId>& unread_tenants() const;
  /// Null when the block has nothing of the tenant.
  const Index* index(const TenantId& tenant) const;
  /// Samples of a series in the range, ascending; replaces what `out` holds. Checksums are checked on
  /// the way.
  Status read(const TenantId& tenant, std::uint32_t ordinal, storage::TimeRange range, ColumnsRead& out) const;
  /// Appends the samples of a series of the index in the range, of one column, ascending. A thread that reads
  /// neighbours finds the pages that it read last without asking the cache.
  Status read_column(const Index& index, std::uint32_t ordinal, storage::TimeRange range, std::size_t column,
                     std::vector<Sample>& out) const;
  /// Whether it has one in the range.
  Result<bool> has_instant(const Index& index, std::uint32_t ordinal, storage::TimeRange range) const;
  /// Unpacked pages go there from now on; before, a block keeps few of its own. Before others read it.
  void keep_pages_in(const std::shared_ptr<PageCache>& cache) const;
  /// Reads every byte: checksums, order, counts. The first mistake that is found.
  Status verify() const;

 private:
  friend class BlockWriter;
  struct Impl;
  explicit Block(std::unique_ptr<Impl> impl);
  enum class Wanted { kAll, kRest };
  static Result<std::unique_ptr<Impl>> open_impl(io::FileSystem& files, const std::string& path, io::MapSource source,
                                                 Wanted wanted = Wanted::kAll);
  std::unique_ptr<Impl> impl_;
};

}  // namespace atalaya::tsdb
