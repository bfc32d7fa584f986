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
    AT_TRY(writer->begin_series(tenant, labels));
    const std::span<const double> column = values.subspan(begin, count);
    AT_TRY(writer->add(times.subspan(begin, count), {&column, 1}));
    begin += count;
  }
  return {};
}

Result<BlockList> PartitionedWriter::finish() {
  BlockList out;
  for (auto& [partition, writer] : writers_) {
    AT_TRY(auto block, writer->finish());
    out.push_back(std::move(block));
  }
  return out;
}

Result<BlockWriter*> PartitionedWriter::at(std::int64_t partition) {
  auto& writer = writers_[partition];
  if (!writer) {
    BlockMeta meta;
    meta.first_sequence = sequence_;
    meta.last_sequence = sequence_;
    const BlockName name{partition, sequence_, sequence_, 0, 0};
    AT_TRY(writer, BlockWriter::create(files_, blocks_.path(name.text()), meta, options_.block));
  }
  return writer.get();
}

}  // namespace atalaya::tsdb
