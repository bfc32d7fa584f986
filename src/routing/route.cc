// The route tree: which routes take an alert, and into which group it comes there.

#include <algorithm>

#include "routing/config.h"

namespace atalaya::routing {
namespace {

/// False if the route does not take the alert; else it or those below it are in `out`.
bool collect(const Route& route, const Labels& labels, std::vector<const Route*>& out) {
  if (!matches(route.matchers, labels)) return false;
  bool below = false;
  for (const auto& child : route.routes) {
    const bool taken = collect(child, labels, out);
    below = below || taken;
    if (taken && !child.continues) break;
  }
  if (!below) out.push_back(&route);
  return true;
}

/// As `collect`, with every step.
bool follow(const Route& route, const Labels& labels, std::vector<Visit>& out) {
  const auto refuses = std::ranges::find_if(
      route.matchers, [&](const Matcher& matcher) { return !matcher.matches(labels.get(matcher.name())); });
  const auto place = out.size();
  if (refuses != route.matchers.end()) {
    out.push_back({&route, false, false, &*refuses});
    return false;
  }
  out.push_back({&route, true, true, nullptr});
  for (const auto& child : route.routes) {
    const bool taken = follow(child, labels, out);
    if (taken) out[place].ends = false;
    if (taken && !child.continues) break;
  }
  return true;
}

}  // namespace

std::vector<const Route*> match(const Route& root, const Labels& labels) {
  std::vector<const Route*> out;
  collect(root, labels, out);
  return out;
}

std::vector<Visit> trace(const Route& root, const Labels& labels) {
  std::vector<Visit> out;
  follow(root, labels, out);
  return out;
}

Labels group_labels(const RouteOptions& options, const Labels& labels) {
  if (options.group_by_all) return labels;
  LabelsPacker out;
  for (const auto& [name, value] : labels) {
    if (options.group_by.contains(std::string(name))) out.add(name, value);
  }
  return out.take();
}

std::vector<std::string> muting_intervals(const Config& config, const RouteOptions& options, Time at) {
  std::vector<std::string> out;
  const auto within = [&](const std::string& name) {
    const auto& intervals = config.time_intervals.at(name);
    return std::any_of(intervals.begin(), intervals.end(), [&](const auto& one) { return one.contains(at); });
  };
  std::copy_if(options.mute_time_intervals.begin(), options.mute_time_intervals.end(), std::back_inserter(out), within);
  const auto& active = options.active_time_intervals;
  if (!active.empty() && std::none_of(active.begin(), active.end(), within)) {
    out.insert(out.end(), active.begin(), active.end());
  }
  return out;
}

ConfigPtr built_in_config(Receiver receiver) {
  auto config = std::make_shared<Config>();
  config->root.id = config->root.key = "{}";
  auto& options = config->root.options;
  options.receiver = receiver.name;
  options.group_by_all = true;
  options.group_wait = options.group_interval = Duration{0};
  options.repeat_interval = Duration::max();
  config->receivers.emplace(receiver.name, std::move(receiver));
  return config;
}

}  // namespace atalaya::routing
