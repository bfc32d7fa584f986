#include "agent/recorder.h"

namespace atalaya::agent {
namespace {

/// Far below what a frame and a payload may have, with all labels defined anew.
constexpr std::size_t kMaxPartBytes = 3 << 20;
constexpr std::size_t kMaxPartSamples = 50'000;
/// A scope that would take the server more memory than this per connection ends early.
constexpr std::size_t kMaxScopeBytes = 4 << 20;
/// Bounds the working memory of the compressor; payloads are a few kilobytes.
constexpr int kWindowLog = 16;
constexpr int kLevel = 1;

static_assert(kRecordSamples == 1 && kRecordLogs == 2, "the low bits of a record are the wire's");

}  // namespace

Recorder::Recorder(Spool& spool, collect::LabelsTable& labels)
    : spool_(spool), labels_(labels), compressor_(kLevel, kWindowLog) {}

void Recorder::start_scope(std::uint64_t scope) {
  scope_ = scope;
  scope_bytes_ = 0;
  refs_.assign(refs_.size(), kNone);
  writer_.start_scope();
}

std::uint32_t Recorder::ref(collect::LabelsId id) {
  if (id >= refs_.size()) refs_.resize(id + 1, kNone);
  auto& ref = refs_[id];
  if (ref == kNone) {
    const auto& packed = labels_.at(id).packed();
    scope_bytes_ += packed.size();
    ref = writer_.define(packed);
  }
  return ref;
}

Recorder::Samples Recorder::next_part(Samples& samples) const {
  std::size_t bytes = 0;
  std::size_t count = 0;
  while (count < samples.size() && count < kMaxPartSamples && bytes < kMaxPartBytes)
    bytes += labels_.at(samples[count++].series).packed().size();
  const auto part = samples.first(count);
  samples = samples.subspan(count);
  return part;
}

Result<std::uint64_t> Recorder::write(Time now, Samples samples, const collect::Batch* rest) {
  static const collect::Batch kNothing;
  const auto& batch = rest == nullptr ? kNothing : *rest;
  const auto scope =
      spool_.begin(now, scope_bytes_ > kMaxScopeBytes || writer_.definitions() + samples.size() + batch.logs().size() >
                                                             ingest::kMaxScopeDefinitions);
  if (scope != scope_) start_scope(scope);
  const auto known = writer_.definitions();
  for (const auto& sample : samples) writer_.sample(ref(sample.series), sample.time, sample.value);
  for (const auto& log : batch.logs()) writer_.log(ref(log.stream), log.time, batch.line(log));
  const auto contents =
      static_cast<std::uint8_t>((samples.empty() ? 0 : kRecordSamples) | (batch.logs().empty() ? 0 : kRecordLogs) |
                                (writer_.definitions() > known ? kRecordDefinitions : 0));
  const auto raw = writer_.take();
  packed_.clear();
  compressor_.compress(raw, packed_);
  return spool_.append(contents, raw.size(), packed_, batch.marks());
}

Result<std::uint64_t> Recorder::write_safely(Time now, Samples samples, const collect::Batch* rest) {
  auto sequence = write(now, samples, rest);
  // The failed disk ended the scope; the next one is in memory and takes what need not be durable.
  if (!sequence && (rest == nullptr || rest->marks().empty())) sequence = write(now, samples, rest);
  return sequence;
}

Result<std::uint64_t> Recorder::record(Time now, const collect::Batch& batch) {
  Samples left = batch.samples();
  auto part = next_part(left);
  Result<std::uint64_t> sequence = 0;
  while (sequence && !left.empty()) {
    sequence = write_safely(now, part, nullptr);
    part = next_part(left);
  }
  if (sequence) sequence = write_safely(now, part, &batch);
  for (const auto id : labels_.sweep())
    if (id < refs_.size()) refs_[id] = kNone;
  return sequence;
}

}  // namespace atalaya::agent
