#include "occi/shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/suggest.h"

namespace atalaya::occi {
namespace {

std::unexpected<Error> wrong(std::string message, std::string remedy = {}) {
  return fail(ErrorCode::kInvalidArgument, std::move(message), std::move(remedy));
}

}  // namespace

const Entity* Overlay::find(std::string_view id) const {
  for (const auto& one : change_.put) {
    if (one.id == id) return &one;
  }
  if (std::find(change_.removed.begin(), change_.removed.end(), id) != change_.removed.end()) return nullptr;
  return world_.find(id);
}

bool Overlay::keeps_unknown(const Entity& entity) const {
  const auto& model = world_.model();
  for (const auto* kind = model.kind(entity.kind); kind != nullptr; kind = model.kind(kind->parent)) {
    if (kind->keeps_unknown_mixins) return true;
  }
  return false;
}

bool Overlay::has_unknown(const Entity& entity) const {
  return std::any_of(entity.mixins.begin(), entity.mixins.end(),
                     [&](const auto& id) { return world_.model().mixin(id) == nullptr; });
}

Status Overlay::take_mixins(Entity& entity, const std::vector<std::string>& mixins) const {
  const auto& model = world_.model();
  for (const auto& id : mixins) {
    if (entity.has(id)) continue;
    const auto mark = id.rfind('#');
    if (id.size() > kMostNameBytes || !is_clean(id) || id.find(' ') != std::string::npos || mark == std::string::npos ||
        mark == 0 || !is_attribute_name(id.substr(mark + 1)))
      return wrong(
          fmt::format("Category \"{}\": no scheme with a term behind its #", is_clean(id) ? id.substr(0, 80) : ""));
    if (model.kind(id) != nullptr) return wrong(fmt::format("Category {} is a kind, and the entity has one", id));
    const auto* mixin = model.mixin(id);
    if (mixin == nullptr) {
      if (!keeps_unknown(entity)) {
        std::vector<std::string> known;
        for (const auto* one : model.all()) {
          if (one->cls == Category::Class::kMixin && model.applies(*one, entity.kind)) known.push_back(one->id());
        }
        return wrong(fmt::format("Category {}: there is no such mixin", id), config::suggestion(id, known));
      }
      warn(fmt::format("the mixin {} is unknown; it is kept and does nothing", id));
    } else if (!model.applies(*mixin, entity.kind)) {
      return wrong(fmt::format("Category {} does not apply to {}", id, entity.kind),
                   fmt::format("it applies to {}", fmt::join(mixin->applies, ", ")));
    }
    entity.mixins.push_back(id);
    if (entity.mixins.size() > 100) return wrong("more than 100 mixins");
  }
  return {};
}

/// Null: of no category that is known, and to be kept all the same.
Result<const Attribute*> Overlay::definition(Entity& entity, const std::string& name) const {
  if (const auto* found = world_.attribute(entity, name)) return found;
  const auto& model = world_.model();
  std::vector<const Category*> owners;
  std::vector<std::string> names;
  for (const auto* one : model.all()) {
    if (one->cls != Category::Class::kMixin || !model.applies(*one, entity.kind)) continue;
    if (model.attribute_of(*one, name) != nullptr) owners.push_back(one);
  }
  if (owners.size() == 1) {
    warn(fmt::format("the mixin {} is not listed, but {} is its: it counts as listed", owners.front()->id(), name));
    entity.mixins.push_back(owners.front()->id());
    return model.attribute_of(*owners.front(), name);
  }
  if (has_unknown(entity)) {
    warn(fmt::format("the attribute {} is unknown; it is kept and does nothing", name));
    return nullptr;
  }
  if (const auto* kind = model.kind(entity.kind)) {
    for (const auto* one : model.attributes_of(*kind)) names.push_back(one->name);
  }
  for (const auto& id : entity.mixins) {
    if (const auto* mixin = model.mixin(id))
      for (const auto* one : model.attributes_of(*mixin)) names.push_back(one->name);
  }
  return wrong(fmt::format("attribute {} belongs to no category of the entity", name), config::suggestion(name, names));
}

Status Overlay::take_end(Entity& entity, std::string_view name, const Value& value) const {
  const auto id = id_of_reference(text_of(value));
  if (id.empty() || find(id) == nullptr) {
    return wrong(fmt::format("attribute {}: there is no entity {}", name, render_value(value).substr(0, 200)),
                 "make it first, or give its address");
  }
  entity.attributes.insert_or_assign(std::string(name), id);
  return {};
}

Status Overlay::take_attribute(Entity& entity, const Entity* before, const std::string& name,
                               const Value& value) const {
  if (name == kId) return {};  // taken with the entity's id
  if (!is_attribute_name(name)) return wrong("an attribute's name is none");
  const Attribute* known = nullptr;
  // What a package says of an entity beyond its categories may come back as it was shown.
  const bool its_own =
      before != nullptr && before->attributes.contains(name) && world_.attribute(entity, name) == nullptr;
  if (!its_own) {
    AT_TRY(known, definition(entity, name));
  }
  if (known == nullptr) {
    if (const auto text = text_of(value); !is_clean(text) || text.size() > 4096)
      return wrong(fmt::format("attribute {}: too long, or control characters", name));
    entity.attributes.insert_or_assign(name, value);
    return {};
  }
  AT_TRY(auto checked, check_value(*known, value));
  if ((name == kSource || name == kTarget) && world_.model().is_link(entity.kind))
    return take_end(entity, name, checked);
  if (known->set_by == Attribute::SetBy::kServer) {
    // A client that sends back what it was shown, or what was asked for last, says nothing new.
    const auto kept = entity.attributes.find(name);
    if (kept != entity.attributes.end() && equal(kept->second, checked)) return {};
    const auto shown = world_.visible(before != nullptr ? *before : entity, rules_.sight);
    const auto at = shown.find(name);
    if (at != shown.end() && equal(at->second, checked)) return {};
    return wrong(fmt::format("attribute {} is immutable: the server sets it", name), "leave it out");
  }
  if (known->set_by == Attribute::SetBy::kCreation && before != nullptr) {
    const auto at = before->attributes.find(name);
    if (at == before->attributes.end() || !equal(at->second, checked))
      return wrong(fmt::format("attribute {} is immutable: it is set when the entity is made", name));
    return {};
  }
  if (known->secret && rules_.seal) checked = rules_.seal(*known, text_of(checked));
  entity.attributes.insert_or_assign(name, std::move(checked));
  return {};
}

Result<Entity> Overlay::made(const Draft& draft, const Category& kind, const std::string& id) const {
  Entity entity;
  entity.id = id;
  entity.kind = kind.id();
  const auto& model = world_.model();
  if (const auto* states = model.with_states(kind))
    entity.attributes.emplace(states->state_attribute, states->initial_state);
  AT_TRY(take_mixins(entity, draft.mixins));
  for (const auto& [name, value] : draft.attributes) {
    AT_TRY(take_attribute(entity, nullptr, name, value));
  }
  AT_TRY(finish(entity, nullptr));
  return entity;
}

Result<Entity> Overlay::changed(const Entity& before, const Draft& draft, bool whole) const {
  if (!draft.kind.empty() && draft.kind != before.kind)
    return wrong(fmt::format("Category {}: the entity is a {}, which never changes", draft.kind, before.kind));
  Entity entity = before;
  if (whole) {
    entity.mixins.clear();
    entity.attributes.clear();
    for (const auto& [name, value] : before.attributes) {
      const auto* known = world_.attribute(before, name);
      if (known != nullptr && !known->mutable_by_client()) entity.attributes.emplace(name, value);
    }
  }
  AT_TRY(take_mixins(entity, draft.mixins));
  for (const auto& [name, value] : draft.attributes) {
    AT_TRY(take_attribute(entity, &before, name, value));
  }
  AT_TRY(finish(entity, &before));
  return entity;
}

Status Overlay::check_ends(const Entity& entity) const {
  const auto& model = world_.model();
  const auto* kind = model.kind(entity.kind);
  for (const auto& [name, kinds] : {std::pair{kSource, &kind->source}, std::pair{kTarget, &kind->target}}) {
    const auto* end = find(entity.text(name));
    if (end == nullptr) return wrong(fmt::format("attribute {}: there is no entity \"{}\"", name, entity.text(name)));
    const bool fits = kinds->empty() ? model.is_resource(end->kind)
                                     : std::any_of(kinds->begin(), kinds->end(),
                                                   [&](const auto& one) { return model.is_a(end->kind, one); });
    if (fits) continue;
    return wrong(fmt::format("attribute {}: {} is a {}", name, end->id, end->kind),
                 kinds->empty() ? "a resource" : fmt::format("a {}", fmt::join(*kinds, " or ")));
  }
  return {};
}

Status Overlay::finish(Entity& entity, const Entity* before) const {
  const auto& model = world_.model();
  // What went with a mixin that it has no more.
  if (before != nullptr && !has_unknown(entity)) {
    std::erase_if(entity.attributes, [&](const auto& one) {
      return world_.attribute(entity, one.first) == nullptr && world_.attribute(*before, one.first) != nullptr;
    });
  }
  std::vector<const Category*> categories{model.kind(entity.kind)};
  for (const auto& id : entity.mixins) {
    if (const auto* mixin = model.mixin(id)) categories.push_back(mixin);
  }
  for (const auto* category : categories) {
    for (const auto* attribute : model.attributes_of(*category)) {
      if (attribute->name == kId || entity.attributes.contains(attribute->name)) continue;
      if (attribute->fallback) {
        entity.attributes.emplace(attribute->name, *attribute->fallback);
      } else if (attribute->required && attribute->set_by != Attribute::SetBy::kServer) {
        return wrong(fmt::format("attribute {} is missing: {} requires it", attribute->name, category->id()),
                     attribute->help);
      }
    }
  }
  if (model.is_link(entity.kind)) AT_TRY(check_ends(entity));
  for (const auto* kind = model.kind(entity.kind); kind != nullptr; kind = model.kind(kind->parent)) {
    const auto found = rules_.behaviours.find(kind->id());
    if (found != rules_.behaviours.end() && found->second.check)
      AT_TRY(found->second.check(world_, entity, before, change_.warnings));
  }
  return {};
}

}  // namespace atalaya::occi
