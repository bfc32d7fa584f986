// Writes a block: samples of many series that never change again (docs/formats/block.md).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "io/file_system.h"
#include "model/labels.h"
#include "tsdb/block/block.h"

namespace atalaya::tsdb {

/// Operation: pages go out as they fill up, the indexes at the end; memory is bounded by the indexes
/// and one page. The file is written beside its place (`.new`), synced, opened again and verified from
/// what the disk says, and only then renamed. Without `finish`, or after an error (every later call then
/// answers it), nothing is left but perhaps the `.new`: the writer removes it if it can, else the next
/// start does. Thread-compatible.
class BlockWriter {
 public:
  /// `meta` says sequences, resolution and columns; times and counts are the writer's.
  static Result<std::unique_ptr<BlockWriter>> create(io::FileSystem& files, std::string path, BlockMeta meta,
                                                     BlockOptions options);
  ~BlockWriter();

  /// Tenants ascending, labels ascending within a tenant. A series without chunks is left out.
  Status begin_series(const TenantId& tenant, const Labels& labels);
  /// Instants strictly ascending, also from call to call; `columns` as many as the meta says, each as
  /// long as `times`. Chunks are of `chunk_samples` however the samples come; only a series' last has fewer.
  Status add(std::span<const std::int64_t> times, std::span<const std::span<const double>> columns);
  /// The block as it stands in its place. Null, and no file, when nothing was added. When the very last step
  /// fails, the sync of the directory, the block may stand in its place all the same.
  Result<std::shared_ptr<const Block>> finish();
  /// So far, for whoever bounds input and output.
  std::uint64_t written_bytes() const;

 private:
  struct Impl;
  explicit BlockWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace atalaya::tsdb
