// One entity brought into shape: its categories known, its attributes checked; inside this library only.
#pragma once

#include <string>
#include <vector>

#include "occi/engine.h"

namespace atalaya::occi {

/// The world with what the same request adds to it.
class Overlay {
 public:
  Overlay(const World& world, const Rules& rules, Change& change) : world_(world), rules_(rules), change_(change) {}

  const Entity* find(std::string_view id) const;
  Result<Entity> made(const Draft& draft, const Category& kind, const std::string& id) const;
  Result<Entity> changed(const Entity& before, const Draft& draft, bool whole) const;
  /// Drops attributes of mixins that it has no more, then checks it as a whole.
  Status finish(Entity& entity, const Entity* before) const;
  const World& world() const { return world_; }

 private:
  Status take_mixins(Entity& entity, const std::vector<std::string>& mixins) const;
  Status take_attribute(Entity& entity, const Entity* before, const std::string& name, const Value& value) const;
  Result<const Attribute*> definition(Entity& entity, const std::string& name) const;
  Status take_end(Entity& entity, std::string_view name, const Value& value) const;
  Status check_ends(const Entity& entity) const;
  void warn(std::string text) const { change_.warnings.push_back(std::move(text)); }
  bool keeps_unknown(const Entity& entity) const;
  bool has_unknown(const Entity& entity) const;

  const World& world_;
  const Rules& rules_;
  Change& change_;
};

}  // namespace atalaya::occi
