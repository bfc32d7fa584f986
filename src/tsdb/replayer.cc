#include "tsdb/replayer.h"

#include <algorithm>

namespace atalaya::tsdb {

Status Replayer::visit(const storage::Segment& segment, const storage::SegmentRecord& record) {
  const auto type = record_type(record.payload);
  if (type == static_cast<std::uint8_t>(RecordType::kMarks)) return decode_marks(record.payload, marks_);
  if (type != static_cast<std::uint8_t>(RecordType::kBatch)) return {};  // of a later version
  AT_TRY(const auto batch, decode_batch(record.payload));
  references_.define(segment.epoch, batch,
                     [&](const Labels& labels) { return head_.restore(batch.tenant, labels, kMinTime); });
  auto& youngest_here = youngest.try_emplace(segment.number, kMinTime).first->second;
  for (const auto& sample : batch.samples) youngest_here = std::max(youngest_here, sample.time);
  if (marks_.has_seen(batch.tenant, batch.origin)) {
    repeated.push_back(record.position.value);
    return {};
  }
  marks_.remember(batch.tenant, batch.origin);
  auto* tenant = head_.tenant(batch.tenant);
  bool duplicates = false;
  for (const auto& sample : batch.samples) {
    if (sample.time < cutoff_) continue;
    const auto id = references_.id(batch.tenant, sample.series.value());
    if (id == 0) {
      ++lost;
      continue;
    }
    const bool fresh = tenant->series(id)->append(sample.time, sample.value);
    samples += fresh;
    duplicates = duplicates || !fresh;
  }
  if (duplicates) with_duplicates.push_back(record.position.value);
  return {};
}

}  // namespace atalaya::tsdb
