// Payloads of the series log and of checkpoints (docs/formats/wal.md).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "model/labels.h"
#include "storage/origins.h"
#include "storage/series.h"

namespace atalaya::tsdb {

enum class RecordType : std::uint8_t { kMarks = 1, kDefinitions = 3, kSamples = 4, kCheckpoint = 5 };

/// The first byte; 0 for an empty payload.
std::uint8_t record_type(std::string_view payload);

std::string encode_marks(const storage::OriginMarks& marks);
/// corruption when the bytes are no such record, here and below. They may come from anywhere.
Status decode_marks(std::string_view payload, storage::OriginMarks& out);

struct Definition {
  std::uint32_t id = 0;
  Labels labels;
};

/// Definitions of series of one tenant. A record stands by itself: what one that is lost defined is
/// lost, and nothing else.
std::string encode_definitions(const TenantId& tenant, std::span<const Definition> definitions);

/// As the record has it: pairs once, and of each series the numbers of its pairs in the order of their
/// names. Views into the payload.
struct DefinitionsView {
  TenantId tenant;
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  std::vector<std::uint32_t> ids;
  std::vector<std::uint32_t> ends;     ///< of each series in `members`
  std::vector<std::uint32_t> members;  ///< pairs of the series, one after the other

  std::span<const std::uint32_t> members_of(std::size_t series) const {
    const auto begin = series == 0 ? 0 : ends[series - 1];
    return std::span(members).subspan(begin, ends[series] - begin);
  }
};
Status decode_definitions(std::string_view payload, DefinitionsView& out);

/// Samples of one append that were taken, by the ids of definitions.
struct SamplesRecord {
  TenantId tenant;
  storage::WriteOrigin origin;
  std::vector<storage::SeriesSample> samples;
};
/// Replaces what `out` holds.
void encode_samples(const TenantId& tenant, const storage::WriteOrigin& origin,
                    std::span<const storage::SeriesSample> samples, std::string& out);
Status decode_samples(std::string_view payload, SamplesRecord& out);
/// Tenant and origin alone; checks as much as `decode_samples` does. Leaves `out.samples` as it is.
Status decode_samples_origin(std::string_view payload, SamplesRecord& out);

/// What a checkpoint says besides definitions.
struct CheckpointHead {
  storage::LogPosition flushed;     ///< samples up to here are in blocks
  std::uint64_t next_sequence = 1;  ///< of blocks
  std::vector<std::pair<TenantId, std::uint32_t>> next_ids;
};
std::string encode_checkpoint_head(const CheckpointHead& head);
Status decode_checkpoint_head(std::string_view payload, CheckpointHead& out);

}  // namespace atalaya::tsdb
