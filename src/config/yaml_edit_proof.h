// What a changed YAML text must mean. Internal to yaml_edit.
#pragma once

#include <string>

#include "config/yaml.h"
#include "config/yaml_edit.h"
#include "config/yaml_value.h"

namespace atalaya::config::edit {

/// One change of a tree of values.
struct Difference {
  enum class What {
    kValue,    ///< the node at `path` is `value`
    kAdded,    ///< the mapping (list) at `path` has the entries (items) of `value` as well
    kRemoved,  ///< the mapping (list) at `path` has no `name` (item of that number)
    kRenamed,  ///< the key `name` of the mapping at `path` is the text `value`
  };
  What what = What::kValue;
  YamlPath path;
  YamlValue value;
  std::string name;
};

/// Does `after` mean what `before` does, but for the difference? The order of keys does not count.
bool differs_only(const Node& before, const Node& after, const Difference& difference);
/// Tags included.
bool same_meaning(const Node& a, const Node& b);
bool means(const Node& node, const YamlValue& value);

}  // namespace atalaya::config::edit
