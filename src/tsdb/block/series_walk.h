// All series of several blocks in order, the samples of each brought together.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "tsdb/block/block.h"
#include "tsdb/block/merge.h"

namespace atalaya::tsdb {

/// Goes through tenants and labels in ascending order. Holds one series, and the labels of a few hundred
/// ahead of each block. The blocks outlive it. Thread-compatible.
class SeriesWalk {
 public:
  /// Blocks in ascending order of sequence, with equal numbers of columns: of two samples of one instant
  /// that of the earlier block stays.
  SeriesWalk(std::span<const std::shared_ptr<const Block>> blocks, const DroppedRanges& dropped);
  ~SeriesWalk();

  /// False when there is no series any more.
  Result<bool> next();
  const TenantId& tenant() const;
  const Labels& labels() const;
  /// Ascending, without what is dropped; may be empty.
  const ColumnsRead& samples() const { return merged_; }
  /// So far: those that did not stay and have another value, bit for bit, than the one that did.
  std::uint64_t conflicting() const { return conflicting_; }

 private:
  class Cursor;

  Status choose();
  Status read_series();
  void merge_in();
  void count_conflicts(std::size_t mine, std::size_t other, std::size_t count);
  void drop(std::vector<storage::TimeRange> ranges);

  const DroppedRanges& dropped_;
  std::vector<std::unique_ptr<Cursor>> cursors_;  ///< one a block, in their order
  std::vector<Cursor*> chosen_;                   ///< those that stand on the present series
  ColumnsRead merged_;
  ColumnsRead read_;   ///< reused
  ColumnsRead spare_;  ///< reused
  std::uint64_t conflicting_ = 0;
};

}  // namespace atalaya::tsdb
