#include "tsdb/memory_series.h"

#include <algorithm>

namespace atalaya::tsdb {
namespace {

/// A tail of this many samples is compressed into the last chunk, which is written anew until it is
/// full: each sample is encoded a few times, and plain samples stay few.
constexpr std::size_t kTail = 32;
constexpr std::size_t kChunk = 256;

bool before(const Sample& sample, Time time) { return sample.time < time; }

}  // namespace

bool SeriesSnapshot::refill() {
  buffer_.clear();
  at_ = 0;
  if (next_chunk_ < chunks_.size()) {
    decode_chunk(*chunks_[next_chunk_], buffer_);
    chunks_[next_chunk_++].reset();
    return true;
  }
  if (tail_done_) return false;
  tail_done_ = true;
  buffer_ = std::move(tail_);
  return true;
}

bool SeriesSnapshot::next(Sample& out) {
  for (;;) {
    while (at_ < buffer_.size()) {
      const auto& sample = buffer_[at_++];
      if (sample.time < range_.from) continue;
      if (sample.time > range_.to) return false;
      out = sample;
      return true;
    }
    if (!refill()) return false;
  }
}

bool MemorySeries::append(Time time, double value) {
  if (!chunks_.empty() && time <= chunks_.back()->last) {
    // The last chunk that begins at or before; the first one when all begin after.
    const auto it = std::upper_bound(chunks_.begin(), chunks_.end(), time,
                                     [](Time t, const ChunkPtr& chunk) { return t < chunk->first; });
    const auto index = it == chunks_.begin() ? 0 : static_cast<std::size_t>(it - chunks_.begin() - 1);
    if (value_at(time)) return false;
    insert_into_chunks(index, time, value);
    return true;
  }
  if (tail_.empty() || tail_.back().time < time) {
    tail_.push_back(Sample{time, value});
  } else {
    const auto it = std::lower_bound(tail_.begin(), tail_.end(), time, before);
    if (it->time == time) return false;
    tail_.insert(it, Sample{time, value});
  }
  if (tail_.size() >= kTail) compress_tail();
  return true;
}

void MemorySeries::compress_tail() {
  std::vector<Sample> samples;
  if (!chunks_.empty() && chunks_.back()->count + tail_.size() <= kChunk) {
    samples.reserve(kChunk);
    decode_chunk(*chunks_.back(), samples);
    chunks_.pop_back();
  }
  samples.insert(samples.end(), tail_.begin(), tail_.end());
  chunks_.push_back(encode_chunk(samples));
  tail_.clear();
}

void MemorySeries::insert_into_chunks(std::size_t index, Time time, double value) {
  std::vector<Sample> samples;
  samples.reserve(chunks_[index]->count + 1);
  decode_chunk(*chunks_[index], samples);
  samples.insert(std::lower_bound(samples.begin(), samples.end(), time, before), Sample{time, value});
  if (samples.size() <= 2 * kChunk) {
    chunks_[index] = encode_chunk(samples);
    return;
  }
  const auto all = std::span(samples);
  chunks_[index] = encode_chunk(all.first(kChunk));
  chunks_.insert(chunks_.begin() + static_cast<std::ptrdiff_t>(index) + 1, encode_chunk(all.subspan(kChunk)));
}

std::optional<double> MemorySeries::value_at(Time time) const {
  const auto find = [time](const std::vector<Sample>& samples) -> std::optional<double> {
    const auto it = std::lower_bound(samples.begin(), samples.end(), time, before);
    if (it == samples.end() || it->time != time) return std::nullopt;
    return it->value;
  };
  const auto it = std::lower_bound(chunks_.begin(), chunks_.end(), time,
                                   [](const ChunkPtr& chunk, Time t) { return chunk->last < t; });
  if (it == chunks_.end()) return find(tail_);
  if ((*it)->first > time) return std::nullopt;
  std::vector<Sample> samples;
  decode_chunk(**it, samples);
  return find(samples);
}

bool MemorySeries::has_samples(storage::TimeRange range) const {
  if (range.from > range.to) return false;
  for (const auto& sample : tail_) {
    if (sample.time >= range.from && sample.time <= range.to) return true;
  }
  auto it = std::lower_bound(chunks_.begin(), chunks_.end(), range.from,
                             [](const ChunkPtr& chunk, Time t) { return chunk->last < t; });
  if (it == chunks_.end() || (*it)->first > range.to) return false;
  if ((*it)->first >= range.from || (*it)->last <= range.to) return true;
  std::vector<Sample> samples;
  decode_chunk(**it, samples);
  const auto at = std::lower_bound(samples.begin(), samples.end(), range.from, before);
  return at != samples.end() && at->time <= range.to;
}

std::unique_ptr<storage::SampleIterator> MemorySeries::snapshot(storage::TimeRange range) const {
  const auto from = std::lower_bound(chunks_.begin(), chunks_.end(), range.from,
                                     [](const ChunkPtr& chunk, Time t) { return chunk->last < t; });
  auto to = from;
  while (to != chunks_.end() && (*to)->first <= range.to) ++to;
  std::vector<Sample> tail;
  for (const auto& sample : tail_) {
    if (sample.time >= range.from && sample.time <= range.to) tail.push_back(sample);
  }
  return std::make_unique<SeriesSnapshot>(std::vector<ChunkPtr>(from, to), std::move(tail), range);
}

void MemorySeries::drop_before(Time time) {
  const auto end = std::lower_bound(chunks_.begin(), chunks_.end(), time,
                                    [](const ChunkPtr& chunk, Time t) { return chunk->last < t; });
  chunks_.erase(chunks_.begin(), end);
  tail_.erase(tail_.begin(), std::lower_bound(tail_.begin(), tail_.end(), time, before));
  if (chunks_.empty()) chunks_.shrink_to_fit();
  if (tail_.empty()) tail_.shrink_to_fit();
}

std::size_t MemorySeries::memory_bytes() const {
  std::size_t sum = chunks_.capacity() * sizeof(ChunkPtr) + tail_.capacity() * sizeof(Sample);
  for (const auto& chunk : chunks_) sum += sizeof(Chunk) + 16 + chunk->bytes.capacity();
  return sum;
}

}  // namespace atalaya::tsdb
