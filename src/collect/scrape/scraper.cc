#include "collect/scrape/scraper.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <utility>

#include "collect/scrape/pool.h"

namespace atalaya::collect::scrape {

struct Scraper::Impl {
  Impl(storage::SeriesAppender& series, io::FileSystem& files, const Clock& clock, telemetry::Registry& metrics,
       ScraperOptions given)
      : options(std::move(given)),
        count(scrape_counters(metrics)),
        with{loop, series, files, clock, options, count},
        turns(options.most_at_once) {}

  using Pools = std::map<std::string, std::unique_ptr<Pool>>;

  void set(const TenantId& tenant, std::vector<ScrapeConfig> jobs) {
    auto& mine = pools[tenant];
    Pools next;
    std::vector<Pool*> begin;
    for (auto& job : jobs) {
      const auto id = job.id;
      auto known = mine.find(id);
      if (known == mine.end()) {
        auto pool = std::make_unique<Pool>(with, turns, tenant, std::move(job));
        begin.push_back(pool.get());
        next[id] = std::move(pool);
        continue;
      }
      if (known->second->config().written != job.written) known->second->change(std::move(job));
      next[id] = std::move(known->second);
      mine.erase(known);
    }
    for (auto& [id, pool] : mine) pool->end();
    mine = std::move(next);
    for (auto* pool : begin) pool->start();
  }

  void look_at_files() {
    for (auto& [tenant, mine] : pools) {
      for (auto& [id, pool] : mine) pool->look_at_files();
    }
    timer = loop.after(options.look_at_files, [this] { look_at_files(); });
  }

  /// Runs `look` on the loop and waits for it.
  template <typename T>
  T answer(std::function<T()> look) {
    if (!running.load()) return {};
    const auto done = std::make_shared<std::promise<T>>();
    auto out = done->get_future();
    loop.post([done, look = std::move(look)] { done->set_value(look()); });
    // Only at the very end may nobody answer any more.
    if (out.wait_for(std::chrono::seconds{30}) != std::future_status::ready) return {};
    return out.get();
  }

  net::EventLoop loop;
  const ScraperOptions options;
  const ScrapeCounters count;
  const PoolNeighbours with;
  Turns turns;
  std::map<TenantId, Pools> pools;  // on the loop
  net::Timer timer;
  std::atomic<bool> running{false};
};

Scraper::Scraper(storage::SeriesAppender& series, io::FileSystem& files, const Clock& clock,
                 telemetry::Registry& metrics, ScraperOptions options)
    : impl_(std::make_unique<Impl>(series, files, clock, metrics, std::move(options))) {}

Scraper::~Scraper() { stop(); }

void Scraper::set(const TenantId& tenant, std::vector<ScrapeConfig> jobs) {
  impl_->loop.post(
      [impl = impl_.get(), tenant, jobs = std::move(jobs)]() mutable { impl->set(tenant, std::move(jobs)); });
}

void Scraper::start() {
  impl_->loop.post([impl = impl_.get()] { impl->look_at_files(); });
  impl_->loop.start();
  impl_->running = true;
}

void Scraper::stop() {
  impl_->running = false;
  impl_->loop.stop();
  impl_->timer.cancel();
  impl_->pools.clear();
}

TargetsView Scraper::targets(const TenantId& tenant) const {
  return impl_->answer<TargetsView>([impl = impl_.get(), tenant] {
    TargetsView out;
    const auto mine = impl->pools.find(tenant);
    if (mine == impl->pools.end()) return out;
    for (const auto& [id, pool] : mine->second) pool->show(out);
    std::ranges::stable_sort(out.active, {}, &TargetView::pool);
    return out;
  });
}

std::optional<std::vector<Relabeling>> Scraper::relabelings(const TenantId& tenant, std::string_view job) const {
  using Steps = std::optional<std::vector<Relabeling>>;
  return impl_->answer<Steps>([impl = impl_.get(), tenant, job = std::string(job)]() -> Steps {
    const auto mine = impl->pools.find(tenant);
    if (mine == impl->pools.end()) return std::nullopt;
    for (const auto& [id, pool] : mine->second) {
      if (pool->config().job == job) return pool->config().target_steps;
    }
    return std::nullopt;
  });
}

std::vector<TargetMetadata> Scraper::metadata(const TenantId& tenant, std::string_view metric) const {
  return impl_->answer<std::vector<TargetMetadata>>([impl = impl_.get(), tenant, metric = std::string(metric)] {
    std::vector<TargetMetadata> out;
    const auto mine = impl->pools.find(tenant);
    if (mine == impl->pools.end()) return out;
    for (const auto& [id, pool] : mine->second) pool->show_metadata(metric, out);
    return out;
  });
}

}  // namespace atalaya::collect::scrape
