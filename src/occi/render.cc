#include "occi/render.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace atalaya::occi {
namespace {

namespace json = boost::json;

json::value to_json(const Value& value) {
  // Whole amounts are written as people write them: 2, not 2E0.
  const auto* number = std::get_if<double>(&value);
  if (number != nullptr && std::nearbyint(*number) == *number && std::fabs(*number) < 9e15)
    return static_cast<std::int64_t>(*number);
  return std::visit([](const auto& one) { return json::value(one); }, value);
}

json::array to_json(const std::vector<std::string>& list) { return json::array(list.begin(), list.end()); }

/// Core attributes first, in their usual order, then by name; links' ends as addresses.
AttributeList in_order(const World& world, const Entity& entity, const Sight& sight, const Addresses& addresses) {
  auto shown = world.visible(entity, sight);
  AttributeList out;
  for (const auto name : {kId, kTitle, kSummary, kTarget, kSource}) {
    const auto at = shown.find(name);
    if (at == shown.end()) continue;
    const bool is_end = (name == kTarget || name == kSource) && world.model().is_link(entity.kind);
    const auto* end = is_end ? world.find(text_of(at->second)) : nullptr;
    out.emplace_back(std::string(name), end == nullptr ? at->second : Value(path_of(world, *end, addresses)));
    shown.erase(at);
  }
  for (auto& [name, value] : shown) out.emplace_back(name, std::move(value));
  return out;
}

std::vector<std::string> categories_of(const Entity& entity) {
  std::vector<std::string> out{entity.kind};
  out.insert(out.end(), entity.mixins.begin(), entity.mixins.end());
  return out;
}

LinkLine line_of(const World& world, const Entity& link, const Sight& sight, const Addresses& addresses) {
  LinkLine out;
  const auto* target = world.find(link.text(kTarget));
  if (target != nullptr) {
    out.target = path_of(world, *target, addresses);
    out.rel.push_back(target->kind);
  }
  out.self = path_of(world, link, addresses);
  out.categories = categories_of(link);
  out.attributes = in_order(world, link, sight, addresses);
  return out;
}

/// The category of which nothing is known but its id.
CategoryLine unknown_mixin(const std::string& id) {
  CategoryLine out;
  const auto mark = id.rfind('#');
  out.scheme = mark == std::string::npos ? "" : id.substr(0, mark + 1);
  out.term = mark == std::string::npos ? id : id.substr(mark + 1);
  // Packages may name anything; what is no term does not become more than one here.
  if (out.scheme.empty()) out.scheme = "#";
  for (auto& c : out.term) {
    if (!is_attribute_name(std::string("a") + c)) c = '-';
  }
  out.cls = "mixin";
  return out;
}

json::object attributes_json(const std::vector<Attribute>& attributes) {
  json::object out;
  for (const auto& attribute : attributes) {
    json::object one{
        {"type", name(attribute.type)}, {"mutable", attribute.mutable_by_client()}, {"required", attribute.required}};
    if (attribute.fallback) one["default"] = to_json(*attribute.fallback);
    if (!attribute.help.empty()) one["description"] = attribute.help;
    if (!attribute.pattern.empty()) one["pattern"] = attribute.pattern;
    out[attribute.name] = std::move(one);
  }
  return out;
}

json::object end_json(const World& world, const Entity& link, std::string_view name, const Addresses& addresses) {
  const auto* end = world.find(link.text(name));
  if (end == nullptr) return {{"location", link.text(name)}};
  return {{"kind", end->kind}, {"location", path_of(world, *end, addresses)}};
}

json::object one_json(const World& world, const Entity& entity, const Sight& sight, const Addresses& addresses) {
  json::object out{{"kind", entity.kind}, {"id", urn_of(entity.id)}};
  if (!entity.mixins.empty()) out["mixins"] = to_json(entity.mixins);
  json::object attributes;
  for (const auto& [name, value] : in_order(world, entity, sight, addresses)) attributes[name] = to_json(value);
  for (const auto& [key, name] : {std::pair{"title", kTitle}, std::pair{"summary", kSummary}}) {
    if (const auto text = entity.text(name); !text.empty()) out[key] = text;
  }
  out["attributes"] = std::move(attributes);
  json::array actions;
  for (const auto* action : world.available(entity)) actions.emplace_back(action->id());
  if (!actions.empty()) out["actions"] = std::move(actions);
  if (world.model().is_link(entity.kind)) {
    out["source"] = end_json(world, entity, kSource, addresses);
    out["target"] = end_json(world, entity, kTarget, addresses);
  }
  return out;
}

std::vector<const Entity*> links_from(const World& world, const Entity& entity) {
  auto links = world.links_of(entity.id);
  std::erase_if(links, [&](const auto* link) { return link->text(kSource) != entity.id; });
  return links;
}

}  // namespace

