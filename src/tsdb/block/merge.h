// Several blocks into one: compaction, physical deletion, dropping of what aged out.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "tsdb/block/block.h"
#include "tsdb/block/block_writer.h"

namespace atalaya::tsdb {

/// Which instants of a series do not go into the result; empty keeps all.
using DroppedRanges = std::function<std::vector<storage::TimeRange>(const TenantId& tenant, const Labels& labels)>;
/// Called between series with the bytes written since the last call: the place to wait, or to stop with
/// an error (cancelled).
using MergePace = std::function<Status(std::uint64_t bytes)>;

/// Blocks of one resolution, in ascending order of sequence. Of two samples of one series and instant,
/// the one of the earlier block stays. Memory is bounded by one series and the new index. Null when
/// nothing is left. The sources stay as they are. `conflicting`, when given, becomes the number of samples that did not
/// stay and have another value, bit for bit, than the one that did.
Result<std::shared_ptr<const Block>> merge_blocks(io::FileSystem& files, const std::string& path,
                                                  std::span<const std::shared_ptr<const Block>> blocks,
                                                  const BlockOptions& options, const DroppedRanges& dropped,
                                                  const MergePace& pace, std::uint64_t* conflicting = nullptr);

}  // namespace atalaya::tsdb
