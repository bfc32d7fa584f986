#include "collect/scrape/scrape_collector.h"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "collect/scrape/host_series.h"
#include "collect/scrape/pool.h"

namespace atalaya::collect::scrape {
namespace {

/// How often files of targets are looked at.
constexpr Duration kPeriod{1000};

}  // namespace

struct AgentScrapes::Shared {
  net::EventLoop& loop;
  io::FileSystem& files;
  const Clock& clock;
  const ScraperOptions options;
  const ScrapeCounters count;
  Turns turns{options.most_at_once};
};

/// One job on this agent. What its targets yield waits for the next `collect`, which is asked for at once.
class ScrapeCollector final : public Collector {
 public:
  ScrapeCollector(AgentScrapes& owner, ScrapeConfig config, LabelsTable& labels, std::function<void()> wake)
      : owner_(owner),
        shared_(*owner.shared_),
        series_(labels, shared_.options.host, shared_.clock, std::move(wake)),
        with_{shared_.loop, series_, shared_.files, shared_.clock, shared_.options, shared_.count},
        pool_(with_, shared_.turns, default_tenant(), std::move(config)) {
    owner_.collectors_.insert(this);
    pool_.start();
  }
  ~ScrapeCollector() override { owner_.collectors_.erase(this); }

  Duration period() const override { return kPeriod; }

  Status collect(Time, Batch& out) override {
    pool_.look_at_files();
    series_.collect(out);
    series_.forget_unused(std::max(storage::kIdIsGoodFor, 3 * pool_.config().interval));
    return {};
  }

  bool change(const CollectorSpec& spec) override {
    const auto* what = std::get_if<ScrapeSpec>(&spec.what);
    if (what == nullptr) return false;
    auto config = read_agent_job(spec.id, *what);
    if (!config) return false;
    pool_.change(std::move(*config));
    return true;
  }

  void finish(Time, Batch& out) override {
    pool_.end();
    series_.collect(out);
  }

  void show(TargetsView& out) const { pool_.show(out); }
  void show(std::vector<TargetMetadata>& out) const { pool_.show_metadata("", out); }

 private:
  AgentScrapes& owner_;
  AgentScrapes::Shared& shared_;
  HostSeries series_;
  const PoolNeighbours with_;
  Pool pool_;
};

Result<ScrapeConfig> read_agent_job(const std::string& id, const ScrapeSpec& spec) {
  boost::system::error_code error;
  const auto fields = boost::json::parse(spec.config, error);
  if (error || !fields.is_object()) return fail(ErrorCode::kInvalidArgument, "the job is no JSON object");
  std::vector<ConfigProblem> problems;
  auto config = read_config(id, fields.get_object(), {}, problems);
  if (config) return std::move(*config);
  return fail_within(fmt::format("{}", fmt::join(problems.front().path, ".")), std::move(problems.front().error));
}

AgentScrapes::AgentScrapes(net::EventLoop& loop, io::FileSystem& files, const Clock& clock,
                           telemetry::Registry& metrics, ScraperOptions options) {
  options.tells_host = true;
  shared_ = std::unique_ptr<Shared>(new Shared{loop, files, clock, std::move(options), scrape_counters(metrics)});
}

AgentScrapes::~AgentScrapes() = default;

Result<std::unique_ptr<Collector>> AgentScrapes::make(const CollectorSpec& spec, LabelsTable& labels,
                                                      std::function<void()> wake) {
  auto config = read_agent_job(spec.id, std::get<ScrapeSpec>(spec.what));
  if (!config) return fail_within("collector " + spec.id, std::move(config).error());
  return std::make_unique<ScrapeCollector>(*this, std::move(*config), labels, std::move(wake));
}

TargetsView AgentScrapes::targets() const {
  TargetsView out;
  for (const auto* collector : collectors_) collector->show(out);
  for (auto& target : out.active) target.labels = on_host(target.labels, shared_->options.host);
  return out;
}

std::vector<TargetMetadata> AgentScrapes::metadata() const {
  std::vector<TargetMetadata> out;
  for (const auto* collector : collectors_) collector->show(out);
  for (auto& one : out) one.target = on_host(one.target, shared_->options.host);
  return out;
}

}  // namespace atalaya::collect::scrape
