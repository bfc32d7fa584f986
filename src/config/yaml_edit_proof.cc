#include "config/yaml_edit_proof.h"

#include <algorithm>

namespace atalaya::config::edit {
namespace {

using What = Difference::What;

/// Mappings are compared in order of writing as long as it is the same: a file of thousands of keys would take
/// the square of them otherwise.
const Node::Entry* entry_of(const Node& mapping, std::string_view key, std::size_t expected_at) {
  const auto entries = mapping.entries();
  if (expected_at < entries.size() && entries[expected_at].key->text() == key) return &entries[expected_at];
  for (const auto& entry : entries) {
    if (entry.key->text() == key) return &entry;
  }
  return nullptr;
}

bool same_scalar(const Node& a, const Node& b) {
  if (a.is_null() || b.is_null()) return a.is_null() == b.is_null();
  return is_text(a) == is_text(b) && a.text() == b.text();
}

bool is_empty(const Node& node) {
  return node.is_null() || (!node.is_scalar() && node.items().empty() && node.entries().empty());
}

bool entries_differ_only(const Node& before, const Node& after, const Difference& difference) {
  const auto& [what, path, value, name] = difference;
  std::size_t expected = before.entries().size();
  if (what == What::kAdded) expected += value.entries.size();
  if (what == What::kRemoved) --expected;
  if (!after.is_mapping() || after.entries().size() != expected) return false;
  std::size_t index = 0;
  for (const auto& entry : before.entries()) {
    const auto& key = entry.key->text();
    if (what == What::kRemoved && key == name) continue;
    const auto* now = entry_of(after, what == What::kRenamed && key == name ? value.scalar : key, index++);
    if (!now || !same_meaning(*entry.value, *now->value)) return false;
  }
  if (what != What::kAdded) return true;
  return std::all_of(value.entries.begin(), value.entries.end(), [&](const auto& added) {
    const auto* now = entry_of(after, added.first, index++);
    return now && means(*now->value, added.second);
  });
}

bool items_differ_only(const Node& before, const Node& after, const Difference& difference) {
  const auto& [what, path, value, name] = difference;
  std::size_t expected = before.items().size();
  if (what == What::kAdded) expected += value.items.size();
  if (what == What::kRemoved) --expected;
  if (!after.is_sequence() || after.items().size() != expected) return false;
  std::size_t index = 0;
  for (std::size_t i = 0; i < before.items().size(); ++i) {
    if (what == What::kRemoved && std::to_string(i) == name) continue;
    if (!same_meaning(*before.items()[i], *after.items()[index++])) return false;
  }
  if (what != What::kAdded) return true;
  return std::all_of(value.items.begin(), value.items.end(),
                     [&](const auto& added) { return means(*after.items()[index++], added); });
}

bool differs_from(const Node& before, const Node& after, const Difference& difference, std::size_t depth) {
  if (depth == difference.path.size()) {
    if (difference.what == What::kValue) return means(after, difference.value);
    if (before.tag() != after.tag()) return false;
    if (difference.what == What::kAdded && is_empty(before)) {
      auto value = difference.value;
      value.tag = before.tag();
      return means(after, value);
    }
    return before.is_mapping() ? entries_differ_only(before, after, difference)
                               : before.is_sequence() && items_differ_only(before, after, difference);
  }
  const auto& part = difference.path[depth];
  if (before.kind() != after.kind() || before.tag() != after.tag() ||
      before.entries().size() != after.entries().size() || before.items().size() != after.items().size()) {
    return false;
  }
  for (std::size_t i = 0; i < before.entries().size(); ++i) {
    const auto& entry = before.entries()[i];
    const auto* now = entry_of(after, entry.key->text(), i);
    if (!now) return false;
    const bool on_the_way = entry.key->text() == part;
    if (on_the_way ? !differs_from(*entry.value, *now->value, difference, depth + 1)
                   : !same_meaning(*entry.value, *now->value)) {
      return false;
    }
  }
  for (std::size_t i = 0; i < before.items().size(); ++i) {
    const bool on_the_way = std::to_string(i) == part;
    if (on_the_way ? !differs_from(*before.items()[i], *after.items()[i], difference, depth + 1)
                   : !same_meaning(*before.items()[i], *after.items()[i])) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool same_meaning(const Node& a, const Node& b) {
  if (a.kind() != b.kind() || a.tag() != b.tag() || a.entries().size() != b.entries().size() ||
      a.items().size() != b.items().size()) {
    return false;
  }
  if (a.is_scalar()) return same_scalar(a, b);
  for (std::size_t i = 0; i < a.items().size(); ++i) {
    if (!same_meaning(*a.items()[i], *b.items()[i])) return false;
  }
  for (std::size_t i = 0; i < a.entries().size(); ++i) {
    const auto* other = entry_of(b, a.entries()[i].key->text(), i);
    if (!other || !same_meaning(*a.entries()[i].value, *other->value)) return false;
  }
  return true;
}

bool means(const Node& node, const YamlValue& value) { return value_of(node) == value; }

bool differs_only(const Node& before, const Node& after, const Difference& difference) {
  return differs_from(before, after, difference, 0);
}

}  // namespace atalaya::config::edit
