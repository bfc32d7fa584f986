// POST /api/v1/read: Prometheus' remote read, for other Prometheus servers and what speaks as they do.
#pragma once

#include "api/doors.h"
#include "model/labels.h"
#include "net/worker_pool.h"
#include "storage/series.h"
#include "telemetry/query_memory.h"

namespace atalaya::api {

/// Samples as they are stored, stale markers included, of a request packed with snappy. As Prometheus does, `external`
/// labels are added where a series has none of that name, and a matcher that asks for one of them as it is holds for
/// all series that have none. Answers are made as a whole on `readers`' threads, and `memory`, where there is one,
/// says how large they may be.
struct RemoteReadParts {
  const storage::SeriesQuerier& series;
  net::WorkerPool& readers;
  telemetry::QueryMemory* memory = nullptr;
  Labels external = {};
};
void add_remote_read_route(Doors& doors, RemoteReadParts parts);

}  // namespace atalaya::api
