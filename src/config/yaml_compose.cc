#include "config/yaml_compose.h"

#include <fmt/format.h>

#include <unordered_map>

#include "config/yaml_storage.h"

namespace atalaya::config {

/// Makes only the nodes that differ; what stays the same is shared with its document. Used once.
/// Thread-compatible.
class YamlComposer {
 public:
  YamlComposer(const Document& from, const YamlLimits& limits)
      : storage_(std::make_shared<Document::Storage>()), limits_(limits) {
    storage_->file = from.file();
    storage_->sources.push_back(from.storage_);
  }

  void keep(const Document& document) { storage_->sources.push_back(document.storage_); }

  Result<const Node*> overlay(const Node& base, const Node& over) {
    if (!base.is_mapping() || !over.is_mapping()) return &over;
    AT_TRY(auto* made, copy(base));
    made->entries_.clear();
    made->weight_ = 1;
    std::unordered_map<std::string_view, const Node*> wanted;
    for (const auto& entry : over.entries()) wanted.emplace(entry.key->text(), entry.value);
    for (const auto& entry : base.entries()) {
      const auto found = wanted.find(entry.key->text());
      if (found == wanted.end()) {
        put(*made, entry.key, entry.value, entry.merged);
        continue;
      }
      AT_TRY(const auto* value, overlay(*entry.value, *found->second));
      put(*made, entry.key, value, false);
      wanted.erase(found);
    }
    for (const auto& entry : over.entries()) {
      if (wanted.contains(entry.key->text())) put(*made, entry.key, entry.value, entry.merged);
    }
    AT_TRY(within_limits(*made));
    return made;
  }

  /// The node itself where nothing in it is replaced.
  Result<const Node*> substitute(const Node& node, const Substitute& value_of) {
    if (node.is_scalar()) {
      const auto value = value_of(node);
      if (!value) return &node;
      return from_value(*value, node);
    }
    if (node.is_sequence()) return substitute_items(node, value_of);
    return substitute_entries(node, value_of);
  }

  Result<const Node*> without(const Node& mapping, std::string_view key) {
    AT_TRY(auto* made, copy(mapping));
    made->entries_.clear();
    made->weight_ = 1;
    for (const auto& entry : mapping.entries()) {
      if (entry.key->text() != key) put(*made, entry.key, entry.value, entry.merged);
    }
    return made;
  }

  Result<const Node*> replace_entry(const Node& mapping, std::string_view key, const Node& value) {
    AT_TRY(auto* made, copy(mapping));
    made->entries_.clear();
    made->weight_ = 1;
    for (const auto& entry : mapping.entries()) {
      const bool it = entry.key->text() == key;
      put(*made, entry.key, it ? &value : entry.value, it ? false : entry.merged);
    }
    AT_TRY(within_limits(*made));
    return made;
  }

  Document finish(const Node* root) { return Document(storage_, root); }

 private:
  Result<Node*> copy(const Node& node) {
    if (storage_->nodes.size() >= limits_.nodes) {
      return fail(ErrorCode::kTooLarge, node.place(), fmt::format("more than {} values", limits_.nodes),
                  "use fewer aliases and links");
    }
    auto& made = storage_->nodes.emplace_back(node);
    return &made;
  }

  static void put(Node& made, const Node* key, const Node* value, bool merged) {
    made.entries_.push_back({key, value, merged});
    made.weight_ += key->weight_ + value->weight_;
  }

  Status within_limits(const Node& made) const {
    if (made.weight_ <= limits_.nodes) return {};
    return fail(ErrorCode::kTooLarge, made.place(), fmt::format("more than {} values", limits_.nodes),
                "use fewer aliases and links");
  }

  Result<const Node*> substitute_items(const Node& node, const Substitute& value_of) {
    std::vector<const Node*> items;
    bool changed = false;
    for (const auto* item : node.items()) {
      AT_TRY(const auto* made, substitute(*item, value_of));
      changed = changed || made != item;
      items.push_back(made);
    }
    if (!changed) return &node;
    AT_TRY(auto* made, copy(node));
    made->items_ = std::move(items);
    made->weight_ = 1;
    for (const auto* item : made->items_) made->weight_ += item->weight_;
    AT_TRY(within_limits(*made));
    return made;
  }

