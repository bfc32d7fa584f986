#include "tsdb/stored_samples.h"

#include <algorithm>

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
void count_each(std::vector<Sample>& samples) {
  for (auto& sample : samples) {
    if (!is_stale(sample.value)) sample.value = 1;
  }
}

}  // namespace

bool is_hidden(const std::vector<storage::TimeRange>& hidden, Time time) {
  return std::any_of(hidden.begin(), hidden.end(),
                     [&](const auto& range) { return time >= range.from && time <= range.to; });
}

std::vector<Sample> StoredSamples::samples_of(const BlockPart& part, const ColumnsRead& read) {
  std::vector<Sample> out;
  out.reserve(read.times.size());
  const auto length = part.block->meta().resolution;
  const bool has_buckets = length != 0;
  const auto& values = read.columns[has_buckets ? static_cast<std::size_t>(column_of(value_)) : 0];
  const bool needs_some = has_buckets && value_ != storage::BucketValue::kLast;
  for (std::size_t i = 0; i < read.times.size(); ++i) {
    if (is_hidden(part.hidden, from_ms(read.times[i]))) continue;
    if (has_buckets) counted_.push_back({std::max(read.times[i], INT64_MIN + length) - length, read.times[i]});
    // A bucket of nothing but stale markers has no sum, no minimum.
    if (needs_some && read.columns[static_cast<std::size_t>(RollupColumn::kCount)][i] == 0) continue;
    out.push_back({from_ms(read.times[i]), values[i]});
  }
  if (!has_buckets && value_ == storage::BucketValue::kCount) count_each(out);
  return out;
}

void StoredSamples::drop_counted(std::vector<Sample>& samples) const {
  if (counted_.empty()) return;
  std::erase_if(samples, [&](const Sample& sample) {
    const auto time = to_ms(sample.time);
    const auto at = std::lower_bound(counted_.begin(), counted_.end(), time,
                                     [](const Bucket& bucket, std::int64_t wanted) { return bucket.end < wanted; });
    return at != counted_.end() && at->begin < time;
  });
}

void StoredSamples::load_part(const BlockPart& part) {
  if (part.block->meta().resolution == 0 && part.hidden.empty()) {
    std::vector<Sample> samples;
    if (auto status = part.block->read_column(*part.index, part.ordinal, part.range, 0, samples); !status) {
      suspects_->add(part.block, status.error());
      if (status_) status_ = std::move(status);
      return;
    }
    drop_counted(samples);
    if (value_ == storage::BucketValue::kCount) count_each(samples);
    return add(std::move(samples));
  }
  ColumnsRead read;
  if (auto status = part.block->read(tenant_, part.ordinal, part.range, read); !status) {
    suspects_->add(part.block, status.error());
    if (status_) status_ = std::move(status);
    return;
  }
  auto samples = samples_of(part, read);
  if (part.block->meta().resolution == 0) drop_counted(samples);
  add(std::move(samples));
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
    std::vector<Sample> samples;
    head_.read(range_, samples);
    drop_counted(samples);
    if (value_ == storage::BucketValue::kCount) count_each(samples);
    add(std::move(samples));
  }
  blocks_.clear();
  counted_.clear();
  head_ = {};
}

void StoredSamples::add(std::vector<Sample>&& samples) {
  if (samples_.empty()) {
    samples_ = std::move(samples);
  } else if (!samples.empty() && samples_.back().time < samples.front().time) {
    samples_.insert(samples_.end(), samples.begin(), samples.end());
  } else if (!samples.empty()) {
    std::vector<Sample> merged;
    merge_samples(std::move(samples_), samples, merged);
    samples_ = std::move(merged);
  }
}

}  // namespace atalaya::tsdb
