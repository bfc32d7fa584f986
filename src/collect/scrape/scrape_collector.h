// Scrape jobs as collectors of an agent.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "collect/collector.h"
#include "collect/scrape/config.h"
#include "collect/scrape/scraper.h"
#include "collect/spec.h"
#include "io/file_system.h"
#include "net/event_loop.h"
#include "telemetry/metrics.h"

namespace atalaya::collect::scrape {

class ScrapeCollector;

/// What all scrape jobs of an agent share: the turns of requests, counters, and who there is. Strand-bound; outlives
/// its collectors, as all that is borrowed outlives it. `options.host` is the host's name.
class AgentScrapes {
 public:
  AgentScrapes(net::EventLoop& loop, io::FileSystem& files, const Clock& clock, telemetry::Registry& metrics,
               ScraperOptions options);
  ~AgentScrapes();
  AgentScrapes(const AgentScrapes&) = delete;
  AgentScrapes& operator=(const AgentScrapes&) = delete;

  /// `spec.what` is a ScrapeSpec. invalid_argument names what of the job this agent cannot do.
  Result<std::unique_ptr<Collector>> make(const CollectorSpec& spec, LabelsTable& labels, std::function<void()> wake);
  /// The targets of all jobs; their labels are those of their series.
  TargetsView targets() const;
  /// What they say of their metrics.
  std::vector<TargetMetadata> metadata() const;

 private:
  friend class ScrapeCollector;
  struct Shared;
  std::unique_ptr<Shared> shared_;
  std::set<const ScrapeCollector*> collectors_;
};

/// invalid_argument with the path of the first mistake.
Result<ScrapeConfig> read_agent_job(const std::string& id, const ScrapeSpec& spec);

}  // namespace atalaya::collect::scrape
