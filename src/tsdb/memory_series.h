// One series in memory: compressed chunks and a short plain tail.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "model/labels.h"
#include "storage/series.h"
#include "tsdb/chunk.h"

namespace atalaya::tsdb {

/// What a query holds of a series: it stays as it was, whatever comes after.
class SeriesSnapshot final : public storage::SampleIterator {
 public:
  SeriesSnapshot(std::vector<ChunkPtr> chunks, std::vector<Sample> tail, storage::TimeRange range)
      : chunks_(std::move(chunks)), tail_(std::move(tail)), range_(range) {}
  bool next(Sample& out) override;

 private:
  bool refill();

  std::vector<ChunkPtr> chunks_;
  std::vector<Sample> tail_;
  const storage::TimeRange range_;
  std::size_t next_chunk_ = 0;
  bool tail_done_ = false;
  std::vector<Sample> buffer_;
  std::size_t at_ = 0;
};

/// Invariants: samples ascend strictly in time over all chunks and then the tail; no chunk is
/// empty. Thread-compatible.
class MemorySeries {
 public:
  explicit MemorySeries(std::shared_ptr<const Labels> labels) : labels_(std::move(labels)) {}

  const std::shared_ptr<const Labels>& labels() const { return labels_; }
  /// False when there is a sample of that time already: it stays. Any order.
  bool append(Time time, double value);
  std::optional<double> value_at(Time time) const;
  bool has_samples() const { return !chunks_.empty() || !tail_.empty(); }
  /// Whether a sample lies in the range.
  bool has_samples(storage::TimeRange range) const;
  std::unique_ptr<storage::SampleIterator> snapshot(storage::TimeRange range) const;
  /// Forgets chunks and tail samples that lie wholly before.
  void drop_before(Time time);
  std::size_t memory_bytes() const;  ///< of the samples, without the labels

  std::uint64_t defined_in = 0;  ///< the log's segment that defines it; the committer's alone
  Time touched;                  ///< when it was last resolved or appended to

 private:
  void insert_into_chunks(std::size_t index, Time time, double value);
  void compress_tail();

  std::shared_ptr<const Labels> labels_;
  std::vector<ChunkPtr> chunks_;
  std::vector<Sample> tail_;
};

}  // namespace atalaya::tsdb
