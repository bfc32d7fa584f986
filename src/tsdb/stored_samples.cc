#include "tsdb/stored_samples.h"

#include <algorithm>

#include "telemetry/log.h"

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

std::vector<Sample> StoredSamples::samples_of(const BlockPart& part, const ColumnsRead& read) const {
  std::vector<Sample> out;
  out.reserve(read.times.size());
  const bool has_buckets = part.block->meta().resolution != 0;
  const auto& values = read.columns[has_buckets ? static_cast<std::size_t>(column_of(value_)) : 0];
  const bool needs_some = has_buckets && value_ != storage::BucketValue::kLast;
  for (std::size_t i = 0; i < read.times.size(); ++i) {
    // A bucket of nothing but stale markers has no sum, no minimum.
    if (needs_some && read.columns[static_cast<std::size_t>(RollupColumn::kCount)][i] == 0) continue;
    if (is_hidden(part.hidden, from_ms(read.times[i]))) continue;
    out.push_back({from_ms(read.times[i]), values[i]});
  }
  if (!has_buckets && value_ == storage::BucketValue::kCount) count_each(out);
  return out;
}

void StoredSamples::load() {
  loaded_ = true;
  ColumnsRead read;
  for (const auto& part : blocks_) {
    if (auto status = part.block->read(tenant_, part.ordinal, part.range, read); !status) {
      unreadable_.add();
      telemetry::log_error("tsdb", "samples of a block cannot be read", {{"error", to_string(status.error())}});
      if (status_) status_ = std::move(status);
      continue;
    }
    add(samples_of(part, read));
  }
  if (!head_.empty()) {
    std::vector<Sample> samples;
    head_.read(range_, samples);
    if (value_ == storage::BucketValue::kCount) count_each(samples);
    add(std::move(samples));
  }
  blocks_.clear();
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
