// Prometheus' HTTP API, the one door through which everybody reads series.
#pragma once

#include "api/doors.h"
#include "base/time.h"
#include "storage/series.h"

namespace atalaya::api {

/// query, query_range, series, labels, label/{name}/values: GET and POST (form-encoded).
void add_prometheus_routes(Doors& doors, const storage::SeriesQuerier& series, const Clock& clock);

}  // namespace atalaya::api
