#include "occi/world.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/suggest.h"

namespace atalaya::occi {

bool Entity::has(std::string_view mixin) const {
  return std::find(mixins.begin(), mixins.end(), mixin) != mixins.end();
}

std::string Entity::text(std::string_view attribute) const {
  const auto at = attributes.find(attribute);
  return at == attributes.end() ? std::string() : text_of(at->second);
}

std::string id_of_reference(std::string_view reference) {
  constexpr std::string_view kUrn = "urn:uuid:";
  if (reference.starts_with(kUrn)) return std::string(reference.substr(kUrn.size()));
  reference = reference.substr(0, reference.find_first_of("?#"));
  while (reference.ends_with('/')) reference.remove_suffix(1);
  const auto slash = reference.rfind('/');
  return std::string(slash == std::string_view::npos ? reference : reference.substr(slash + 1));
}

bool is_entity_id(std::string_view id) { return id.size() <= 64 && is_attribute_name(id); }

std::string urn_of(std::string_view id) { return fmt::format("urn:uuid:{}", id); }

void World::put(std::shared_ptr<const Entity> entity) {
  remove(entity->id);
  for (const auto name : {kSource, kTarget}) {
    if (auto end = entity->text(name); !end.empty()) ends_.emplace(std::move(end), entity.get());
  }
  const std::string_view id = entity->id;
  entities_.emplace(id, std::move(entity));
}

void World::remove(std::string_view id) {
  const auto at = entities_.find(id);
  if (at == entities_.end()) return;
  for (const auto name : {kSource, kTarget}) {
    const auto [begin, end] = ends_.equal_range(at->second->text(name));
    for (auto one = begin; one != end;) one = one->second == at->second.get() ? ends_.erase(one) : std::next(one);
  }
  entities_.erase(at);
}

const Entity* World::find(std::string_view id) const {
  const auto at = entities_.find(id);
  return at == entities_.end() ? nullptr : at->second.get();
}

std::vector<const Entity*> World::links_of(std::string_view id) const {
  std::vector<const Entity*> out;
  const auto [begin, end] = ends_.equal_range(id);
  for (auto one = begin; one != end; ++one) out.push_back(one->second);
  std::ranges::sort(out, {}, &Entity::id);
  const auto twice = std::ranges::unique(out);  // one that begins where it ends
  out.erase(twice.begin(), twice.end());
  return out;
}

std::vector<const Entity*> World::members(const Category* of) const {
  std::vector<const Entity*> out;
  const auto wanted = of == nullptr ? std::string() : of->id();
  for (const auto& [id, entity] : entities_) {
    const bool in =
        of == nullptr || (of->cls == Category::Class::kKind ? model_->is_a(entity->kind, wanted) : entity->has(wanted));
    if (in) out.push_back(entity.get());
  }
  return out;
}

const Attribute* World::attribute(const Entity& entity, std::string_view name) const {
  if (const auto* kind = model_->kind(entity.kind)) {
    if (const auto* found = model_->attribute_of(*kind, name)) return found;
  }
  for (const auto& id : entity.mixins) {
    const auto* mixin = model_->mixin(id);
    const auto* found = mixin == nullptr ? nullptr : model_->attribute_of(*mixin, name);
    if (found != nullptr) return found;
  }
  return nullptr;
}

Attributes World::visible(const Entity& entity, const Sight& sight) const {
  Attributes out;
  for (const auto& [name, value] : entity.attributes) {
    const auto* known = attribute(entity, name);
    if (known == nullptr || !known->secret) out.insert_or_assign(name, value);
  }
  if (sight) {
    for (auto& [name, value] : sight(entity)) out.insert_or_assign(name, std::move(value));
  }
  out.insert_or_assign(std::string(kId), urn_of(entity.id));
  return out;
}

std::string World::wanted_state(const Entity& entity) const {
  const auto* kind = model_->kind(entity.kind);
  const auto* states = kind == nullptr ? nullptr : model_->with_states(*kind);
  if (states == nullptr) return {};
  const auto at = entity.attributes.find(states->state_attribute);
  return at == entity.attributes.end() ? states->initial_state : text_of(at->second);
}

std::vector<const Category*> World::available(const Entity& entity) const {
  std::vector<const Category*> out;
  const auto state = wanted_state(entity);
  const auto take = [&](const Category* category) {
    if (category == nullptr) return;
    for (const auto* action : model_->actions_of(*category)) {
      if (action->moves.contains(state)) out.push_back(action);
    }
  };
  take(model_->kind(entity.kind));
  for (const auto& mixin : entity.mixins) take(model_->mixin(mixin));
  return out;
}

bool World::matches(const Entity& entity, const Filter& filter, const Sight& sight) const {
  for (const auto& category : filter.categories) {
    if (!model_->is_a(entity.kind, category) && !entity.has(category)) return false;
  }
  if (filter.attributes.empty()) return true;
  const auto shown = visible(entity, sight);
  return std::all_of(filter.attributes.begin(), filter.attributes.end(), [&](const auto& wanted) {
    const auto at = shown.find(wanted.first);
    if (at == shown.end()) return false;
    const bool reference = wanted.first == kId || wanted.first == kSource || wanted.first == kTarget;
    if (reference) return id_of_reference(text_of(at->second)) == id_of_reference(text_of(wanted.second));
    return equal(at->second, wanted.second);
  });
}

Result<Filter> World::known(Filter filter) const {
  for (auto& id : filter.categories) {
    if (model_->find(id) != nullptr) continue;
    std::vector<const Category*> found;
    std::vector<std::string> names;
    for (const auto* one : model_->all()) {
      if (one->term == id && one->cls != Category::Class::kAction) found.push_back(one);
      names.push_back(one->id());
    }
    if (found.size() != 1) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("there is no category {}", id),
                  config::suggestion(id, names));
    }
    id = found.front()->id();
  }
  return filter;
}

}  // namespace atalaya::occi
