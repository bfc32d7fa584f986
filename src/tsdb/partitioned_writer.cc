#include "tsdb/partitioned_writer.h"

#include <algorithm>

namespace atalaya::tsdb {

Status PartitionedWriter::add(const TenantId& tenant, const Labels& labels, std::span<const std::int64_t> times,
                              std::span<const double> values) {
  const auto length = options_.partition.count();
  auto begin = static_cast<std::size_t>(std::lower_bound(times.begin(), times.end(), oldest_) - times.begin());
  while (begin < times.size()) {
    const auto partition = times[begin] / length * length;
    const auto after =
        std::lower_bound(times.begin() + static_cast<std::ptrdiff_t>(begin), times.end(), partition + length);
    const auto count = static_cast<std::size_t>(after - times.begin()) - begin;
    AT_TRY(auto* writer, at(partition));
    if (!writer) return {};  // and what is younger
    AT_TRY(writer->begin_series(tenant, labels));
    const std::span<const double> column = values.subspan(begin, count);
    AT_TRY(writer->add(times.subspan(begin, count), {&column, 1}));
    begin += count;
  }
  return {};
}

Result<BlockList> PartitionedWriter::write(const std::function<Status()>& feed) {
  BlockList out;
  for (;;) {
    left_.reset();
    AT_TRY(feed());
    AT_TRY(finish_pass(out));
    if (!left_) return out;
    oldest_ = std::max(oldest_, *left_);
  }
}

Status PartitionedWriter::finish_pass(BlockList& out) {
  for (auto& [partition, writer] : writers_) {
    AT_TRY(auto block, writer->finish());
    out.push_back(std::move(block));
  }
  writers_.clear();
  return {};
}

Result<BlockWriter*> PartitionedWriter::at(std::int64_t partition) {
  if (const auto it = writers_.find(partition); it != writers_.end()) return it->second.get();
  if (left_ && partition >= *left_) return nullptr;
  if (writers_.size() == kMostOpen) {
    // The youngest gives way: a pass has all of the stretches that it has.
    const auto youngest = std::prev(writers_.end());
    left_ = std::max(partition, youngest->first);
    if (partition > youngest->first) return nullptr;
    writers_.erase(youngest);
  }
  BlockMeta meta;
  meta.first_sequence = sequence_;
  meta.last_sequence = sequence_;
  const BlockName name{partition, sequence_, sequence_, 0, 0};
  AT_TRY(auto writer, BlockWriter::create(files_, blocks_.path(name.text()), meta, options_.block));
  return writers_.emplace(partition, std::move(writer)).first->second.get();
}

}  // namespace atalaya::tsdb
