#include "api/occi_maker.h"

#include <algorithm>

#include "api/occi_items.h"

namespace atalaya::api {
namespace {

using packages::FoundInPackage;

/// Do they make the same? What is loaded never changes, so one item is equal to itself.
bool same(const FoundInPackage& a, const FoundInPackage& b) {
  return a.item == b.item ||
         (a.item->id == b.item->id && a.package->name == b.package->name && a.item->fields == b.item->fields);
}

}  // namespace

occi::Model occi_model_with(const occi::Model& shipped, const std::vector<FoundInPackage>& mixins) {
  auto model = shipped;
  auto left = mixins;
  for (bool any = true; any;) {
    any = false;
    std::erase_if(left, [&](const auto& found) {
      auto mixin = mixin_of(found);
      const bool taken = mixin && model.add(std::move(*mixin)).has_value();
      any = any || taken;
      return taken;
    });
  }
  return model;
}

OcciMaker::OcciMaker(std::shared_ptr<const occi::Model> shipped)
    : shipped_(std::move(shipped)), sections_(occi_sections(*shipped_)), model_(shipped_) {}

OcciWorld OcciMaker::make(const ItemsOf& items_of) {
  take_mixins(items_of(std::string(kOcciMixins)));
  ++turn_;
  Ids ids;
  std::vector<Made*> all;
  for (const auto& section : sections_) {
    auto& known = made_[section];
    for (auto& found : items_of(section)) {
      auto& made = known[found.item->id];
      if (!made.found.package || !same(made.found, found)) {
        made = {};
        made.id = occi_id(found.package->name, found.item->id);
      }
      made.found = std::move(found);
      made.turn = turn_;
      ids.emplace(made.found.item->id, made.id);
      all.push_back(&made);
    }
    std::erase_if(known, [&](const auto& one) { return one.second.turn != turn_; });
  }
  auto world = std::make_shared<occi::World>(model_);
  for (auto* made : all) {
    make_one(*made, ids);
    if (!made->entity) continue;
    auto entity = made->entity;
    if (const auto* other = world->find(entity->id)) {
      if (!made->beside) {
        auto copy = *entity;
        copy.id = occi_id_beside_another(made->found.item->section, entity->item);
        made->beside = std::make_shared<const occi::Entity>(std::move(copy));
      }
      entity = made->beside;
      // Of one item's id in two sections, ends of links mean the first; resources come before links.
      if (other->item != entity->item) ids[entity->item] = entity->id;
    }
    world->put(std::move(entity));
  }
  return world;
}

/// Other mixins make other entities of the same items.
void OcciMaker::take_mixins(std::vector<FoundInPackage> mixins) {
  if (!std::ranges::equal(mixins, mixins_, same)) {
    model_ = std::make_shared<const occi::Model>(occi_model_with(*shipped_, mixins));
    made_.clear();
  }
  mixins_ = std::move(mixins);
}

void OcciMaker::make_one(Made& made, const Ids& ids) const {
  const auto id_of = [&](std::string_view item) -> std::optional<std::string> {
    const auto at = ids.find(item);
    return at == ids.end() ? std::nullopt : std::optional(at->second);
  };
  const bool holds = made.done && std::ranges::all_of(made.asked, [&](const auto& one) {
                       const auto at = ids.find(one.first);
                       return at == ids.end() ? !one.second : one.second == at->second;
                     });
  if (holds) return;
  made.asked.clear();
  made.beside.reset();
  auto entity = entity_of(*model_, made.found, [&](std::string_view item) {
    auto id = id_of(item);
    made.asked.emplace_back(item, id);
    return id;
  });
  made.entity = entity ? std::make_shared<const occi::Entity>(std::move(*entity)) : nullptr;
  made.done = true;
}

}  // namespace atalaya::api
