// Items as they are in force: own text over links, values filled in, others' overrides on top.

#include <fmt/format.h>

#include <algorithm>

#include "config/suggest.h"
#include "config/yaml_compose.h"
#include "packages/composer.h"

namespace atalaya::packages {
namespace {

using config::Errors;
using config::Node;
using config::YamlValue;

std::vector<std::string> split(const std::string& id) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= id.size();) {
    const auto end = std::min(id.find('/', at), id.size());
    parts.push_back(id.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

}  // namespace

std::optional<YamlValue> fill_in(const Node& scalar, const std::map<std::string, YamlValue>& values, Errors* errors) {
  const auto& text = scalar.text();
  if (text.find("${") == std::string::npos) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (text.compare(i, 3, "$${") == 0) {
      out += "${";
      i += 3;
      continue;
    }
    if (text.compare(i, 2, "${") != 0) {
      out += text[i++];
      continue;
    }
    auto end = i + 2;
    while (end < text.size() && is_name_character(text[end])) ++end;
    const auto name = text.substr(i + 2, end - i - 2);
    const auto found = values.find(name);
    if (end == text.size() || text[end] != '}' || found == values.end()) {
      if (errors != nullptr) {
        std::vector<std::string> names;
        for (const auto& [known, value] : values) names.push_back(known);
        auto remedy = config::suggestion(name, names);
        errors->push_back({ErrorCode::kInvalidArgument, fmt::format("there is no parameter \"{}\"", name),
                           scalar.place(),
                           remedy.empty() ? "declare it under parameters:, or write $${ for the characters themselves"
                                          : std::move(remedy)});
      }
      return std::nullopt;
    }
    if (i == 0 && end + 1 == text.size()) return found->second;
    const auto& value = found->second;
    if (value.kind == YamlValue::Kind::kList || value.kind == YamlValue::Kind::kMap) {
      if (errors != nullptr) {
        errors->push_back({ErrorCode::kInvalidArgument,
                           fmt::format("the parameter \"{}\" holds several values and stands within a text", name),
                           scalar.place(), "let it be the whole value: ${" + name + "}"});
      }
      return std::nullopt;
    }
    out += value.scalar;
    i = end + 1;
  }
  // A plain scalar stays one: `${port}0` may be meant as a number.
  if (scalar.style() == Node::Style::kPlain && !config::is_plain_text(out)) {
    YamlValue token;
    token.scalar = std::move(out);
    return token;
  }
  return YamlValue(std::move(out));
}

/// Does it use a parameter that does not hold itself?
bool Composer::is_unjudged(const Node& node) const {
  if (context_.unjudged.empty()) return false;
  for (const auto& entry : node.entries()) {
    if (is_unjudged(*entry.key) || is_unjudged(*entry.value)) return true;
  }
  for (const auto* item : node.items()) {
    if (is_unjudged(*item)) return true;
  }
  return std::any_of(context_.unjudged.begin(), context_.unjudged.end(), [&](const auto& name) {
    return node.is_scalar() && node.text().find("${" + name + "}") != std::string::npos;
  });
}

std::optional<Linked> Composer::filled(Linked from, Errors& errors) const {
  if (context_.values == nullptr) return from;
  if (is_unjudged(*from.node)) return std::nullopt;
  const auto before = errors.size();
  auto made = config::substitute(from.document, *from.node,
                                 [&](const Node& scalar) { return fill_in(scalar, *context_.values, &errors); });
  if (!made) {
    errors.push_back(std::move(made).error());
    return std::nullopt;
  }
  if (errors.size() != before) return std::nullopt;
  const auto* root = &made->root();
  return Linked{std::move(*made), root};
}

std::optional<std::string> Composer::key_text(const Node& key, Errors& errors) const {
  if (context_.values == nullptr) return key.text();
  if (is_unjudged(key)) return std::nullopt;
  const auto before = errors.size();
  const auto value = fill_in(key, *context_.values, &errors);
  if (errors.size() != before) return std::nullopt;
  return value ? value->scalar : key.text();
}

std::optional<Linked> Composer::find(const PackageTree& tree, const schema::Section& section,
                                     const std::vector<std::string>& path, Errors& errors,
                                     const std::map<std::string, YamlValue>* values) {
  const auto is_called = [&](const Node& key, const std::string& name) {
    if (values == nullptr) return key.text() == name;
    const auto filled = fill_in(key, *values, nullptr);
    return (filled ? filled->scalar : key.text()) == name;
  };
  for (const auto& part : tree.parts()) {
    if (part.section != section.name) continue;
    Linked at{part.document, part.value};
    bool found = true;
    for (std::size_t level = 0; found && level < path.size(); ++level) {
      if (section.shape == schema::Shape::kList) {
        found = false;
        for (const auto* item : at.node->items()) {
          const auto* key = item->get(section.indexes.back().name);
          if (key == nullptr || !is_called(*key, path[level])) continue;
          at.node = item;
          found = true;
          break;
        }
        continue;
      }
      auto followed = at.node->is_mapping() ? tree.follow(at, errors) : std::nullopt;
      const auto* next = followed ? followed->node->get(path[level]) : nullptr;
      if (followed && next == nullptr && values != nullptr) {
        for (const auto& entry : followed->node->entries()) {
          if (is_called(*entry.key, path[level])) next = entry.value;
        }
      }
      found = next != nullptr;
      if (found) at = {followed->document, next};
    }
    if (found) return at;
  }
  return std::nullopt;
}

namespace {

/// Items that may have been meant: those of the innermost group that is there, and of its neighbours.
std::vector<std::string> ids_like(const PackageTree& tree, const std::string& package, const schema::Section& section,
                                  std::vector<std::string> path,
                                  const std::map<std::string, YamlValue>* values = nullptr) {
  std::vector<std::string> out;
  Errors ignored;
  const auto name = path.back();
  path.pop_back();
  for (; out.empty(); path.pop_back()) {
    const auto group = Composer::find(tree, section, path, ignored, values);
    if (group && group->node->is_mapping()) {
      for (const auto& entry : group->node->entries()) {
        auto id = fmt::format("{}/{}", package, fmt::join(path, "/"));
        if (!path.empty()) id += "/";
        const auto filled = values == nullptr ? std::nullopt : fill_in(*entry.key, *values, nullptr);
        id += filled ? filled->scalar : entry.key->text();
        for (auto level = path.size() + 1; level < section.indexes.size(); ++level) id += "/" + name;
        out.push_back(std::move(id));
      }
    }
    if (path.empty()) break;
  }
  return out;
}

}  // namespace

std::optional<Linked> Composer::link_target(const Node& link, const schema::Section& section, int depth,
                                            Errors& errors) const {
  const auto complain = [&](std::string message, std::string remedy) {
    errors.push_back({ErrorCode::kInvalidArgument, std::move(message), link.place(), std::move(remedy)});
    return std::nullopt;
  };
  if (!config::is_text(link)) {
    return complain("a link names a file of the package, or an item", "e.g. rules/disk.yaml or host/disk/filling");
  }
  if (depth > 8) return complain("this link leads back to itself", "remove one of the links");
  auto parts = split(link.text());
  const auto package = parts.front();
  const auto* tree = package == tree_.name() ? &tree_ : context_.tree_of ? context_.tree_of(package) : nullptr;
  if (link.text().starts_with('/') || package == "." || package == "..") {
    return complain(fmt::format("\"{}\" leads out of the package", link.text()),
                    "link to a file of this package, e.g. rules/disk.yaml, or to an item, e.g. host/disk/filling");
  }
  if (tree == nullptr) {
    return complain(fmt::format("there is no package \"{}\"", package), "an item is named as package/group/name");
  }
  parts.erase(parts.begin());
  if (parts.size() != section.indexes.size()) {
    return complain(fmt::format("\"{}\" is no {}", link.text(), section.item),
                    "an item is named as package/group/name");
  }
  auto target = find(*tree, section, parts, errors);
  if (!target) {
    return complain(fmt::format("there is no {} \"{}\"", section.item, link.text()),
                    config::suggestion(link.text(), ids_like(*tree, tree->name(), section, parts)));
  }
  return resolved(*tree, std::move(*target), section, depth + 1, errors);
}

/// Links of the item itself: to files, then to another item.
std::optional<Linked> Composer::resolved(const PackageTree& tree, Linked item, const schema::Section& section,
                                         int depth, Errors& errors) const {
  if (!item.node->is_mapping()) return item;
  auto own = tree.follow(std::move(item), errors);
  if (!own) return std::nullopt;
  const auto* link = own->node->get("link");
  if (link == nullptr || (section.body && std::any_of(section.body->fields.begin(), section.body->fields.end(),
                                                      [](const auto& field) { return field.name == "link"; }))) {
    return own;
  }
  auto target = link_target(*link, section, depth, errors);
  if (!target) return std::nullopt;
  auto rest = config::without(own->document, *own->node, "link");
  if (rest) rest = config::overlay(target->document, *target->node, *rest, rest->root());
  if (!rest) {
    errors.push_back(std::move(rest).error());
    return std::nullopt;
  }
  const auto* root = &rest->root();
  return Linked{std::move(*rest), root};
}

std::optional<ComposedItem> Composer::compose(Linked item, const schema::Section& section,
                                              const std::vector<std::string>& path, Errors& errors) {
  const auto* written = item.node;
  std::vector<std::string> overridden_by;
  auto tree = resolved(tree_, std::move(item), section, 0, errors);
  if (tree) tree = filled(std::move(*tree), errors);
  if (!tree) return std::nullopt;
  for (const auto& override : context_.overrides) {
    const auto* node = override.document.root().get(section.name);
    for (const auto& name : path) node = node == nullptr ? nullptr : node->get(name);
    if (node == nullptr || node->is_null()) continue;
    used_.insert(node);
    // What others lay on an instance's items may name its values as the items do.
    auto over = filled({override.document, node}, errors);
    if (!over) return std::nullopt;
    auto laid = config::overlay(tree->document, *tree->node, over->document, *over->node);
    if (!laid) {
      errors.push_back(std::move(laid).error());
      return std::nullopt;
    }
    const auto* root = &laid->root();
    tree = Linked{std::move(*laid), root};
    const auto& by = overridden_by;
    if (std::find(by.begin(), by.end(), override.by) == by.end()) overridden_by.push_back(override.by);
  }
  return ComposedItem{std::move(*tree), written, std::move(overridden_by)};
}

std::unexpected<Error> no_section(const schema::SchemaSet& schemas, const std::string& section) {
  std::vector<std::string> names;
  for (const auto* one : schemas.sections()) names.push_back(one->name);
  return fail(ErrorCode::kNotFound, fmt::format("there is no section \"{}\"", section),
              config::suggestion(section, names));
}

namespace {

/// `group`: what stands there where the path is that of a group.
std::unexpected<Error> no_item(const PackageTree& tree, const std::string& package, const schema::Section& section,
                               const std::vector<std::string>& path, const Node* group,
                               const std::map<std::string, YamlValue>* values) {
  const auto id = path.empty() ? package : fmt::format("{}/{}", package, fmt::join(path, "/"));
  const auto levels = section.shape == schema::Shape::kDocument ? 0 : section.indexes.size();
  std::vector<std::string> names;
  for (const auto& index : section.indexes) names.push_back(index.name);
  const auto form = levels == 0 ? fmt::format("{} is one item, without a path", section.name)
                                : fmt::format("it is named as {}/{}", package, fmt::join(names, "/"));
  if (path.size() < levels && path.empty()) {
    return fail(ErrorCode::kNotFound,
                fmt::format("{} of {} is a section, not one {}", section.name, package, section.item), form);
  }
  if (path.size() < levels && group != nullptr && group->is_mapping() && !group->entries().empty()) {
    return fail(ErrorCode::kNotFound, fmt::format("{} is a group, no {}", id, section.item),
                fmt::format("name what stands in it, such as {}/{}", id, group->entries().front().key->text()));
  }
  const auto near = levels > 0 && path.size() == levels
                        ? config::suggestion(id, ids_like(tree, package, section, path, values))
                        : std::string();
  return fail(ErrorCode::kNotFound, fmt::format("there is no {} {}", section.item, id), near.empty() ? form : near);
}

}  // namespace

Result<ComposedItem> compose_item(const PackageTree& tree, const LoadContext& context, const std::string& section,
                                  const std::vector<std::string>& path) {
  const auto* known = context.schemas->section(section);
  if (known == nullptr) return no_section(*context.schemas, section);
  Errors errors;
  auto found = Composer::find(tree, *known, path, errors, context.values);
  if (!found || path.size() != (known->shape == schema::Shape::kDocument ? 0 : known->indexes.size())) {
    if (!errors.empty()) return std::unexpected(std::move(errors.front()));
    return no_item(tree, context.name, *known, path, found ? found->node : nullptr, context.values);
  }
  Composer composer(tree, context);
  auto composed = composer.compose(std::move(*found), *known, path, errors);
  if (!composed && errors.empty()) {
    return fail(ErrorCode::kUnprocessable, "a parameter that it uses does not hold", "mend it under parameters: first");
  }
  if (!composed) return std::unexpected(std::move(errors.front()));
  return std::move(*composed);
}

}  // namespace atalaya::packages
