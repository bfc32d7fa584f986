#include "packages/incidents.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "packages/project.h"
#include "routing/matchers.h"

namespace atalaya::packages {
namespace {

namespace json = boost::json;

std::vector<std::string> texts_of(const json::object& fields, std::string_view key) {
  std::vector<std::string> out;
  const auto* value = fields.if_contains(key);
  if (value == nullptr) return out;
  if (value->is_string()) out.emplace_back(value->get_string());
  if (value->is_array()) {
    for (const auto& one : value->get_array()) {
      if (one.is_string()) out.emplace_back(one.get_string());
    }
  }
  return out;
}

Duration duration_of(const json::object& fields, std::string_view key, Duration fallback) {
  const auto* value = fields.if_contains(key);
  return value != nullptr && value->is_int64() ? Duration{value->get_int64()} : fallback;
}

Result<incidents::Policy> policy_of(const std::string& name, const json::object& fields) {
  incidents::Policy out;
  out.name = name;
  for (const auto& text : texts_of(fields, "matchers")) {
    AT_TRY(auto matchers, routing::parse_matchers(text));
    out.matchers.insert(out.matchers.end(), matchers.begin(), matchers.end());
  }
  out.labels = texts_of(fields, "group_by");
  out.window = duration_of(fields, "window", out.window);
  out.reopen = duration_of(fields, "reopen", out.reopen);
  return out;
}

}  // namespace

void check_incident_policy(const ItemContext& item) {
  const auto policy = policy_of(item.id, item.fields);
  if (policy) return;
  const auto* node = item.node.get("matchers");
  item.errors.push_back({ErrorCode::kInvalidArgument,
                         fmt::format("incident policy {}: {}", item.name, policy.error().message),
                         (node != nullptr ? *node : item.node).place(), "write matchers such as team=\"dba\""});
}

incidents::Settings incident_settings(const Service& service, const registry::Items& items, const TenantId& tenant) {
  incidents::Settings out;
  for (const auto& found : service.items(tenant, "incidents")) {
    if (found.package->specification) continue;
    auto policy = policy_of(found.item->id, found.item->fields);
    if (policy) out.policies.push_back(std::move(*policy));  // check_incident_policy refused the others
  }
  std::ranges::sort(out.policies, {}, &incidents::Policy::name);
  for (const auto& rule : service.rules()) {
    if (rule.tenant != tenant || (rule.correlate_labels.empty() && rule.correlate_alerts.empty())) continue;
    out.rules[rule.id] = {rule.correlate_labels, {rule.correlate_alerts.begin(), rule.correlate_alerts.end()}};
  }
  std::set<std::string> known;
  for (const auto kind : {"rules", "collectors", "sensors", "scrape_configs"}) {
    for (auto& item : items.list(tenant, kind)) {
      if (item.links.empty()) continue;
      known.insert(item.id);
      known.insert(item.links.begin(), item.links.end());
      out.depends[item.id] = std::move(item.links);
    }
  }
  if (known.empty()) return out;
  for (const auto& host : items.list(tenant, registry::kHosts)) {
    if (!host.links.empty()) out.placed[host.id];  // one without any is just coming
    for (const auto& collector : host.links) {
      if (known.contains(collector)) out.placed[host.id].insert(collector);
    }
  }
  return out;
}

}  // namespace atalaya::packages
