// Entities of one tenant with the model that they are of; what requests say about them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "occi/model.h"

namespace atalaya::occi {

/// A resource or link. Its `attributes` are those that are kept: without occi.core.id, with the state that was last
/// asked for; a link's source and target are ids.
struct Entity {
  std::string id;
  std::string kind;                 ///< id of its category
  std::vector<std::string> mixins;  ///< ids, in the order they were given; unknown ones too
  Attributes attributes;
  std::string item;      ///< of packages, that holds it: "ondemand/web1"; "" before it is stored
  bool writable = true;  ///< false: it comes from an instance of a specification

  bool has(std::string_view mixin) const;
  std::string text(std::string_view attribute) const;  ///< "" where it is absent or no text
  bool operator==(const Entity&) const = default;
};

/// An entity as a request describes it.
struct Draft {
  std::string id;    ///< "" : none given
  std::string kind;  ///< "" : none given
  std::vector<std::string> mixins;
  AttributeList attributes;         ///< names with dots; source and target as they were written
  std::vector<Draft> links;         ///< that lead from it, made along with it
  std::vector<std::string> linked;  ///< links that are only named
};

struct ActionCall {
  std::string action;  ///< its id, or its term
  AttributeList attributes;
};

struct Filter {
  std::vector<std::string> categories;  ///< ids, or terms that are met once
  AttributeList attributes;
  bool empty() const { return categories.empty() && attributes.empty(); }
};

/// What the server says of an entity by itself: its state as it is seen, a message, sizes.
using Sight = std::function<Attributes(const Entity&)>;

/// `urn:uuid:…`, an absolute address, a path, or the bare id: the last part of it, which may be no id at all.
std::string id_of_reference(std::string_view reference);
/// Letters, digits, `_`, `-`, `.`; a letter or digit first; at most 64.
bool is_entity_id(std::string_view id);
/// How occi.core.id says it.
std::string urn_of(std::string_view id);

/// Thread-compatible; pointers into it hold as long as it is not changed.
class World {
 public:
  explicit World(Model model) : World(std::make_shared<const Model>(std::move(model))) {}
  explicit World(std::shared_ptr<const Model> model) : model_(std::move(model)) {}

  const Model& model() const { return *model_; }
  void set_model(Model model) { model_ = std::make_shared<const Model>(std::move(model)); }
  void put(Entity entity) { put(std::make_shared<const Entity>(std::move(entity))); }
  /// One that several worlds may hold.
  void put(std::shared_ptr<const Entity> entity);
  void remove(std::string_view id);
  const Entity* find(std::string_view id) const;
  /// Links that begin or end at this entity, by id.
  std::vector<const Entity*> links_of(std::string_view id) const;
  /// Members of a kind's or mixin's collection, by id; null: all.
  std::vector<const Entity*> members(const Category* of) const;
  std::size_t size() const { return entities_.size(); }

  /// What it shows: kept attributes without secrets, what the server says, occi.core.id.
  Attributes visible(const Entity& entity, const Sight& sight) const;
  bool matches(const Entity& entity, const Filter& filter, const Sight& sight) const;
  /// The filter with ids in place of terms. invalid_argument: a category that is unknown.
  Result<Filter> known(Filter filter) const;
  /// Actions that its state allows now.
  std::vector<const Category*> available(const Entity& entity) const;
  /// The state that was last asked for; "" where its kind has none.
  std::string wanted_state(const Entity& entity) const;
  const Attribute* attribute(const Entity& entity, std::string_view name) const;

 private:
  std::shared_ptr<const Model> model_;
  std::map<std::string_view, std::shared_ptr<const Entity>> entities_;  ///< by their ids, which they hold
  std::multimap<std::string, const Entity*, std::less<>> ends_;         ///< of links: entity to link
};

}  // namespace atalaya::occi
