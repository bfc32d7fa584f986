// Which keys lead to a place of a text.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "config/yaml.h"

namespace atalaya::config {

struct PathStep {
  std::string name;  ///< a key, or the number of a list's item
  Place place;       ///< of the key, of the item
};

/// From the root down to what begins at the place or holds it. Keys that stand twice are on the way as well; a key
/// that is no text ends the way above it. Empty for a place before everything, or in another file.
std::vector<PathStep> path_to(const Document& document, const Place& place);

/// Where keys (and numbers of lists' items) lead from a node; the nearest above where that is not written.
const Node& node_at(const Node& from, const std::vector<std::string>& path);

}  // namespace atalaya::config
