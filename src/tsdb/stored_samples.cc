#include "tsdb/stored_samples.h"

#include <algorithm>
#include <span>

namespace atalaya::tsdb {
namespace {

RollupColumn column_of(storage::BucketValue value) {
  switch (value) {
    case storage::BucketValue::kLast: return RollupColumn::kLast;
    case storage::BucketValue::kCount: return RollupColumn::kCount;
    case storage::BucketValue::kSum: return RollupColumn::kSum;
    case storage::BucketValue::kMin: return RollupColumn::kMin;
    case storage::BucketValue::kMax: return RollupColumn::kMax;
  }
  return RollupColumn::kLast;
}

/// What has no bucket stands for itself.
void count_each(std::span<Sample> samples) {
  for (auto& sample : samples) {
    if (!is_stale(sample.value)) sample.value = 1;
  }
}

}  // namespace

bool is_hidden(const std::vector<storage::TimeRange>& hidden, Time time) {
  return std::any_of(hidden.begin(), hidden.end(),
                     [&](const auto& range) { return time >= range.from && time <= range.to; });
}

void StoredSamples::add_columns(const BlockPart& part, const ColumnsRead& read) {
  const auto length = part.block->meta().resolution;
  const bool has_buckets = length != 0;
  const auto& values = read.columns[has_buckets ? static_cast<std::size_t>(column_of(value_)) : 0];
  const bool needs_some = has_buckets && value_ != storage::BucketValue::kLast;
  for (std::size_t i = 0; i < read.times.size(); ++i) {
    if (is_hidden(part.hidden, from_ms(read.times[i]))) continue;
    if (has_buckets) counted_.push_back({std::max(read.times[i], INT64_MIN + length) - length, read.times[i]});
    // A bucket of nothing but stale markers has no sum, no minimum.
    if (needs_some && read.columns[static_cast<std::size_t>(RollupColumn::kCount)][i] == 0) continue;
    samples_.push_back({from_ms(read.times[i]), values[i]});
  }
}

bool StoredSamples::is_counted(Time instant) const {
  const auto time = to_ms(instant);
  const auto at = std::lower_bound(counted_.begin(), counted_.end(), time,
                                   [](const Bucket& bucket, std::int64_t wanted) { return bucket.end < wanted; });
  return at != counted_.end() && at->begin < time;
}

void StoredSamples::load_part(const BlockPart& part) {
  const auto begin = samples_.size();
  const bool is_raw = part.block->meta().resolution == 0;
  Status status;
  if (is_raw && part.hidden.empty()) {
    status = part.block->read_column(*part.index, part.ordinal, part.range, 0, samples_);
  } else {
    ColumnsRead read;
    status = part.block->read(tenant_, part.ordinal, part.range, read);
    if (status) add_columns(part, read);
  }
  if (!status) {
    samples_.resize(begin);
    suspects_->add(part.block, status.error());
    if (status_) status_ = std::move(status);
    return;
  }
  settle(begin, is_raw);
}

/// Buckets first, since they say which samples are in them.
void StoredSamples::load() {
  loaded_ = true;
  const auto raw = std::stable_partition(blocks_.begin(), blocks_.end(),
                                         [](const auto& part) { return part.block->meta().resolution != 0; });
  std::for_each(blocks_.begin(), raw, [&](const auto& part) { load_part(part); });
  std::sort(counted_.begin(), counted_.end(), [](const Bucket& a, const Bucket& b) { return a.end < b.end; });
  std::for_each(raw, blocks_.end(), [&](const auto& part) { load_part(part); });
  if (!head_.empty()) {
    const auto begin = samples_.size();
    head_.read(range_, samples_);
    settle(begin, true);
  }
  blocks_.clear();
  counted_.clear();
  head_ = {};
}

void StoredSamples::settle(std::size_t begin, bool is_raw) {
  const auto from = samples_.begin() + static_cast<std::ptrdiff_t>(begin);
  if (is_raw) {
    if (!counted_.empty()) {
      samples_.erase(
          std::remove_if(from, samples_.end(), [this](const Sample& sample) { return is_counted(sample.time); }),
          samples_.end());
    }
    if (value_ == storage::BucketValue::kCount) count_each(std::span(samples_).subspan(begin));
  }
  if (begin == 0 || begin == samples_.size() || samples_[begin - 1].time < samples_[begin].time) return;
  const std::vector<Sample> later(from, samples_.end());
  samples_.resize(begin);
  std::vector<Sample> merged;
  merge_samples(std::move(samples_), later, merged);
  samples_ = std::move(merged);
}

}  // namespace atalaya::tsdb
