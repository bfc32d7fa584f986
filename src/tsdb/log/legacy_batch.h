// Batches as earlier versions of the program wrote them to the series log (docs/formats/wal.md, type 2): still read.
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
#include "tsdb/log/records.h"

namespace atalaya::tsdb {

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

/// As those versions did: for tests.
std::string encode_batch(const BatchRecord& batch);
/// corruption when the bytes are no such record. They may come from anywhere.
Result<BatchRecord> decode_batch(std::string_view payload);

}  // namespace atalaya::tsdb