std::string path_of(const Category& category, const Addresses& addresses) {
  return category.location.empty() ? "" : addresses.prefix + category.location;
}

std::string path_of(const World& world, const Entity& entity, const Addresses& addresses) {
  const auto* kind = world.model().kind(entity.kind);
  return fmt::format("{}{}{}", addresses.prefix, kind == nullptr ? "/" : kind->location, entity.id);
}

CategoryLine line_of(const Model& model, const Category& category, const Addresses& addresses, bool whole) {
  CategoryLine out;
  out.term = category.term;
  out.scheme = category.scheme;
  out.cls = std::string(name(category.cls));
  out.title = category.title;
  out.location = path_of(category, addresses);
  if (!whole) return out;
  if (!category.parent.empty()) out.rel.push_back(category.parent);
  out.rel.insert(out.rel.end(), category.depends.begin(), category.depends.end());
  out.rel.insert(out.rel.end(), category.applies.begin(), category.applies.end());
  for (const auto* attribute : model.attributes_of(category)) {
    out.attributes.push_back({attribute->name, !attribute->mutable_by_client(), attribute->required});
  }
  out.actions = category.actions;
  return out;
}

TextMessage message_of(const World& world, const Entity& entity, const Sight& sight, const Addresses& addresses) {
  TextMessage out;
  const auto& model = world.model();
  for (const auto& id : categories_of(entity)) {
    const auto* category = model.find(id);
    out.categories.push_back(category == nullptr ? unknown_mixin(id) : line_of(model, *category, addresses, false));
  }
  for (const auto* link : links_from(world, entity)) out.links.push_back(line_of(world, *link, sight, addresses));
  for (const auto* action : world.available(entity)) {
    LinkLine line;
    line.target = fmt::format("{}?action={}", path_of(world, entity, addresses), action->term);
    line.rel.push_back(action->id());
    out.links.push_back(std::move(line));
  }
  out.attributes = in_order(world, entity, sight, addresses);
  return out;
}

json::object to_json(const Model&, const Category& category, const Addresses& addresses) {
  json::object out{{"term", category.term}, {"scheme", category.scheme}};
  if (!category.title.empty()) out["title"] = category.title;
  if (!category.attributes.empty()) out["attributes"] = attributes_json(category.attributes);
  if (!category.actions.empty()) out["actions"] = to_json(category.actions);
  if (!category.parent.empty()) out["parent"] = category.parent;
  if (!category.depends.empty()) out["depends"] = to_json(category.depends);
  if (!category.applies.empty()) out["applies"] = to_json(category.applies);
  if (category.cls != Category::Class::kAction) out["location"] = path_of(category, addresses);
  return out;
}

json::object to_json(const Model& model, const std::vector<const Category*>& categories, const Addresses& addresses) {
  json::object out;
  using enum Category::Class;
  for (const auto& [cls, key] :
       {std::pair{kKind, "kinds"}, std::pair{kMixin, "mixins"}, std::pair{kAction, "actions"}}) {
    json::array list;
    for (const auto* one : categories) {
      if (one->cls == cls) list.push_back(to_json(model, *one, addresses));
    }
    if (!list.empty()) out[key] = std::move(list);
  }
  return out;
}

json::object to_json(const World& world, const Entity& entity, const Sight& sight, const Addresses& addresses) {
  auto out = one_json(world, entity, sight, addresses);
  json::array links;
  for (const auto* link : links_from(world, entity)) links.push_back(one_json(world, *link, sight, addresses));
  if (!links.empty()) out["links"] = std::move(links);
  return out;
}

json::object to_json(const World& world, const std::vector<const Entity*>& entities, const Sight& sight,
                     const Addresses& addresses) {
  json::object out;
  json::array resources, links;
  for (const auto* entity : entities) {
    auto& list = world.model().is_link(entity->kind) ? links : resources;
    list.push_back(to_json(world, *entity, sight, addresses));
  }
  if (!resources.empty()) out["resources"] = std::move(resources);
  if (!links.empty()) out["links"] = std::move(links);
  return out;
}

}  // namespace atalaya::occi
