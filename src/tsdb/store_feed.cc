// What has been committed, told again.
#include <algorithm>

#include "tsdb/store_impl.h"

namespace atalaya::tsdb {

Status Store::Impl::replay(storage::LogPosition after, const storage::SamplesListener& listener) const {
  SamplesRecord samples;
  const auto visit = [&](const storage::Segment&, const storage::SegmentRecord& one) -> Status {
    // Earlier versions' records are told once, by the program that wrote them.
    if (record_type(one.payload) != static_cast<std::uint8_t>(RecordType::kSamples) || one.position <= after) return {};
    if (!decode_samples(one.payload, samples)) return {};  // said at start-up
    {
      const std::shared_lock lock(mutex);
      if (std::binary_search(repeated.begin(), repeated.end(), one.position.value)) return {};
    }
    for (auto& sample : samples.samples) {
      sample.series = SeriesId{logged_ids.now(samples.tenant, sample.series.value())};
    }
    const auto* tenant = head.find(samples.tenant);
    if (!tenant) return {};
    (void)tenant->erase_unknown(samples.samples);
    const auto oldest = cutoff();
    std::erase_if(samples.samples, [&](const auto& sample) { return sample.time < oldest; });
    if (!samples.samples.empty()) listener({samples.tenant, one.position, samples.samples});
    return {};
  };
  for (const auto& segment : log->segments()) {
    if (segment.number < after.value >> 32) continue;
    auto status = log->read(segment, 0, segment.bytes, visit);
    if (!status && status.error().code != ErrorCode::kNotFound) return status;
  }
  return {};
}

}  // namespace atalaya::tsdb
