// Prometheus' HTTP API, the one door through which everybody reads series.
#pragma once

#include "api/doors.h"
#include "base/time.h"
#include "net/worker_pool.h"
#include "promql/engine.h"
#include "storage/exemplars.h"
#include "storage/series.h"

namespace atalaya::api {

struct QueryOptions {
  promql::Limits limits;
  Duration timeout{std::chrono::minutes{2}};  ///< from a request's arrival; a request may ask for less
  telemetry::QueryMemory* memory = nullptr;   ///< in which evaluations count, and answers while they are made
};

/// Prometheus takes a range of 11,000 steps, which has a point more.
constexpr std::size_t kMaxSteps = 11'000;

/// What `query` and `query_range` answer for a tenant, whatever let the request in. An evaluation ends, with
/// `cancelled`, when nobody waits for it any more.
Result<net::Response> answer_query(const storage::SeriesQuerier& series, const Clock& clock, const TenantId& tenant,
                                   const net::Request& request, const QueryOptions& options = {});
Result<net::Response> answer_query_range(const storage::SeriesQuerier& series, const Clock& clock,
                                         const TenantId& tenant, const net::Request& request,
                                         const QueryOptions& options = {});

struct PrometheusRoutes {
  const storage::SeriesQuerier& series;
  const Clock& clock;
  net::WorkerPool& workers;  ///< as many queries run at once as it has threads; the others wait for their turn
  QueryOptions options;
  const storage::Exemplars* exemplars = nullptr;  ///< null: there are none
};

/// query, query_range, query_exemplars, series, labels, label/{name}/values, format_query, parse_query: GET and POST
/// (form-encoded).
void add_prometheus_routes(Doors& doors, const PrometheusRoutes& routes);

}  // namespace atalaya::api
