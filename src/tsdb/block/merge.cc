#include "tsdb/block/merge.h"

#include <fmt/format.h>

#include <algorithm>

#include "tsdb/block/series_walk.h"

namespace atalaya::tsdb {
namespace {

Result<BlockMeta> meta_of(std::span<const std::shared_ptr<const Block>> blocks) {
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

}  // namespace

Result<std::shared_ptr<const Block>> merge_blocks(io::FileSystem& files, const std::string& path,
                                                  std::span<const std::shared_ptr<const Block>> blocks,
                                                  const BlockOptions& options, const DroppedRanges& dropped,
                                                  const MergePace& pace) {
  AT_TRY(const auto meta, meta_of(blocks));
  AT_TRY(auto writer, BlockWriter::create(files, path, meta, options));
  SeriesWalk walk(blocks, dropped);
  std::vector<std::span<const double>> columns;
  std::uint64_t told = 0;
  while (true) {
    AT_TRY(const bool more, walk.next());
    if (!more) break;
    const auto& samples = walk.samples();
    if (!samples.times.empty()) {
      columns.assign(samples.columns.begin(), samples.columns.end());
      AT_TRY(writer->begin_series(walk.tenant(), walk.labels()));
      AT_TRY(writer->add(samples.times, columns));
    }
    const auto written = writer->written_bytes();
    if (pace) AT_TRY(pace(written - told));
    told = written;
  }
  return writer->finish();
}

}  // namespace atalaya::tsdb
