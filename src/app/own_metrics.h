// The server's own metrics as series, so that rules can judge it like anything else.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "collect/scrape/scraper.h"
#include "storage/series.h"
#include "telemetry/metrics.h"

namespace atalaya::app {

/// Stores what /metrics shows, with the labels `instance` and job="atalaya", and up{job="atalaya"} = 1. The
/// buckets of histograms are left out: they are many, and who wants them reads /metrics. Borrows all but the
/// names. Thread-compatible; the store's answers may come on any thread.
class OwnMetrics {
 public:
  OwnMetrics(const telemetry::Registry& metrics, storage::SeriesAppender& series, const Clock& clock, TenantId tenant,
             std::string instance);

  /// Stores one sample of each metric; call it about every 15 s. Does nothing while those of before are not
  /// stored yet: a store that is held up needs no further work.
  void collect();

 private:
  const telemetry::Registry& metrics_;
  storage::SeriesAppender& series_;
  const Clock& clock_;
  const TenantId tenant_;
  const std::string instance_;
  std::shared_ptr<std::atomic<bool>> under_way_ = std::make_shared<std::atomic<bool>>(false);
};

/// What /metrics says of them, as of a target: of the metric, "" for all.
std::vector<collect::scrape::TargetMetadata> own_metadata(const telemetry::Registry& metrics,
                                                          const std::string& instance, std::string_view metric);

/// atalaya_data_available_bytes and atalaya_data_size_bytes: of the file system below `path`, for whom the
/// server runs as.
void add_data_metrics(telemetry::Registry& metrics, const std::string& path);

}  // namespace atalaya::app
