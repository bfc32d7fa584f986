// OCCI's entities as items of packages, and the other way round.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/yaml_value.h"
#include "occi/world.h"
#include "packages/views.h"

namespace atalaya::api {

/// The sections that hold entities, those of links last; `mixins` holds what users define.
std::vector<std::string> occi_sections(const occi::Model& model);
constexpr std::string_view kOcciMixins = "mixins";

/// Of the package `ondemand` the item's name; of others, whose names may be equal, a UUID made from the item's id.
std::string occi_id(const std::string& package, const std::string& item);
/// Where an item of an earlier section has the same name, and so the id above.
std::string occi_id_beside_another(const std::string& section, const std::string& item);

/// Ids of entities by the ids of their items.
using OcciIds = std::function<std::optional<std::string>(std::string_view item)>;
/// Nothing: its kind is unknown, or a link's end is no entity.
std::optional<occi::Entity> entity_of(const occi::Model& model, const packages::FoundInPackage& found,
                                      const OcciIds& ids);
std::optional<occi::Category> mixin_of(const packages::FoundInPackage& found);

/// What stands in the item, in the order of its form. `item_of`: the item's id of an entity.
config::YamlValue item_of(const occi::Model& model, const occi::Entity& entity,
                          const std::function<std::string(std::string_view id)>& item_of_entity);
config::YamlValue item_of(const occi::Category& mixin);

}  // namespace atalaya::api
