#include "tsdb/block/merge.h"

#include <fmt/format.h>

#include <algorithm>

#include "tsdb/block/merge_impl.h"
#include "tsdb/block/series_walk.h"

namespace atalaya::tsdb {

Result<BlockMeta> merged_meta(std::span<const std::shared_ptr<const Block>> blocks) {
  if (blocks.empty()) return fail(ErrorCode::kInvalidArgument, "no blocks to merge");
  BlockMeta meta = blocks.front()->meta();
  for (const auto& block : blocks) {
    const auto& other = block->meta();
    if (other.resolution != meta.resolution || other.columns != meta.columns) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("blocks {} and {} differ in resolution", blocks.front()->path(), block->path()));
    }
    meta.first_sequence = std::min(meta.first_sequence, other.first_sequence);
    meta.last_sequence = std::max(meta.last_sequence, other.last_sequence);
  }
  return meta;
}

Result<std::shared_ptr<const Block>> write_walk(io::FileSystem& files, const std::string& path,
                                                std::span<const std::shared_ptr<const Block>> blocks,
                                                const BlockMeta& meta, const BlockOptions& options,
                                                const DroppedRanges& dropped, const MergePace& pace,
                                                const SamplesChange& change, std::uint64_t* conflicting) {
  AT_TRY(auto writer, BlockWriter::create(files, path, meta, options));
  // Opened once more: who reads all of them in passing must not drive out what others come back for.
  std::vector<std::shared_ptr<const Block>> read;
  for (const auto& block : blocks) {
    AT_TRY(auto again, Block::open(files, block->path()));
    read.push_back(std::move(again));
  }
  SeriesWalk walk(read, dropped);
  std::vector<std::span<const double>> columns;
  std::uint64_t told = 0;
  while (true) {
    AT_TRY(const bool more, walk.next());
    if (!more) break;
    if (!walk.samples().times.empty()) {
      const auto& samples = change(walk.samples());
      columns.assign(samples.columns.begin(), samples.columns.end());
      AT_TRY(writer->begin_series(walk.tenant(), walk.labels()));
      AT_TRY(writer->add(samples.times, columns));
    }
    const auto written = writer->written_bytes();
    if (pace) AT_TRY(pace(written - told));
    told = written;
  }
  if (conflicting) *conflicting = walk.conflicting();
  return writer->finish();
}

Result<std::shared_ptr<const Block>> merge_blocks(io::FileSystem& files, const std::string& path,
                                                  std::span<const std::shared_ptr<const Block>> blocks,
                                                  const BlockOptions& options, const DroppedRanges& dropped,
                                                  const MergePace& pace, std::uint64_t* conflicting) {
  AT_TRY(const auto meta, merged_meta(blocks));
  const auto as_it_is = [](const ColumnsRead& samples) -> const ColumnsRead& { return samples; };
  return write_walk(files, path, blocks, meta, options, dropped, pace, as_it_is, conflicting);
}

}  // namespace atalaya::tsdb
