// The samples of one series out of blocks and memory, brought together when they are asked for.
#pragma once

#include <memory>
#include <vector>

#include "storage/series.h"
#include "tsdb/block_set.h"
#include "tsdb/head/tenant_head.h"
#include "tsdb/suspects.h"

namespace atalaya::tsdb {

/// What is read of one block.
struct BlockPart {
  BlockPtr block;
  const Index* index = nullptr;  ///< of the block
  std::uint32_t ordinal = 0;     ///< of the series in it
  std::vector<storage::TimeRange> hidden;
  storage::TimeRange range;
};

bool is_hidden(const std::vector<storage::TimeRange>& hidden, Time time);

/// Reads what it covers when it is first asked. Of two samples of one instant the one of the earlier part
/// stands, memory being the last; a sample within a bucket that is there is taken to be in it. Thread-compatible.
class StoredSamples final : public storage::SampleIterator {
 public:
  /// Memory is read in `range`.
  StoredSamples(TenantId tenant, std::vector<BlockPart> blocks, HeadSnapshot head, storage::TimeRange range,
                storage::BucketValue value, std::shared_ptr<Suspects> suspects)
      : tenant_(std::move(tenant)),
        blocks_(std::move(blocks)),
        head_(std::move(head)),
        range_(range),
        value_(value),
        suspects_(std::move(suspects)) {}

  bool next(Sample& out) override {
    if (!loaded_) load();
    if (at_ == samples_.size()) return false;
    out = samples_[at_++];
    return true;
  }
  void take_rest(std::vector<Sample>& out) override {
    if (!loaded_) {
      if (out.empty()) samples_.swap(out);  // its room is used again
      load();
    }
    if (out.empty() && at_ == 0) {
      out.swap(samples_);
      samples_.clear();
    } else {
      out.insert(out.end(), samples_.begin() + static_cast<std::ptrdiff_t>(at_), samples_.end());
      at_ = samples_.size();
    }
  }
  Status status() const override { return status_; }

 private:
  /// Instants of a bucket: after `begin`, up to `end`. Milliseconds.
  struct Bucket {
    std::int64_t begin;
    std::int64_t end;
  };

  void load();
  void load_part(const BlockPart& part);
  void add_columns(const BlockPart& part, const ColumnsRead& read);
  bool is_counted(Time instant) const;
  /// Brings what was read last, from `begin` on, into its place among what was there.
  void settle(std::size_t begin, bool is_raw);

  const TenantId tenant_;
  std::vector<BlockPart> blocks_;
  HeadSnapshot head_;
  const storage::TimeRange range_;
  const storage::BucketValue value_;
  const std::shared_ptr<Suspects> suspects_;
  bool loaded_ = false;
  Status status_;
  std::vector<Bucket> counted_;  ///< ascending once all are read; what lies in them is in their values
  std::vector<Sample> samples_;
  std::size_t at_ = 0;
};

}  // namespace atalaya::tsdb
