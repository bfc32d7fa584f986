// The targets of one job and their times. Inside this library only.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "collect/scrape/discovery.h"
#include "collect/scrape/fetch.h"
#include "collect/scrape/scraper.h"
#include "collect/scrape/target.h"

namespace atalaya::collect::scrape {

/// What scrapes count.
struct ScrapeCounters {
  telemetry::Counter& scrapes;
  telemetry::Counter& failures;
  telemetry::Counter& samples;
  telemetry::Counter& lost;
};
ScrapeCounters scrape_counters(telemetry::Registry& metrics);

/// What pools work with. Outlives them.
struct PoolNeighbours {
  net::EventLoop& loop;
  storage::SeriesAppender& series;
  io::FileSystem& files;
  const Clock& clock;
  const ScraperOptions& options;
  const ScrapeCounters& count;
};

/// Requests under way, and those who wait for one to end. Strand-bound.
class Turns {
 public:
  explicit Turns(std::size_t most) : most_(most) {}
  /// Calls `begin` now or later; it is followed by one `end`.
  void ask(std::function<void()> begin);
  void end();

 private:
  void hand_out();

  const std::size_t most_;
  std::size_t running_ = 0;
  bool handing_out_ = false;
  std::deque<std::function<void()>> waiting_;
};

/// Strand-bound to the loop.
class Pool {
 public:
  Pool(const PoolNeighbours& with, Turns& turns, TenantId tenant, ScrapeConfig config);
  ~Pool();  ///< no series ends

  const ScrapeConfig& config() const { return config_; }
  void start();
  /// Goes on as another job: its targets keep their history.
  void change(ScrapeConfig config);
  /// Stale markers for every target.
  void end();
  /// Files of targets.
  void look_at_files();

  void show(TargetsView& out) const;
  void show_metadata(std::string_view metric, std::vector<TargetMetadata>& out) const;

 private:
  struct Target;
  using TargetPtr = std::shared_ptr<Target>;

  void open();
  void refresh();
  void schedule(const TargetPtr& target);
  void due(const TargetPtr& target);
  void ask(const TargetPtr& target);
  void finish(const TargetPtr& target, Result<Fetched> fetched);
  void stop_asking(Target& target);
  void append(std::vector<storage::SeriesSample> samples);

  const PoolNeighbours& with_;
  Turns& turns_;
  const TenantId tenant_;
  ScrapeConfig config_;
  std::unique_ptr<Fetcher> fetcher_;
  std::vector<FileTargets> files_;
  std::vector<std::unique_ptr<HttpTargets>> urls_;
  std::map<std::uint64_t, TargetPtr> targets_;
  std::vector<Labels> dropped_;
  std::vector<std::string> problems_;  ///< of targets that cannot be, told already
  std::string refused_;                ///< why no target is asked: target_limit
};

}  // namespace atalaya::collect::scrape
