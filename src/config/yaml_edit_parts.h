// Pieces that all changes of a YAML text share. Internal to yaml_edit.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/yaml_edit.h"
#include "config/yaml_edit_lines.h"

namespace atalaya::config::edit {

std::string path_text(const YamlPath& path);
std::unexpected<Error> cannot(const Node& node, const YamlPath& path, std::string_view why);
Result<Target> find(const Document& document, const YamlPath& path);
/// Null where the path leads nowhere.
YamlValue* value_at(YamlValue& root, const YamlPath& path);
/// A scalar on one line, in the style of the one before where that can say it.
std::string encode(const YamlValue& scalar, Node::Style style, bool in_flow);
/// An anchor on the way to a path or below it, and where an alias repeats it outside of what stands at the path.
struct Repeated {
  const Node* node;  ///< the anchored one
  std::string anchor;
  std::size_t line;
  std::size_t column;
};
std::optional<Repeated> repeated(const Document& document, const YamlPath& path);
bool is_block_scalar(const Node& node);
/// Does a blank line stand before each entry or item of a block collection but the first? It has two at least.
bool are_parted(const std::string& text, const Node& collection);

}  // namespace atalaya::config::edit