  Result<const Node*> substitute_entries(const Node& node, const Substitute& value_of) {
    std::vector<Node::Entry> entries;
    bool changed = false;
    for (const auto& entry : node.entries()) {
      AT_TRY(const auto* key, substitute(*entry.key, value_of));
      if (!key->is_scalar()) {
        return fail(ErrorCode::kInvalidArgument, entry.key->place(), "a key must be a text, not " + describe(*key));
      }
      AT_TRY(const auto* value, substitute(*entry.value, value_of));
      changed = changed || key != entry.key || value != entry.value;
      entries.push_back({key, value, entry.merged});
    }
    if (!changed) return &node;
    AT_TRY(auto* made, copy(node));
    made->entries_.clear();
    made->weight_ = 1;
    for (const auto& entry : entries) {
      if (made->get(entry.key->text()) != nullptr) {
        return fail(ErrorCode::kInvalidArgument, entry.key->place(),
                    fmt::format("with its values filled in, the key \"{}\" stands here twice", entry.key->text()),
                    "give the two different names");
      }
      put(*made, entry.key, entry.value, entry.merged);
    }
    AT_TRY(within_limits(*made));
    return made;
  }

  Result<const Node*> from_value(const YamlValue& value, const Node& at) {
    AT_TRY(auto* made, copy(at));
    made->tag_ = value.tag;
    made->items_.clear();
    made->entries_.clear();
    made->text_.clear();
    made->weight_ = 1;
    switch (value.kind) {
      case YamlValue::Kind::kText:
      case YamlValue::Kind::kToken:
        made->kind_ = Node::Kind::kScalar;
        made->text_ = value.scalar;
        made->weight_ += made->text_.size() / 32;
        made->style_ = value.kind == YamlValue::Kind::kText ? Node::Style::kDoubleQuoted : Node::Style::kPlain;
        break;
      case YamlValue::Kind::kList:
        made->kind_ = Node::Kind::kSequence;
        made->style_ = Node::Style::kFlow;
        for (const auto& item : value.items) {
          AT_TRY(const auto* child, from_value(item, at));
          made->items_.push_back(child);
          made->weight_ += child->weight_;
        }
        break;
      case YamlValue::Kind::kMap:
        made->kind_ = Node::Kind::kMapping;
        made->style_ = Node::Style::kFlow;
        for (const auto& [key, entry] : value.entries) {
          AT_TRY(const auto* name, from_value(YamlValue(key), at));
          AT_TRY(const auto* child, from_value(entry, at));
          put(*made, name, child, false);
        }
        break;
    }
    AT_TRY(within_limits(*made));
    return made;
  }

  const std::shared_ptr<Document::Storage> storage_;
  const YamlLimits limits_;
};

Result<Document> overlay(const Document& base, const Node& base_node, const Document& over, const Node& over_node,
                         const YamlLimits& limits) {
  YamlComposer composer(base, limits);
  composer.keep(over);
  AT_TRY(const auto* root, composer.overlay(base_node, over_node));
  return composer.finish(root);
}

Result<Document> without(const Document& document, const Node& mapping, std::string_view key,
                         const YamlLimits& limits) {
  YamlComposer composer(document, limits);
  AT_TRY(const auto* root, composer.without(mapping, key));
  return composer.finish(root);
}

Result<Document> replace_entry(const Document& document, const Node& mapping, std::string_view key,
                               const Document& from, const Node& value, const YamlLimits& limits) {
  YamlComposer composer(document, limits);
  composer.keep(from);
  AT_TRY(const auto* root, composer.replace_entry(mapping, key, value));
  return composer.finish(root);
}

Document part_of(const Document& document, const Node& node) { return YamlComposer(document, {}).finish(&node); }

Result<Document> substitute(const Document& document, const Node& node, const Substitute& value_of,
                            const YamlLimits& limits) {
  YamlComposer composer(document, limits);
  AT_TRY(const auto* root, composer.substitute(node, value_of));
  return composer.finish(root);
}

}  // namespace atalaya::config
