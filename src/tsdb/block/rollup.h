// Blocks of coarser resolution: what long queries read, and what is kept when the raw samples go.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "tsdb/block/block.h"
#include "tsdb/block/block_writer.h"
#include "tsdb/block/merge.h"

namespace atalaya::tsdb {

/// Milliseconds of a bucket.
constexpr std::int64_t kFiveMinutes = 300'000;
constexpr std::int64_t kOneHour = 3'600'000;

/// The instant of the bucket in which `time` lies: its last millisecond (docs/formats/block.md). Any
/// instant: the last bucket there is ends with the last instant there is.
std::int64_t bucket_instant(std::int64_t time, std::int64_t resolution);

/// Buckets of a series: replaces what `out` holds by five columns at the instants of the buckets that have
/// samples. `samples` are raw (one column) or rolled up (five) at a resolution that divides this one.
void roll_up(const ColumnsRead& samples, std::int64_t resolution, ColumnsRead& out);

/// As merge_blocks (order, duplicates, dropped ranges, pace, null when nothing is left), but the result
/// holds buckets. Blocks are of one resolution: raw ones for 5 minutes or 1 hour, 5 minutes for 1 hour;
/// else invalid_argument. A bucket is made of what these blocks have of it: give all that there are.
Result<std::shared_ptr<const Block>> rollup_blocks(io::FileSystem& files, const std::string& path,
                                                   std::span<const std::shared_ptr<const Block>> blocks,
                                                   std::int64_t resolution, const BlockOptions& options,
                                                   const DroppedRanges& dropped, const MergePace& pace);

}  // namespace atalaya::tsdb
