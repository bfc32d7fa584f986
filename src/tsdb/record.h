// Payloads of the series log (docs/formats/series-log.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "model/labels.h"
#include "storage/origins.h"
#include "storage/series.h"

namespace atalaya::tsdb {

enum class RecordType : std::uint8_t { kMarks = 1, kBatch = 2 };

struct SeriesDefinition {
  std::uint64_t reference = 0;
  Labels labels;
};

/// One batch as the log holds it. `samples[i].series` holds the reference.
struct BatchRecord {
  TenantId tenant;
  storage::WriteOrigin origin;
  std::vector<SeriesDefinition> definitions;
  std::vector<storage::SeriesSample> samples;
};

std::string encode_marks(const storage::OriginMarks& marks);
std::string encode_batch(const BatchRecord& batch);

/// The first byte; 0 for an empty payload.
std::uint8_t record_type(std::string_view payload);
/// corruption when the bytes are no such record. They may come from anywhere.
Status decode_marks(std::string_view payload, storage::OriginMarks& out);
Result<BatchRecord> decode_batch(std::string_view payload);

}  // namespace atalaya::tsdb
