#include "app/alert_routing.h"

#include <fmt/format.h>

#include <algorithm>

namespace atalaya::app {

std::vector<std::string> BuiltInRouting::receivers(const TenantId& tenant) const {
  std::vector<std::string> out;
  for (const auto& channel : channels_.list(tenant)) out.push_back(channel.id);
  return out;
}

std::vector<std::string> BuiltInRouting::receivers_of(const TenantId& tenant, const Labels&) const {
  return receivers(tenant);
}

api::AlertMutes BuiltInRouting::mutes(const TenantId&, const Labels&) const { return {}; }

std::vector<api::AlertGroup> BuiltInRouting::groups(const TenantId& tenant,
                                                    const std::vector<alerts::Alert>& alerts) const {
  std::vector<api::AlertGroup> out;
  const auto names = receivers(tenant);
  for (const auto& alert : alerts) {
    for (const auto& name : names) out.push_back({alerts::seen_labels(alert), name, {&alert}});
  }
  std::ranges::stable_sort(out, [](const auto& a, const auto& b) {
    const auto order = a.labels <=> b.labels;
    return order == 0 ? a.receiver < b.receiver : order < 0;
  });
  return out;
}

Duration BuiltInRouting::resolve_timeout(const TenantId&) const { return std::chrono::minutes{5}; }

/// For clients that draw the tree. Alertmanager knows no interval of 0, so those that never act have its least.
std::string BuiltInRouting::configuration(const TenantId& tenant) const {
  const auto names = receivers(tenant);
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
