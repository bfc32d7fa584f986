// Scrape jobs from where they are written to who scrapes: packages of every tenant, and files in Prometheus' form.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/doors.h"
#include "app/agent_targets.h"
#include "collect/scrape/scraper.h"
#include "packages/service.h"
#include "schema/schema_set.h"

namespace atalaya::app {

/// The jobs of a Prometheus configuration: its `scrape_configs`, with `scrape_interval` and `scrape_timeout` of
/// `global`. Paths in it are relative to its folder; the server scrapes all of them. Whatever else it holds is passed
/// over and named in `warnings`.
Result<std::vector<collect::scrape::ScrapeConfig>> read_scrape_file(io::FileSystem& files, const std::string& path,
                                                                    const schema::SchemaSet& schemas,
                                                                    std::vector<std::string>& warnings);

/// All outlive the scrapes.
struct ScrapeNeighbours {
  packages::Service& packages;
  storage::SeriesAppender& series;
  io::FileSystem& files;
  const Clock& clock;
  telemetry::Registry& metrics;
  std::vector<std::string> paths;  ///< of Prometheus configurations, for the default tenant
  std::string host;
  AgentTargetNeighbours agents;
  storage::Exemplars& exemplars;
};

/// A job of a package with `on` is run by the agents that this names: they get it with their collectors.
///
/// Thread-safe after construction: construct, `read_files`, `changed` at will, `start`, `stop` (idempotent).
class Scrapes {
 public:
  explicit Scrapes(ScrapeNeighbours neighbours);

  /// Reads the files again: all of them hold, or everything stays.
  Status read_files();
  /// The tenant's packages differ.
  void changed(const TenantId& tenant);
  void add_routes(api::Doors& doors);
  void start();
  void stop();

 private:
  collect::scrape::TargetsView targets(const TenantId& tenant);

  const ScrapeNeighbours with_;
  collect::scrape::Scraper scraper_;
  AgentTargets agents_;
  net::WorkerPool askers_;                               ///< threads that wait for all agents
  std::mutex mutex_;                                     ///< one change at a time, in its order
  std::vector<collect::scrape::ScrapeConfig> of_files_;  // guarded by mutex_
};

}  // namespace atalaya::app
