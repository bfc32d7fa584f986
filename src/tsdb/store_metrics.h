// What a Store says of itself at /metrics.
#pragma once

#include "telemetry/metrics.h"

namespace atalaya::tsdb {

struct StoreMetrics {
  explicit StoreMetrics(telemetry::Registry& r);

  telemetry::Counter& appended;
  telemetry::Counter& duplicate;
  telemetry::Counter& too_old;
  telemetry::Counter& too_new;
  telemetry::Counter& queue_full;
  telemetry::Counter& memory_full;
  telemetry::Counter& rate;
  telemetry::Counter& log_error;
  telemetry::Counter& series_limit;
  telemetry::Counter& series_no_memory;
  telemetry::Counter& series_labels;
  telemetry::Counter& repeated;
  telemetry::Counter& flushes;
  telemetry::Counter& merges;
  telemetry::Counter& conflicting;
  telemetry::Counter& rollups;
  telemetry::Counter& aged_blocks;
  telemetry::Counter& shed_blocks;
  telemetry::Counter& maintenance_failures;
  telemetry::Counter& unreadable;
  telemetry::Gauge& read_only;
  telemetry::Gauge& series;
  telemetry::Gauge& memory;
  telemetry::Gauge& series_memory;
  telemetry::Gauge& log_bytes;
  telemetry::Gauge& block_bytes;
  telemetry::Gauge& block_count;
  telemetry::Gauge& damaged;
  telemetry::Gauge& set_aside_bytes;
  telemetry::Histogram& commit_seconds;
  telemetry::Histogram& flush_seconds;
};

}  // namespace atalaya::tsdb
