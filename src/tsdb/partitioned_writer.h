// Samples to blocks, each to that of its stretch of time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>

#include "tsdb/block/block_writer.h"
#include "tsdb/block_set.h"
#include "tsdb/store.h"

namespace atalaya::tsdb {

/// Of one flush. Thread-compatible.
class PartitionedWriter {
 public:
  /// `oldest`: samples before it are left out. What is given outlives the writer.
  PartitionedWriter(io::FileSystem& files, const BlockSet& blocks, const Options& options, std::uint64_t sequence,
                    Time oldest)
      : files_(files), blocks_(blocks), options_(options), sequence_(sequence), oldest_(to_ms(oldest)) {}

  /// Tenants and labels in ascending order, times too.
  Status add(const TenantId& tenant, const Labels& labels, std::span<const std::int64_t> times,
             std::span<const double> values);
  /// The blocks, in order of time; none when there were no samples.
  Result<BlockList> finish();

 private:
  Result<BlockWriter*> at(std::int64_t partition);

  io::FileSystem& files_;
  const BlockSet& blocks_;
  const Options& options_;
  const std::uint64_t sequence_;
  const std::int64_t oldest_;
  std::map<std::int64_t, std::unique_ptr<BlockWriter>> writers_;
};

}  // namespace atalaya::tsdb
