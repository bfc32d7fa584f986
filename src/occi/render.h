// Categories and entities in the four renderings.
#pragma once

#include <boost/json/object.hpp>

#include <string>
#include <vector>

#include "occi/text.h"
#include "occi/world.h"

namespace atalaya::occi {

/// Where OCCI is served: locations within one answer are paths, those of collections absolute.
struct Addresses {
  std::string origin;  ///< "https://host:2001"; "" : paths alone
  std::string prefix;  ///< "/occi"
};

std::string path_of(const Category& category, const Addresses& addresses);
/// Below the location of its kind.
std::string path_of(const World& world, const Entity& entity, const Addresses& addresses);

/// What discovery says of a category. Not `whole`: what an entity says of it.
CategoryLine line_of(const Model& model, const Category& category, const Addresses& addresses, bool whole);
TextMessage message_of(const World& world, const Entity& entity, const Sight& sight, const Addresses& addresses);

boost::json::object to_json(const Model& model, const Category& category, const Addresses& addresses);
/// `{"kinds":[…],"mixins":[…],"actions":[…]}`
boost::json::object to_json(const Model& model, const std::vector<const Category*>& categories,
                            const Addresses& addresses);
/// With the links that lead from it.
boost::json::object to_json(const World& world, const Entity& entity, const Sight& sight, const Addresses& addresses);
/// `{"resources":[…],"links":[…]}`; what is empty is left out.
boost::json::object to_json(const World& world, const std::vector<const Entity*>& entities, const Sight& sight,
                            const Addresses& addresses);

}  // namespace atalaya::occi
