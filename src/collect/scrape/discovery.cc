#include "collect/scrape/discovery.h"

#include <fmt/format.h>

#include <algorithm>

#include "collect/scrape/target.h"
#include "telemetry/log.h"

namespace atalaya::collect::scrape {
namespace {

constexpr std::uint64_t kMostBytes = 16 << 20;
constexpr Duration kPatience{std::chrono::seconds{30}};

/// `*` any run; nothing else is special.
bool fits(std::string_view pattern, std::string_view name) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  pattern.remove_prefix(star + 1);
  name.remove_prefix(star);
  for (std::size_t skip = 0; skip <= name.size(); ++skip) {
    if (fits(pattern, name.substr(skip))) return true;
  }
  return false;
}

}  // namespace

std::map<std::string, FileTargets::Known> FileTargets::list() const {
  std::map<std::string, Known> out;
  for (const auto& path : config_.files) {
    const auto folder = io::parent_path(path);
    const auto pattern = std::string_view(path).substr(path.rfind('/') + 1);
    const auto entries = files_.list(folder);
    if (!entries) continue;
    for (const auto& entry : *entries) {
      if (entry.is_directory || !fits(pattern, entry.name)) continue;
      out[fmt::format("{}/{}", folder == "/" ? "" : folder, entry.name)] = {entry.stamp, entry.size_bytes, {}, false};
    }
  }
  return out;
}

bool FileTargets::look(Steady now) {
  const bool all = known_.empty() || now - read_all_ >= config_.refresh;
  if (all) read_all_ = now;
  auto found = list();
  bool changed = false;
  for (auto& [path, file] : found) {
    const auto before = known_.find(path);
    const bool same =
        before != known_.end() && before->second.stamp == file.stamp && before->second.bytes == file.bytes;
    if (before != known_.end()) {
      file.groups = before->second.groups;
      file.broken = before->second.broken;
    }
    if (!same || all) changed = read(path, file) || changed;
  }
  for (const auto& [path, file] : known_) changed = changed || !found.contains(path);
  known_ = std::move(found);
  return changed;
}

bool FileTargets::read(const std::string& path, Known& file) {
  auto text = io::read_file(files_, path, kMostBytes);
  auto groups = text ? read_groups(*text, path, "__meta_filepath") : std::unexpected(text.error());
  if (!groups) {
    if (!file.broken) {
      telemetry::log_warn("scrape", "a file of targets is not taken; the ones before it go on",
                          {{"file", path}, {"reason", to_string(groups.error())}});
    }
    file.broken = true;
    return false;
  }
  const bool changed = file.broken || file.groups != *groups;
  file.broken = false;
  file.groups = std::move(*groups);
  return changed;
}

std::vector<TargetGroup> FileTargets::groups() const {
  std::vector<TargetGroup> out;
  for (const auto& [path, file] : known_) out.insert(out.end(), file.groups.begin(), file.groups.end());
  return out;
}

HttpTargets::HttpTargets(net::EventLoop& loop, io::FileSystem& files, const Clock& clock, HttpDiscovery config,
                         std::string user_agent, std::function<void()> changed)
    : loop_(loop),
      config_(std::move(config)),
      user_agent_(std::move(user_agent)),
      changed_(std::move(changed)),
      fetcher_(loop, files, clock, config_.http) {}

void HttpTargets::start(std::vector<TargetGroup> before) {
  groups_ = std::move(before);
  ask();
}

void HttpTargets::ask() {
  FetchRequest request;
  request.url = config_.url;
  request.headers.set("User-Agent", user_agent_);
  request.headers.set("Accept", "application/json");
  request.headers.set("Accept-Encoding", "gzip");
  request.headers.set("X-Prometheus-Refresh-Interval-Seconds", fmt::format("{}", to_seconds(config_.refresh)));
  request.timeout = std::min(config_.refresh, kPatience);
  request.most_bytes = kMostBytes;
  fetcher_.get(std::move(request), [this](Result<Fetched> answer) { received(std::move(answer)); });
}

void HttpTargets::received(Result<Fetched> answer) {
  timer_ = loop_.after(config_.refresh, [this] { ask(); });
  Result<std::vector<TargetGroup>> groups;
  if (!answer) {
    groups = std::unexpected(answer.error());
  } else if (!answer->content_type.starts_with("application/json")) {
    groups = fail(ErrorCode::kInvalidArgument, fmt::format("unsupported content type \"{}\"", answer->content_type));
  } else {
    groups = read_groups(answer->body, config_.url, "__meta_url");
  }
  auto problem = groups ? std::string() : to_string(groups.error());
  if (problem != problem_ && !problem.empty()) {
    telemetry::log_warn("scrape", "targets are not listed; the ones before go on",
                        {{"url", config_.url.substr(0, config_.url.find('?'))}, {"reason", problem}});
  }
  problem_ = std::move(problem);
  if (!groups || *groups == groups_) return;
  groups_ = std::move(*groups);
  changed_();
}

}  // namespace atalaya::collect::scrape
