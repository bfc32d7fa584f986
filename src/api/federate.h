// GET /federate: the newest sample of chosen series, for another Prometheus to scrape.
#pragma once

#include "api/doors.h"
#include "base/time.h"
#include "model/labels.h"
#include "net/worker_pool.h"
#include "storage/series.h"
#include "telemetry/query_memory.h"

namespace atalaya::api {

/// Text 0.0.4, of each series that matches a `match[]` its newest sample within `lookback`; series that have
/// ended are left out, and those without an instance get an empty one, so that the scraping side sets none.
/// `external` labels are added where a series has none of that name. Answers are made on `readers`' threads; `memory`,
/// where there is one, says how many series they may hold.
struct FederateParts {
  const storage::SeriesQuerier& series;
  const Clock& clock;
  net::WorkerPool& readers;
  telemetry::QueryMemory* memory = nullptr;
  Labels external = {};
  Duration lookback{std::chrono::minutes{5}};
};
void add_federate_route(Doors& doors, FederateParts parts);

/// With those labels of `external` that it has none of.
Labels with_external(Labels labels, const Labels& external);

}  // namespace atalaya::api
