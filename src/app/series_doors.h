// The doors through which programs write series and take them out, and what stands behind them.
#pragma once

#include "api/doors.h"
#include "api/prometheus.h"
#include "app/budgeted_series.h"
#include "base/time.h"
#include "ingest/remote_write.h"
#include "model/labels.h"
#include "net/worker_pool.h"
#include "registry/audit.h"
#include "storage/exemplars.h"
#include "storage/series.h"
#include "telemetry/metrics.h"
#include "tsdb/store.h"

namespace atalaya::app {

struct SeriesDoorParts {
  storage::SeriesAppender& appender;
  storage::SeriesKeys& keys;
  const storage::SeriesQuerier& series;
  tsdb::Store& store;
  const Clock& clock;
  telemetry::Registry& metrics;
  api::QueryOptions queries;
  std::size_t query_concurrency;
  const Labels& external_labels;
  telemetry::QueryMemory& memory;
  std::size_t most_exemplars;
};

/// Owns the threads on which writers wait for the disk, and those on which queries run. Thread-safe.
class SeriesDoors {
 public:
  /// All parts outlive this.
  explicit SeriesDoors(const SeriesDoorParts& parts);

  void add_routes(api::Doors& doors, registry::Audit& audit);
  /// What scrapes bring comes to the same.
  storage::Exemplars& exemplars() { return exemplars_; }
  /// After the server took its last request and before the store stops: who waits for the disk gets an answer.
  void stop();

 private:
  const SeriesDoorParts parts_;
  const BudgetedSeries series_;  ///< for who comes from outside
  storage::Exemplars exemplars_;
  ingest::RemoteWriter remote_writer_;
  net::WorkerPool remote_writers_;
  net::WorkerPool writers_;
  net::WorkerPool readers_;
  net::WorkerPool federation_;  ///< who scrapes waits for no snapshot
  net::WorkerPool queries_;
};

}  // namespace atalaya::app
