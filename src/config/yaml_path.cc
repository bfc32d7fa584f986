#include "config/yaml_path.h"

#include <tuple>

namespace atalaya::config {
namespace {

bool begins_by(const Node& node, const Place& place) {
  const auto begin = node.place();
  return std::tie(begin.line, begin.column) <= std::tie(place.line, place.column);
}

}  // namespace

std::vector<PathStep> path_to(const Document& document, const Place& place) {
  std::vector<PathStep> out;
  if (place.line == 0 || place.file != document.file()) return out;
  const auto* node = &document.root();
  while (node != nullptr) {
    const Node::Entry* entry = nullptr;
    const auto look = [&](const Node::Entry& one) {
      if (one.merged || !begins_by(*one.key, place)) return;
      if (entry == nullptr || entry->key->begin() < one.key->begin()) entry = &one;
    };
    for (const auto& one : node->entries()) look(one);
    for (const auto& one : document.left_out(*node)) look(one);
    if (entry != nullptr) {
      if (!entry->key->is_scalar()) break;
      out.push_back({entry->key->text(), entry->key->place()});
      const bool inside = begins_by(*entry->value, place) && !entry->value->is_alias();
      node = inside ? entry->value : nullptr;
      continue;
    }
    const auto items = node->items();
    std::size_t count = 0;
    while (count < items.size() && begins_by(*items[count], place)) ++count;
    if (count == 0) break;
    node = items[count - 1];
    out.push_back({std::to_string(count - 1), node->place()});
    if (node->is_alias()) break;
  }
  return out;
}

const Node& node_at(const Node& from, const std::vector<std::string>& path) {
  const auto* at = &from;
  for (const auto& part : path) {
    const Node* next = nullptr;
    if (at->is_sequence() && !part.empty() && part.find_first_not_of("0123456789") == std::string::npos) {
      const auto index = std::stoul(part);
      if (index < at->items().size()) next = at->items()[index];
    } else {
      next = at->get(part);
    }
    if (next == nullptr) break;
    at = next;
  }
  return *at;
}

}  // namespace atalaya::config
