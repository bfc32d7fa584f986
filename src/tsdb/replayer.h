// Reading the series log back: at start-up into memory, later for a judge that missed something.
#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "storage/segment_log.h"
#include "tsdb/head.h"
#include "tsdb/record.h"

namespace atalaya::tsdb {

/// Turns the references of log records into series ids, epoch by epoch. Thread-compatible.
class References {
 public:
  /// Call for every record, in order, before `id` for its samples.
  template <typename Find>
  void define(std::uint64_t epoch, const BatchRecord& batch, Find&& find) {
    if (epoch != epoch_) ids_.clear();
    epoch_ = epoch;
    auto& ids = ids_[batch.tenant];
    for (const auto& definition : batch.definitions) ids[definition.reference] = find(definition.labels);
  }
  /// 0 when the definition is lost or the series is unknown.
  std::uint64_t id(const TenantId& tenant, std::uint64_t reference) const {
    const auto ids = ids_.find(tenant);
    if (ids == ids_.end()) return 0;
    const auto it = ids->second.find(reference);
    return it == ids->second.end() ? 0 : it->second;
  }

 private:
  std::uint64_t epoch_ = 0;
  std::map<TenantId, std::unordered_map<std::uint64_t, std::uint64_t>> ids_;
};

/// Fills a head from the log, one record at a time. Thread-compatible.
class Replayer {
 public:
  Replayer(Head& head, storage::OriginMarks& marks, Time cutoff) : head_(head), marks_(marks), cutoff_(cutoff) {}

  Status visit(const storage::Segment& segment, const storage::SegmentRecord& record);

  std::uint64_t samples = 0;                   ///< now in memory
  std::uint64_t lost = 0;                      ///< their definition was damaged
  std::map<std::uint64_t, Time> youngest;      ///< sample of each segment
  std::vector<std::uint64_t> repeated;         ///< positions that hold a second copy, ascending
  std::vector<std::uint64_t> with_duplicates;  ///< positions of which not all samples were taken, ascending

 private:
  Head& head_;
  storage::OriginMarks& marks_;
  const Time cutoff_;
  References references_;
};

}  // namespace atalaya::tsdb
