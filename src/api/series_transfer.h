// Series in and out as lines: POST ~/series/import and GET ~/series/export.
#pragma once

#include "api/doors.h"
#include "base/time.h"
#include "net/worker_pool.h"
#include "storage/series.h"
#include "telemetry/query_memory.h"

namespace atalaya::api {

constexpr std::uint64_t kMaxImportBytes = 8 << 20;
/// Of an answer of export: the `after` that gives the next page; absent on the last one.
constexpr std::string_view kNextPage = "X-Atalaya-Next";
/// Of a page of export with `partial=true`: how many series of it have samples that could not be read and are missing,
/// and the first kNamedIncomplete of them, percent-encoded, with commas between. Absent where the page is whole.
constexpr std::string_view kIncomplete = "X-Atalaya-Incomplete";
/// Until when samples of the page are the last ones of buckets, which is all that is kept of them; RFC 3339.
constexpr std::string_view kBucketsUntil = "X-Atalaya-Buckets-Until";
constexpr std::string_view kIncompleteSeries = "X-Atalaya-Incomplete-Series";
constexpr std::size_t kNamedIncomplete = 10;

struct SeriesTransferParts {
  storage::SeriesAppender& appender;
  const storage::SeriesQuerier& series;
  const Clock& clock;
  net::WorkerPool& writers;                  ///< an import waits for the disk on one of these threads
  net::WorkerPool& readers;                  ///< a page of an export is made on one of these
  telemetry::QueryMemory* memory = nullptr;  ///< says how many series a page may look through; none: any number
};
void add_series_transfer_routes(Doors& doors, const SeriesTransferParts& parts);

}  // namespace atalaya::api
