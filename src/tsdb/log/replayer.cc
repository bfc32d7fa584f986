#include "tsdb/log/replayer.h"

#include <algorithm>

namespace atalaya::tsdb {

Status Replayer::survey(const storage::SegmentRecord& record) {
  switch (static_cast<RecordType>(record_type(record.payload))) {
    case RecordType::kMarks: return decode_marks(record.payload, marks_);
    case RecordType::kDefinitions: return define(record.payload);
    case RecordType::kSamples: {
      AT_TRY(decode_samples_origin(record.payload, record_));
      (void)is_new(record_.tenant, record_.origin, record.position);
      return {};
    }
    case RecordType::kCheckpoint: break;
  }
  return {};  // of another version
}

Status Replayer::define(std::string_view payload) {
  AT_TRY(decode_definitions(payload, definitions_));
  const auto ids = head_.at(definitions_.tenant).restore(definitions_, now_);
  for (std::size_t i = 0; i < ids.size(); ++i) ids_.note(definitions_.tenant, definitions_.ids[i], ids[i]);
  return {};
}

/// Whether a record is the first of its origin and in no block; remembers the origin.
bool Replayer::is_new(const TenantId& tenant, const storage::WriteOrigin& origin, storage::LogPosition position) {
  if (marks_.has_seen(tenant, origin)) {
    // What is in blocks has been told to everybody; only copies after it can be told twice.
    if (position > flushed) repeated.push_back(position.value);
    return false;
  }
  marks_.remember(tenant, origin);
  return position > flushed;
}

Result<SamplesRecord*> Replayer::wanted(const storage::SegmentRecord& record) {
  if (record_type(record.payload) != static_cast<std::uint8_t>(RecordType::kSamples) || record.position <= flushed ||
      std::binary_search(repeated.begin(), repeated.end(), record.position.value)) {
    return nullptr;
  }
  AT_TRY(decode_samples(record.payload, record_));
  for (auto& sample : record_.samples) {
    sample.series = SeriesId{ids_.now(record_.tenant, sample.series.value())};
  }
  lost += head_.at(record_.tenant).erase_unknown(record_.samples);
  return &record_;
}

Status Replayer::take(const storage::SegmentRecord& record) {
  AT_TRY(auto* found, wanted(record));
  if (found) add(found->tenant, found->samples);
  return {};
}

void Replayer::add(const TenantId& tenant, std::vector<storage::SeriesSample>& samples_in) {
  auto& head = head_.at(tenant);
  storage::Appended counts;
  accepted_.clear();
  undefined_.clear();
  // What the log holds was within the window once.
  const AcceptedTimes times{cutoff_, kMaxTime, Duration::max()};
  (void)head.stage(samples_in, times, counts, accepted_, undefined_);
  head.end_group();
  head.apply(accepted_, now_);
  samples += accepted_.size();
}

}  // namespace atalaya::tsdb
