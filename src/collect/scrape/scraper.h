// Scrapes the targets of all tenants: discovers them, asks them in their time, hands the samples to the store.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "collect/scrape/config.h"
#include "collect/scrape/scrape_state.h"
#include "io/file_system.h"
#include "net/event_loop.h"
#include "storage/exemplars.h"
#include "storage/series.h"
#include "telemetry/metrics.h"

namespace atalaya::collect::scrape {

/// A target as people look at it.
struct TargetView {
  std::string pool;
  Labels discovered;
  Labels labels;
  std::string url;
  std::string global_url;
  Duration interval{};
  Duration timeout{};
  std::string health = "unknown";  ///< up, down, unknown
  std::string last_error;
  Time last_scrape{};  ///< 1970 for never
  Duration last_took{};
};
struct DroppedTarget {
  std::string pool;
  Labels discovered;
};
struct TargetsView {
  std::vector<TargetView> active;  ///< by pool and labels
  std::vector<DroppedTarget> dropped;
  std::map<std::string, std::uint64_t> dropped_counts;  ///< of every pool
};
struct TargetMetadata {
  Labels target;
  std::string metric;
  Metadata metadata;
};

struct ScraperOptions {
  std::string host;                ///< this machine's name
  bool tells_host = false;         ///< every target carries it as `__meta_atalaya_host`: of agents
  std::string user_agent;          ///< of every request
  std::size_t most_at_once = 256;  ///< requests under way; further targets wait for one to end
  Duration look_at_files{std::chrono::seconds{1}};
  storage::Exemplars* exemplars = nullptr;  ///< outlives the scraper; null: they are passed over
};

/// Everything runs on a loop with one thread; requests are asynchronous, so a slow target holds up nobody. Answers are
/// bounded by their job's `body_size_limit`, and by 256 MiB.
///
/// Thread-safe. Construct, `set` at will, `start`, `stop` (idempotent). All that is borrowed outlives it, and the
/// appender takes samples until `stop` has returned.
class Scraper {
 public:
  Scraper(storage::SeriesAppender& series, io::FileSystem& files, const Clock& clock, telemetry::Registry& metrics,
          ScraperOptions options);
  ~Scraper();
  Scraper(const Scraper&) = delete;
  Scraper& operator=(const Scraper&) = delete;

  /// The tenant's jobs, all of them: what is new starts at once, what is equal goes on, what is gone ends with stale
  /// markers. A target that is in a job before and after keeps its series' history.
  void set(const TenantId& tenant, std::vector<ScrapeConfig> jobs);
  void start();
  void stop();

  /// Empty once it has stopped.
  TargetsView targets(const TenantId& tenant) const;
  /// The steps of a job's targets; nothing where there is no such job.
  std::optional<std::vector<Relabeling>> relabelings(const TenantId& tenant, std::string_view job) const;
  /// What the tenant's active targets say of their metrics; `metric` "" for all.
  std::vector<TargetMetadata> metadata(const TenantId& tenant, std::string_view metric) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace atalaya::collect::scrape
