#include "app/alert_routing.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "dispatch/receivers.h"

namespace atalaya::app {

std::vector<std::string> ActingRouting::channels_of(const TenantId& tenant) const {
  std::vector<std::string> out;
  for (const auto& channel : channels_.channels(tenant)) out.push_back(channel->info().id);
  return out;
}

std::vector<std::string> ActingRouting::receivers(const TenantId& tenant) const {
  const auto config = dispatch_.config(tenant);
  if (!config) return channels_of(tenant);
  std::vector<std::string> out;
  for (const auto& [name, receiver] : config->receivers) out.push_back(name);
  return out;
}

std::vector<std::string> ActingRouting::receivers_of(const TenantId& tenant, const Labels& seen) const {
  const auto config = dispatch_.config(tenant);
  if (!config) return channels_of(tenant);
  std::vector<std::string> out;
  for (const auto* route : routing::match(config->root, seen)) {
    const auto& name = route->options.receiver;
    if (std::ranges::find(out, name) == out.end()) out.push_back(name);
  }
  return out;
}

api::AlertMutes ActingRouting::mutes(const TenantId& tenant, const Labels& seen) const {
  auto mutes = dispatch_.mutes(tenant, seen, clock_.now());
  return {std::move(mutes.inhibited_by), std::move(mutes.intervals)};
}

std::vector<api::AlertGroup> ActingRouting::groups(const TenantId& tenant,
                                                   const std::vector<alerts::Alert>& alerts) const {
  std::vector<api::AlertGroup> out;
  if (dispatch_.config(tenant)) {
    std::unordered_map<Labels, const alerts::Alert*> asked;
    for (const auto& alert : alerts) asked.emplace(alert.labels, &alert);
    for (auto& group : dispatch_.groups(tenant, clock_.now())) {
      api::AlertGroup seen{std::move(group.labels), std::move(group.receiver), {}};
      for (const auto& labels : group.alerts) {
        if (const auto found = asked.find(labels); found != asked.end()) seen.alerts.push_back(found->second);
      }
      if (!seen.alerts.empty()) out.push_back(std::move(seen));
    }
    std::ranges::stable_sort(out, [](const auto& a, const auto& b) {
      const auto order = a.labels <=> b.labels;
      return order == 0 ? a.receiver < b.receiver : order < 0;
    });
    return out;
  }
  const auto names = channels_of(tenant);
  for (const auto& alert : alerts) {
    for (const auto& name : names) out.push_back({alerts::seen_labels(alert), name, {&alert}});
  }
  std::ranges::stable_sort(out, [](const auto& a, const auto& b) {
    const auto order = a.labels <=> b.labels;
    return order == 0 ? a.receiver < b.receiver : order < 0;
  });
  return out;
}

Duration ActingRouting::resolve_timeout(const TenantId& tenant) const {
  const auto config = dispatch_.config(tenant);
  return config ? config->resolve_timeout : std::chrono::minutes{5};
}

std::string ActingRouting::configuration(const TenantId& tenant) const {
  const auto [text, file] = dispatch_.configuration(tenant);
  return text.empty() ? built_in(tenant) : dispatch::without_secrets(text, "alertmanager.yml");
}

api::ActingRoutes ActingRouting::acting(const TenantId& tenant) const {
  api::ActingRoutes out;
  const auto [text, file] = dispatch_.configuration(tenant);
  if (!text.empty()) {
    // Read again, for what is told but not carried out.
    config::Errors errors;
    out.config = routing::read_config_text(text, file, errors, out.warnings);
    out.origin.file = file;
  }
  out.built_in = out.config == nullptr;
  if (out.built_in) out.config = built_in_tree(tenant);
  if (auto origin = origin_of_(tenant); origin.file == out.origin.file) out.origin = std::move(origin);
  for (const auto& [name, receiver] : out.config->receivers) {
    for (const auto& one : receiver.integrations) {
      const auto id = out.built_in ? name : dispatch::channel_of({name, one.type, one.index});
      const auto channel = channels_.find(tenant, id);
      out.integrations.push_back(
          {name, one.type, channel ? channel->info().target : "", one.send_resolved, one.carried_out, one.place});
    }
  }
  return out;
}

routing::ConfigPtr ActingRouting::built_in_tree(const TenantId& tenant) const {
  std::vector<routing::Receiver> receivers;
  for (const auto& channel : channels_.channels(tenant)) {
    routing::Integration integration;
    integration.type = channel->info().type;
    receivers.push_back({channel->info().id, {std::move(integration)}, {}});
  }
  if (receivers.empty()) return routing::built_in_config({"nobody", {}, {}});
  if (receivers.size() == 1) return routing::built_in_config(std::move(receivers.front()));
  auto out = std::make_shared<routing::Config>(*routing::built_in_config(receivers.front()));
  for (auto& receiver : receivers) {
    routing::Route route;
    route.key = "{}/{}";
    route.id = fmt::format("{}/{}", route.key, out->root.routes.size());
    route.continues = true;
    route.options = out->root.options;
    route.options.receiver = receiver.name;
    out->root.routes.push_back(std::move(route));
    auto name = receiver.name;
    out->receivers.emplace(std::move(name), std::move(receiver));
  }
  return out;
}

/// For clients that draw the tree. Alertmanager knows no interval of 0, so those that never act have its least.
std::string ActingRouting::built_in(const TenantId& tenant) const {
  const auto names = channels_of(tenant);
  std::string routes;
  std::string list;
  for (const auto& name : names) {
    routes += fmt::format("  - receiver: '{}'\n    continue: true\n", name);
    list += fmt::format("- name: '{}'\n", name);
  }
  return fmt::format(
      "# Nothing is configured: every channel hears of every alert and of its changes at once.\n"
      "global:\n  resolve_timeout: {}\nroute:\n  receiver: '{}'\n  group_by: ['...']\n  group_wait: 0s\n"
      "  group_interval: 1ms\n  repeat_interval: 1y\n{}{}receivers:\n{}",
      format_duration(resolve_timeout(tenant)), names.empty() ? "nobody" : names.front(),
      names.size() > 1 ? "  routes:\n" : "", names.size() > 1 ? routes : "", names.empty() ? "- name: nobody\n" : list);
}

}  // namespace atalaya::app
