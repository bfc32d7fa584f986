// Prometheus' HTTP API, the one door through which everybody reads series.
#pragma once

#include "api/doors.h"
#include "base/time.h"
#include "storage/series.h"

namespace atalaya::api {

/// What `query` and `query_range` answer for a tenant, whatever let the request in.
Result<net::Response> answer_query(const storage::SeriesQuerier& series, const Clock& clock, const TenantId& tenant,
                                   const net::Request& request);
Result<net::Response> answer_query_range(const storage::SeriesQuerier& series, const TenantId& tenant,
                                         const net::Request& request);

/// query, query_range, series, labels, label/{name}/values: GET and POST (form-encoded).
void add_prometheus_routes(Doors& doors, const storage::SeriesQuerier& series, const Clock& clock);

}  // namespace atalaya::api
