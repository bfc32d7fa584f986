#include "occi/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/suggest.h"
#include "occi/monitoring.h"
#include "occi/shape.h"

namespace atalaya::occi {
namespace {

std::unexpected<Error> wrong(std::string message, std::string remedy = {}) {
  return fail(ErrorCode::kInvalidArgument, std::move(message), std::move(remedy));
}

std::unexpected<Error> missing(std::string_view id) {
  return fail(ErrorCode::kNotFound, fmt::format("there is no entity {}", id));
}

Status check_writable(const Entity& entity) {
  if (entity.writable) return {};
  return fail(ErrorCode::kPermissionDenied,
              fmt::format("{} comes from the instance of a specification ({})", entity.id, entity.item),
              "change the values where the instance is declared");
}

std::string without_urn(std::string_view id) { return std::string(id.starts_with("urn:uuid:") ? id.substr(9) : id); }

/// The id that a draft or the address gives it; "" for none.
Result<std::string> given_id(const Draft& draft, const std::string& from_address) {
  auto id = without_urn(draft.id);
  if (const auto* value = find(draft.attributes, kId)) {
    const auto said = without_urn(std::holds_alternative<std::string>(*value) ? text_of(*value) : render_value(*value));
    if (!id.empty() && said != id) return wrong(fmt::format("attribute {} is not the entity's id {}", kId, id));
    id = said;
  }
  if (!from_address.empty() && !id.empty() && id != from_address)
    return wrong(
        fmt::format("attribute {}: \"{}\" is not the id of the address, {}", kId, id.substr(0, 64), from_address));
  if (id.empty()) id = from_address;
  if (!id.empty() && !is_entity_id(id)) {
    return wrong(fmt::format("attribute {}: \"{}\" is no id", kId, is_clean(id) ? id.substr(0, 64) : ""),
                 "letters, digits, _, - and .; a letter or digit first; at most 64");
  }
  return id;
}

Result<const Category*> kind_of(const Model& model, const Draft& draft, const Category* of) {
  if (draft.kind.empty() && of == nullptr)
    return wrong("there is no Category of class kind", "say what is to be made, e.g. compute");
  const auto* kind = draft.kind.empty() ? of : model.kind(draft.kind);
  if (kind == nullptr) {
    std::vector<std::string> known;
    for (const auto* one : model.all()) {
      if (one->cls == Category::Class::kKind) known.push_back(one->id());
    }
    return wrong(fmt::format("Category {}: there is no such kind", draft.kind), config::suggestion(draft.kind, known));
  }
  if (of != nullptr && !model.is_a(kind->id(), of->id()))
    return wrong(
        fmt::format("Category {}: the collection {} holds entities of kind {}", kind->id(), of->location, of->id()));
  if (kind->location.empty() || model.section_of(*kind).empty())
    return wrong(fmt::format("Category {}: nothing is made of this kind itself", kind->id()));
  return kind;
}

}  // namespace

Result<const Entity*> Engine::at(const Category& collection, const std::string& id) const {
  const auto* entity = world_.find(id);
  const bool member = entity != nullptr &&
                      (collection.cls == Category::Class::kKind ? world_.model().is_a(entity->kind, collection.id())
                                                                : entity->has(collection.id()));
  if (!member) return fail(ErrorCode::kNotFound, fmt::format("there is no {} {}", collection.term, id));
  return entity;
}

Result<Change> Engine::checked(Change change) const {
  if (rules_.whole) AT_TRY(rules_.whole(world_, change));
  return change;
}

Result<Change> Engine::create(const std::vector<Draft>& drafts, const Category* of, const std::string& id) const {
  Change change;
  const Overlay overlay(world_, rules_, change);
  if (drafts.empty()) return wrong("there is no entity in the request");
  if (!id.empty() && drafts.size() != 1)
    return wrong("the address is that of one entity, and the request holds several");
  const auto make = [&](const Draft& draft, const Category* collection, const std::string& from_address) -> Status {
    AT_TRY(const auto* kind, kind_of(world_.model(), draft, collection));
    AT_TRY(auto own, given_id(draft, from_address));
    if (own.empty()) own = rules_.new_id();
    if (overlay.find(own) != nullptr)
      return fail(ErrorCode::kAlreadyExists, fmt::format("there is an entity {} already", own),
                  "change it at its address");
    AT_TRY(auto entity, overlay.made(draft, *kind, own));
    change.put.push_back(std::move(entity));
    if (change.put.size() > kMostEntities)
      return fail(ErrorCode::kTooLarge, fmt::format("more than {} entities", kMostEntities));
    return {};
  };
  // Resources first: links of the same request may lead to them.
  std::vector<const Draft*> ordered;
  for (const bool links : {false, true}) {
    for (const auto& draft : drafts) {
      const auto& kind = draft.kind.empty() && of != nullptr ? of->id() : draft.kind;
      if (world_.model().is_link(kind) == links) ordered.push_back(&draft);
    }
  }
  for (const auto* draft : ordered) {
    AT_TRY(make(*draft, of, id));
    change.shown.push_back(change.put.back().id);
    const auto made = change.put.back();
    for (auto link : draft->links) {
      if (!world_.model().is_resource(made.kind)) return wrong("a link has no links of its own");
      std::erase_if(link.attributes, [](const auto& one) { return one.first == kSource; });
      link.attributes.emplace_back(std::string(kSource), made.id);
      AT_TRY(make(link, nullptr, ""));
      if (!world_.model().is_link(change.put.back().kind))
        return wrong(fmt::format("Category {} is no kind of link", change.put.back().kind));
    }
    for (const auto& linked : draft->linked) {
      if (overlay.find(id_of_reference(linked)) == nullptr)
        change.warnings.push_back(fmt::format("the link {} is not there yet", linked.substr(0, 200)));
    }
  }
  return checked(std::move(change));
}

Result<Change> Engine::update(const std::string& id, const Draft& draft, bool whole) const {
  const auto* before = world_.find(id);
  if (before == nullptr) return missing(id);
  AT_TRY(check_writable(*before));
  AT_TRY(given_id(draft, id));
  Change change;
  const Overlay overlay(world_, rules_, change);
  AT_TRY(auto entity, overlay.changed(*before, draft, whole));
  change.shown.push_back(id);
  if (entity != *before) change.put.push_back(std::move(entity));
  // A whole rendering names the links that are there; new ones are made along.
  for (auto link : draft.links) {
    if (!world_.model().is_resource(before->kind)) return wrong("a link has no links of its own");
    AT_TRY(auto own, given_id(link, ""));
    if (!own.empty() && world_.find(own) != nullptr) continue;
    AT_TRY(const auto* kind, kind_of(world_.model(), link, nullptr));
    if (!world_.model().is_link(kind->id())) return wrong(fmt::format("Category {} is no kind of link", kind->id()));
    std::erase_if(link.attributes, [](const auto& one) { return one.first == kSource; });
    link.attributes.emplace_back(std::string(kSource), id);
    AT_TRY(auto made, overlay.made(link, *kind, own.empty() ? rules_.new_id() : own));
    change.put.push_back(std::move(made));
  }
  return checked(std::move(change));
}

Result<Change> Engine::remove(const std::vector<std::string>& ids) const {
  std::set<std::string> gone;
  for (const auto& id : ids) {
    if (world_.find(id) == nullptr) return missing(id);
    gone.insert(id);
    for (const auto* link : world_.links_of(id)) gone.insert(link->id);
  }
  Change change;
  for (const auto& id : gone) {
    const auto* entity = world_.find(id);
    AT_TRY(check_writable(*entity));
    change.removed.push_back(id);
  }
  return change;
}

namespace {

/// The action of this term that the entity's kind or one of its mixins has.
Result<const Category*> action_of(const World& world, const Entity& entity, const std::string& term,
                                  const ActionCall& call) {
  const auto& model = world.model();
  auto known = model.actions_of(*model.kind(entity.kind));
  for (const auto& id : entity.mixins) {
    const auto* mixin = model.mixin(id);
    if (mixin == nullptr) continue;
    for (const auto* one : model.actions_of(*mixin)) known.push_back(one);
  }
  std::vector<std::string> terms;
  const Category* action = nullptr;
  for (const auto* one : known) {
    terms.push_back(one->term);
    if (one->term == term) action = one;
  }
  if (action == nullptr) {
    return wrong(fmt::format("{} has no action \"{}\"", entity.kind, term.substr(0, 64)),
                 config::suggestion(term, terms));
  }
  if (!call.action.empty() && call.action != action->id() && call.action != action->term)
    return wrong(fmt::format("Category {} is not the action \"{}\" of the address", call.action, term));
  if (action->moves.empty()) {
    return fail(ErrorCode::kUnprocessable,
                fmt::format("{} is not carried out here: machines are watched, not run", action->id()));
  }
  return action;
}

/// What the call says is checked, and set on the entity where the action sets anything.
Status take_call(const World& world, Entity& entity, const Category& action, const ActionCall& call) {
  const auto& model = world.model();
  const auto attributes = model.attributes_of(action);
  for (const auto& [name, value] : call.attributes) {
    const auto* attribute = model.attribute_of(action, name);
    if (attribute == nullptr) {
      std::vector<std::string> names;
      for (const auto* one : attributes) names.push_back(one->name);
      return wrong(fmt::format("attribute {} does not belong to the action {}", name, action.id()),
                   config::suggestion(name, names));
    }
    AT_TRY(auto checked, check_value(*attribute, value));
    if (attribute->sets.empty()) continue;
    const auto* own = world.attribute(entity, attribute->sets);
    if (own == nullptr) return wrong(fmt::format("{} has no attribute {}", entity.kind, attribute->sets));
    AT_TRY(auto kept, check_value(*own, checked));
    entity.attributes.insert_or_assign(attribute->sets, std::move(kept));
  }
  for (const auto* attribute : attributes) {
    if (attribute->required && find(call.attributes, attribute->name) == nullptr) {
      return wrong(fmt::format("attribute {} is missing: {} requires it", attribute->name, action.id()),
                   attribute->help);
    }
  }
  return {};
}

}  // namespace

Result<Change> Engine::act(const std::vector<std::string>& ids, const std::string& term, const ActionCall& call) const {
  Change change;
  const auto& model = world_.model();
  for (const auto& id : ids) {
    const auto* entity = world_.find(id);
    if (entity == nullptr) return missing(id);
    AT_TRY(check_writable(*entity));
    AT_TRY(const auto* action, action_of(world_, *entity, term, call));
    const auto state = world_.wanted_state(*entity);
    const auto move = action->moves.find(state);
    if (move == action->moves.end()) {
      std::vector<std::string> from;
      for (const auto& [one, to] : action->moves) from.push_back(one);
      return fail(ErrorCode::kConflict, fmt::format("{} is {}: {} leads from {} only", entity->id, state, action->id(),
                                                    fmt::join(from, ", ")));
    }
    auto next = *entity;
    AT_TRY(take_call(world_, next, *action, call));
    if (const auto* states = model.with_states(*model.kind(entity->kind)))
      next.attributes.insert_or_assign(states->state_attribute, move->second);
    change.acted = action->id();
    change.shown.push_back(id);
    if (next != *entity) change.put.push_back(std::move(next));
  }
  return change;
}

Result<Change> Engine::associate(const Category& mixin, const std::vector<std::string>& ids, bool whole) const {
  Change change;
  const Overlay overlay(world_, rules_, change);
  Draft draft;
  draft.mixins.push_back(mixin.id());
  for (const auto& id : ids) {
    const auto* before = world_.find(id);
    if (before == nullptr)
      return wrong(fmt::format("there is no entity \"{}\" to join {}", id.substr(0, 64), mixin.id()));
    change.shown.push_back(id);
    if (before->has(mixin.id())) continue;
    AT_TRY(check_writable(*before));
    AT_TRY(auto entity, overlay.changed(*before, draft, false));
    change.put.push_back(std::move(entity));
  }
  if (!whole) return checked(std::move(change));
  std::vector<std::string> others;
  for (const auto* member : world_.members(&mixin)) {
    if (std::find(ids.begin(), ids.end(), member->id) == ids.end()) others.push_back(member->id);
  }
  AT_TRY(auto left, dissociate(mixin, others));
  for (auto& entity : left.put) change.put.push_back(std::move(entity));
  return checked(std::move(change));
}

Result<Change> Engine::dissociate(const Category& mixin, const std::vector<std::string>& ids) const {
  Change change;
  const Overlay overlay(world_, rules_, change);
  for (const auto& id : ids) {
    const auto* before = world_.find(id);
    if (before == nullptr || !before->has(mixin.id()))
      return wrong(fmt::format("\"{}\" is no member of {}", id.substr(0, 64), mixin.id()));
    AT_TRY(check_writable(*before));
    auto entity = *before;
    std::erase(entity.mixins, mixin.id());
    AT_TRY(overlay.finish(entity, before));
    change.put.push_back(std::move(entity));
    change.shown.push_back(id);
  }
  return checked(std::move(change));
}

Result<Change> Engine::define(const std::vector<CategoryLine>& mixins) const {
  Change change;
  auto model = world_.model();
  for (const auto& line : mixins) {
    if (line.cls != "mixin")
      return wrong(fmt::format("Category {}: only mixins are defined by users", line.id()), "class=\"mixin\"");
    if (!line.attributes.empty() || !line.actions.empty())
      return wrong(fmt::format("Category {}: a mixin that a user defines has no attributes and no actions", line.id()));
    if (line.location.empty())
      return wrong(fmt::format("Category {}: the location is missing", line.id()), "location=\"/mixin/my_tag/\"");
    Category mixin;
    mixin.cls = Category::Class::kMixin;
    mixin.term = line.term;
    mixin.scheme = line.scheme;
    mixin.title = line.title;
    mixin.location = line.location;
    for (const auto& id : line.rel) {
      if (model.kind(id) != nullptr)
        mixin.applies.push_back(id);
      else if (model.mixin(id) != nullptr)
        mixin.depends.push_back(id);
      else
        return wrong(fmt::format("Category {}: rel names {}, which is not there", line.id(), id));
    }
    if (std::find(mixin.depends.begin(), mixin.depends.end(), kMetric) != mixin.depends.end()) {
      if (!rules_.program_named) return wrong(fmt::format("Category {}: there are no programs here", line.id()));
      AT_TRY(const auto program, rules_.program_named(mixin.term));
      AT_TRY(bind_program(mixin, program));
    }
    AT_TRY(model.add(mixin));
    change.defined.push_back(std::move(mixin));
  }
  return change;
}

Result<Change> Engine::forget(const std::vector<std::string>& mixins) const {
  Change change;
  auto model = world_.model();
  const std::set<std::string> all(mixins.begin(), mixins.end());
  for (const auto& id : mixins) {
    const auto* mixin = model.find(id);
    if (mixin == nullptr) return fail(ErrorCode::kNotFound, fmt::format("there is no category {}", id));
    if (mixin->item.empty())
      return fail(ErrorCode::kPermissionDenied, fmt::format("Category {} belongs to the server", id),
                  "only mixins that users defined are removed");
    AT_TRY(model.remove(id));
    change.forgotten.push_back(id);
  }
  for (const auto* entity : world_.members(nullptr)) {
    auto next = *entity;
    std::erase_if(next.mixins, [&](const auto& id) { return all.contains(id); });
    if (next.mixins.size() == entity->mixins.size()) continue;
    AT_TRY(check_writable(*entity));
    change.put.push_back(std::move(next));
  }
  return change;
}

}  // namespace atalaya::occi
