#include <boost/json.hpp>

#include <algorithm>
#include <array>

#include "base/time.h"
#include "packages/alertmanager.h"

namespace atalaya::packages {
namespace {

namespace json = boost::json;

/// Plain values hold milliseconds; Alertmanager's notation has units.
void write_durations(json::value& value) {
  constexpr std::array<std::string_view, 4> kKeys{"group_wait", "group_interval", "repeat_interval", "resolve_timeout"};
  if (auto* list = value.if_array()) {
    for (auto& item : *list) write_durations(item);
  } else if (auto* object = value.if_object()) {
    for (auto& [key, item] : *object) {
      if (item.is_int64() && std::ranges::find(kKeys, std::string_view(key)) != kKeys.end()) {
        item = format_duration(Duration{item.get_int64()});
      } else {
        write_durations(item);
      }
    }
  }
}

}  // namespace

std::vector<AlertmanagerSection> alertmanager_sections(const Service& service, const TenantId& tenant) {
  std::vector<AlertmanagerSection> out;
  for (const auto& found : service.items(tenant, "alertmanager")) {
    if (found.package->specification) continue;
    json::value fields = found.item->fields;
    write_durations(fields);
    // JSON is YAML.
    out.push_back({found.package->name, found.item->origin.file, json::serialize(fields)});
  }
  std::ranges::sort(out, {}, &AlertmanagerSection::package);
  return out;
}

}  // namespace atalaya::packages
