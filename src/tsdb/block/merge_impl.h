// What merging and rolling up have in common: a walk over all series that ends in a block.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "tsdb/block/merge.h"

namespace atalaya::tsdb {

/// Of the block that these become together; invalid_argument for none, or for several resolutions.
Result<BlockMeta> merged_meta(std::span<const std::shared_ptr<const Block>> blocks);

/// What is written for a series in place of its samples.
using SamplesChange = std::function<const ColumnsRead&(const ColumnsRead& samples)>;

Result<std::shared_ptr<const Block>> write_walk(io::FileSystem& files, const std::string& path,
                                                std::span<const std::shared_ptr<const Block>> blocks,
                                                const BlockMeta& meta, const BlockOptions& options,
                                                const DroppedRanges& dropped, const MergePace& pace,
                                                const SamplesChange& change, std::uint64_t* conflicting = nullptr);

}  // namespace atalaya::tsdb
