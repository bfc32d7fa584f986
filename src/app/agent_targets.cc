#include "app/agent_targets.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <iterator>
#include <memory>
#include <optional>

#include "collect/scrape/host_series.h"
#include "collect/scrape/target.h"
#include "collect/scrape/targets_text.h"

namespace atalaya::app {
namespace {

namespace scrape = collect::scrape;

constexpr std::size_t kAskers = 16;
constexpr std::size_t kWaiting = 10'000;
constexpr Duration kOfOne{std::chrono::seconds{3}};
constexpr Duration kOfAll{std::chrono::seconds{5}};

void append(scrape::TargetsView more, scrape::TargetsView& out) {
  std::ranges::move(more.active, std::back_inserter(out.active));
  std::ranges::move(more.dropped, std::back_inserter(out.dropped));
  for (const auto& [pool, count] : more.dropped_counts) out.dropped_counts[pool] += count;
}

}  // namespace

/// Of one round; who answers too late writes into what nobody reads.
template <typename T>
struct AgentTargets::Answers {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t missing = 0;
  std::vector<std::optional<Result<T>>> of;
};

AgentTargetNeighbours agent_targets_of(registry::Hosts& hosts, ingest::AgentHub& hub) {
  return {hosts, [&hub](const TenantId& tenant, const AgentId& agent) { return hub.is_connected(tenant, agent); },
          [&hub](const TenantId& tenant, const AgentId& agent, ingest::CallFrame call, Duration timeout) {
            return hub.call(tenant, agent, std::move(call), timeout);
          }};
}

AgentTargets::AgentTargets(AgentTargetNeighbours neighbours)
    : with_(std::move(neighbours)), askers_(kAskers, kWaiting) {}

void AgentTargets::set(const TenantId& tenant, std::vector<AgentJob> jobs) {
  const std::lock_guard lock(mutex_);
  jobs_[tenant] = std::move(jobs);
}

std::vector<AgentJob> AgentTargets::jobs_of(const TenantId& tenant) {
  const std::lock_guard lock(mutex_);
  const auto found = jobs_.find(tenant);
  return found == jobs_.end() ? std::vector<AgentJob>{} : found->second;
}

Result<std::string> AgentTargets::call(const TenantId& tenant, const registry::Host& host, std::string kind) const {
  ingest::CallFrame call;
  call.kind = std::move(kind);
  call.time = kOfOne;
  AT_TRY(auto answer, with_.call(tenant, host.id, std::move(call), kOfOne));
  return std::move(answer.output);
}

/// In the order of the hosts.
template <typename T>
AgentTargets::Told<T> AgentTargets::ask_all(const TenantId& tenant, const std::vector<AgentJob>& jobs,
                                            const Ask<T>& ask) {
  auto hosts = with_.hosts.list(tenant);
  std::erase_if(hosts, [&](const auto& host) {
    return std::ranges::none_of(jobs, [&](const auto& job) { return job.on.matches(host.name); });
  });
  const auto answers = std::make_shared<Answers<T>>();
  answers->of.resize(hosts.size());
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    if (!with_.is_connected(tenant, hosts[i].id)) {
      answers->of[i] = fail(ErrorCode::kUnavailable, "the agent is not connected");
      continue;
    }
    {
      const std::lock_guard lock(answers->mutex);
      ++answers->missing;
    }
    net::WorkerPool::Work work = [answers, i, tenant, ask, host = hosts[i]] {
      auto answer = ask(tenant, host);
      const std::lock_guard lock(answers->mutex);
      answers->of[i] = std::move(answer);
      --answers->missing;
      answers->changed.notify_all();
    };
    if (askers_.try_post(std::move(work))) continue;
    const std::lock_guard lock(answers->mutex);
    --answers->missing;
  }
  std::unique_lock lock(answers->mutex);
  answers->changed.wait_for(lock, kOfAll, [&] { return answers->missing == 0; });
  Told<T> out;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    Result<T> answer = fail(ErrorCode::kUnavailable, "the agent did not answer");
    if (answers->of[i]) answer = std::move(*answers->of[i]);
    out.emplace_back(std::move(hosts[i]), std::move(answer));
  }
  return out;
}

void AgentTargets::add_to(const TenantId& tenant, scrape::TargetsView& out) {
  const auto jobs = jobs_of(tenant);
  if (jobs.empty()) return;
  using View = scrape::TargetsView;
  const Ask<View> ask = [this](const TenantId& of, const registry::Host& host) -> Result<View> {
    AT_TRY(const auto text, call(of, host, "targets"));
    AT_TRY(auto view, scrape::read_targets_text(text));
    // As samples come in: an agent speaks for its own host alone.
    for (auto& target : view.active) target.labels = scrape::on_host(target.labels, host.name);
    return view;
  };
  for (auto& [host, answer] : ask_all(tenant, jobs, ask)) {
    append(answer ? std::move(*answer) : silent_targets(jobs, host.name, answer.error().message), out);
  }
}

void AgentTargets::add_metadata(const TenantId& tenant, std::string_view metric,
                                std::vector<scrape::TargetMetadata>& out) {
  const auto jobs = jobs_of(tenant);
  if (jobs.empty()) return;
  using All = std::vector<scrape::TargetMetadata>;
  const Ask<All> ask = [this](const TenantId& of, const registry::Host& host) -> Result<All> {
    AT_TRY(const auto text, call(of, host, "metadata"));
    return scrape::read_metadata_text(text);
  };
  for (auto& [host, answer] : ask_all(tenant, jobs, ask)) {
    if (!answer) continue;
    for (auto& one : *answer) {
      if (!metric.empty() && one.metric != metric) continue;
      one.target = scrape::on_host(one.target, host.name);
      out.push_back(std::move(one));
    }
  }
}

scrape::TargetsView silent_targets(const std::vector<AgentJob>& jobs, const std::string& host,
                                   const std::string& reason) {
  scrape::TargetsView out;
  for (const auto& job : jobs) {
    if (!job.on.matches(host)) continue;
    auto groups = job.config.groups;
    for (auto& group : groups) group.labels[std::string(scrape::kHostLabel)] = host;
    auto made = scrape::make_targets(job.config, groups, host);
    for (auto& spec : made.active) {
      out.active.push_back({job.config.job, std::move(spec.discovered), scrape::on_host(spec.labels, host),
                            std::move(spec.url), std::move(spec.global_url), spec.interval, spec.timeout, "unknown",
                            reason, Time{}, Duration{}});
    }
    for (auto& dropped : made.dropped) out.dropped.push_back({job.config.job, std::move(dropped)});
    out.dropped_counts[job.config.job] += made.dropped.size();
  }
  return out;
}

}  // namespace atalaya::app
