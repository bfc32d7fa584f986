#include "packages/groups.h"

#include <boost/json.hpp>

#include "packages/project.h"
#include "rules/groups/read_group.h"
#include "schema/validate.h"
#include "telemetry/log.h"

namespace atalaya::packages {
namespace {

namespace json = boost::json;

/// Plain values hold milliseconds; Prometheus' notation has units.
void write_durations(json::object& fields, std::initializer_list<std::string_view> keys) {
  for (const auto key : keys) {
    auto* value = fields.if_contains(key);
    if (value != nullptr && value->is_int64()) *value = format_duration(Duration{value->get_int64()});
  }
}

/// The checked values, read as a rule file is: JSON is YAML.
std::optional<rules::GroupSpec> group_of(const TenantId& tenant, const Item& item) {
  auto fields = item.fields;
  write_durations(fields, {"interval", "query_offset"});
  if (auto* list = fields.if_contains("rules"); list != nullptr && list->is_array()) {
    for (auto& rule : list->get_array()) write_durations(rule.get_object(), {"for", "keep_firing_for"});
  }
  const auto document = config::Document::parse(json::serialize(fields), item.origin.file);
  if (!document) return std::nullopt;
  config::Errors errors;
  auto group = rules::read_group(document->root(),
                                 {tenant, item.origin.file, item.id.substr(0, item.id.find('/')), true, {}}, errors);
  if (!group) return std::nullopt;
  group->origin = item.origin;
  for (auto& rule : group->rules) rule.origin = item.origin;
  return group;
}

}  // namespace

void check_group(const ItemContext& item) {
  rules::ReadGroups options;
  options.tenant = item.tenant;
  options.place_within = [&](const config::Node& scalar, const Place& in_text) {
    return schema::place_within(item.text_of(scalar.place().file), scalar, in_text);
  };
  rules::read_group(item.node, options, item.errors);
}

std::vector<rules::GroupSpec> groups_of(const Service& service, const TenantId& tenant) {
  std::vector<rules::GroupSpec> out;
  for (const auto& found : service.items(tenant, "groups")) {
    if (found.package->specification) continue;
    if (auto group = group_of(tenant, *found.item)) {
      out.push_back(std::move(*group));
    } else {  // check_group found nothing wrong with it
      telemetry::log_error("packages", "a group of rules is not taken", {{"group", found.item->id}});
    }
  }
  return out;
}

}  // namespace atalaya::packages
