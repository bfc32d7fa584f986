// Targets that agents scrape, as the agents tell them when they are asked.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collect/scrape/config.h"
#include "collect/scrape/scraper.h"
#include "ingest/agent_hub.h"
#include "net/worker_pool.h"
#include "packages/package.h"
#include "registry/hosts.h"

namespace atalaya::app {

/// A job of a package with `on`.
struct AgentJob {
  collect::scrape::ScrapeConfig config;
  packages::HostSelector on;
};

/// Functions are thread-safe.
struct AgentTargetNeighbours {
  registry::Hosts& hosts;
  std::function<bool(const TenantId&, const AgentId&)> is_connected;  ///< ingest::AgentHub's
  std::function<Result<ingest::CallResult>(const TenantId&, const AgentId&, ingest::CallFrame, Duration)> call;
};

AgentTargetNeighbours agent_targets_of(registry::Hosts& hosts, ingest::AgentHub& hub);

/// Thread-safe. Has threads that wait for agents: `stop` before who is called goes.
class AgentTargets {
 public:
  explicit AgentTargets(AgentTargetNeighbours neighbours);

  void set(const TenantId& tenant, std::vector<AgentJob> jobs);
  /// Asks every agent that has a job, all at once, and adds what they say; blocks for seconds where one is silent. Of
  /// an agent that does not answer, or is not there, the targets that the configuration names are added: their
  /// health is unknown, and the error says why.
  void add_to(const TenantId& tenant, collect::scrape::TargetsView& out);
  /// What these agents' targets say of their metrics, `metric` "" for all; nothing of an agent that does not answer.
  void add_metadata(const TenantId& tenant, std::string_view metric, std::vector<collect::scrape::TargetMetadata>& out);
  void stop() { askers_.stop(); }

 private:
  template <typename T>
  struct Answers;
  template <typename T>
  using Ask = std::function<Result<T>(const TenantId& tenant, const registry::Host& host)>;
  template <typename T>
  using Told = std::vector<std::pair<registry::Host, Result<T>>>;

  std::vector<AgentJob> jobs_of(const TenantId& tenant);
  template <typename T>
  Told<T> ask_all(const TenantId& tenant, const std::vector<AgentJob>& jobs, const Ask<T>& ask);
  Result<std::string> call(const TenantId& tenant, const registry::Host& host, std::string kind) const;

  const AgentTargetNeighbours with_;
  std::mutex mutex_;
  std::map<TenantId, std::vector<AgentJob>> jobs_;  // guarded by mutex_
  net::WorkerPool askers_;
};

/// What is known of the jobs' targets on a host that says nothing.
collect::scrape::TargetsView silent_targets(const std::vector<AgentJob>& jobs, const std::string& host,
                                            const std::string& reason);

}  // namespace atalaya::app
