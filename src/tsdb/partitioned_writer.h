// Samples to blocks, each to that of its stretch of time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>

#include "tsdb/block/block_writer.h"
#include "tsdb/block_set.h"
#include "tsdb/store.h"

namespace atalaya::tsdb {

/// Of one flush. However many stretches there are (an import may bring all days since 1970), only so many files are
/// open at once: what does not find room is written in a later pass over the samples. Thread-compatible.
class PartitionedWriter {
 public:
  /// `oldest`: samples before it are left out. What is given outlives the writer.
  PartitionedWriter(io::FileSystem& files, const BlockSet& blocks, const Options& options, std::uint64_t sequence,
                    Time oldest)
      : files_(files), blocks_(blocks), options_(options), sequence_(sequence), oldest_(to_ms(oldest)) {}

  static constexpr std::size_t kMostOpen = 128;

  /// Has `feed` add all samples, once for every pass. The blocks; none when there were no samples.
  Result<BlockList> write(const std::function<Status()>& feed);
  /// By `feed`: tenants and labels in ascending order, times too.
  Status add(const TenantId& tenant, const Labels& labels, std::span<const std::int64_t> times,
             std::span<const double> values);

 private:
  /// Null when the stretch is left to a later pass.
  Result<BlockWriter*> at(std::int64_t partition);
  Status finish_pass(BlockList& out);

  io::FileSystem& files_;
  const BlockSet& blocks_;
  const Options& options_;
  const std::uint64_t sequence_;
  std::int64_t oldest_;
  std::map<std::int64_t, std::unique_ptr<BlockWriter>> writers_;  ///< of this pass, the oldest stretches
  std::optional<std::int64_t> left_;                              ///< from this stretch on, for the next
};

}  // namespace atalaya::tsdb
