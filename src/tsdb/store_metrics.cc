#include "tsdb/store_metrics.h"

namespace atalaya::tsdb {
namespace {

telemetry::Counter& dropped(telemetry::Registry& r, std::string reason) {
  return r.counter("atalaya_tsdb_dropped_samples_total", "Samples not taken, by reason.",
                   {{"reason", std::move(reason)}});
}
telemetry::Counter& refused(telemetry::Registry& r, std::string reason) {
  return r.counter("atalaya_tsdb_refused_batches_total", "Batches refused, by reason.",
                   {{"reason", std::move(reason)}});
}
telemetry::Counter& refused_series(telemetry::Registry& r, std::string reason) {
  return r.counter("atalaya_tsdb_refused_series_total", "Times that a series was not made, by reason.",
                   {{"reason", std::move(reason)}});
}
telemetry::Counter& gone(telemetry::Registry& r, std::string reason) {
  return r.counter("atalaya_tsdb_dropped_blocks_total", "Blocks that were not kept any longer, by reason.",
                   {{"reason", std::move(reason)}});
}

}  // namespace

StoreMetrics::StoreMetrics(telemetry::Registry& r)
    : appended(r.counter("atalaya_tsdb_appended_samples_total", "Samples made durable and visible.")),
      duplicate(dropped(r, "duplicate")),
      too_old(dropped(r, "too_old")),
      too_new(dropped(r, "too_new")),
      queue_full(refused(r, "queue_full")),
      memory_full(refused(r, "memory_full")),
      rate(refused(r, "rate")),
      log_error(refused(r, "log_error")),
      series_limit(refused_series(r, "limit")),
      series_no_memory(refused_series(r, "memory")),
      series_labels(refused_series(r, "labels")),
      repeated(r.counter("atalaya_tsdb_repeated_batches_total", "Batches acknowledged without effect, seen before.")),
      flushes(r.counter("atalaya_tsdb_flushes_total", "Times that memory was written to blocks.")),
      merges(r.counter("atalaya_tsdb_merges_total", "Blocks made of other blocks.")),
      conflicting(r.counter("atalaya_tsdb_conflicting_samples_total",
                            "Samples that were taken while another value of their instant was in a block already, and "
                            "went when the blocks were merged.")),
      rollups(r.counter("atalaya_tsdb_rollups_total", "Stretches of time made to buckets.")),
      aged_blocks(gone(r, "age")),
      shed_blocks(gone(r, "size")),
      maintenance_failures(r.counter("atalaya_tsdb_maintenance_failures_total",
                                     "Flushes, merges and removals that failed; they are tried again.")),
      unreadable(r.counter("atalaya_tsdb_unreadable_chunks_total", "Reads from blocks that met damage.")),
      read_only(r.gauge("atalaya_tsdb_read_only", "1 while the series log cannot be written.")),
      series(r.gauge("atalaya_tsdb_series", "Series that get samples.")),
      memory(r.gauge("atalaya_tsdb_memory_bytes", "Memory of samples that are in no block yet.")),
      series_memory(r.gauge("atalaya_tsdb_series_memory_bytes", "Memory of labels, index and states of series.")),
      log_bytes(r.gauge("atalaya_tsdb_log_bytes", "Size of the series log.")),
      block_bytes(r.gauge("atalaya_tsdb_block_bytes", "Size of the blocks.")),
      block_count(r.gauge("atalaya_tsdb_blocks", "Blocks that serve.")),
      damaged(r.gauge("atalaya_tsdb_damaged_files",
                      "Files set aside for damage that are still there (*.damaged), and those "
                      "mended in place since the start.")),
      set_aside_bytes(r.gauge("atalaya_tsdb_set_aside_bytes", "Size of the files that are set aside for damage.")),
      commit_seconds(r.histogram("atalaya_tsdb_commit_seconds",
                                 "From taking a group of batches to durable and visible.",
                                 {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5})),
      flush_seconds(r.histogram("atalaya_tsdb_flush_seconds", "Writing memory to blocks.",
                                {0.01, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60})) {}

}  // namespace atalaya::tsdb
