// What is scraped, and what targets say of their metrics, as Prometheus answers.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "api/doors.h"
#include "collect/scrape/scraper.h"
#include "net/worker_pool.h"

namespace atalaya::api {

/// Functions are thread-safe and outlive the doors.
struct TargetServices {
  std::function<collect::scrape::TargetsView(const TenantId&)> targets;  ///< may take seconds: agents are asked
  /// Of active targets; metric "" for all. May take as long.
  std::function<std::vector<collect::scrape::TargetMetadata>(const TenantId&, std::string_view metric)> metadata;
  /// The steps of a job's targets, of the server's own jobs.
  std::function<std::optional<std::vector<collect::scrape::Relabeling>>(const TenantId&, std::string_view pool)>
      relabelings;
  net::WorkerPool& workers;  ///< threads that may wait for agents
};

/// targets, targets/metadata, targets/relabel_steps, metadata and scrape_pools below /api/v1.
void add_target_routes(Doors& doors, const TargetServices& services);

}  // namespace atalaya::api
