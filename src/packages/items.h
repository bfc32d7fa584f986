// From one item of a section to what it declares; inside this library only.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "config/reader.h"
#include "config/yaml.h"
#include "packages/package.h"
#include "packages/sections.h"

namespace atalaya::packages {

/// Where an item stands.
struct ItemContext {
  const config::Document& document;
  TenantId tenant;
  std::string id;
  std::string name;  ///< the last part of the id
  const config::Node& node;
  config::Errors& errors;
};

/// The one key of the item that says its type, with its fields and the section's as JSON; nullopt
/// after errors.
struct ItemParts {
  std::string type;
  const config::Node* type_node = nullptr;
  boost::json::object type_fields;
  boost::json::object fields;
};
std::optional<ItemParts> read_parts(const ItemContext& item, const Section& section,
                                    const std::set<std::string>& more_types);

/// Each adds errors and gives nothing when the item does not hold.
std::optional<rules::RuleSpec> make_rule(const ItemContext& item, const ItemParts& parts);
std::optional<CollectorItem> make_collector(const ItemContext& item, const ItemParts& parts);
std::optional<ChannelItem> make_channel(const ItemContext& item, const ItemParts& parts);

}  // namespace atalaya::packages
