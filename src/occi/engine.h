// What requests make of entities. Pure: nothing is stored here, all is answered by value.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "occi/text.h"
#include "occi/world.h"

namespace atalaya::occi {

/// What entities of a kind (or of kinds below it) ask for beyond what categories say. All may be empty.
struct Behaviour {
  /// Looks at an entity that is to be made or changed (`before` then), may complete it, warn, or refuse it. The world
  /// is as before; `entity.id` names it.
  std::function<Status(const World&, Entity& entity, const Entity* before, std::vector<std::string>& warnings)> check =
      {};
};

struct Change;

struct Rules {
  std::map<std::string, Behaviour> behaviours;  ///< by kind
  /// Looks at all that a request makes or changes together, when each for itself is right; may warn, or refuse it.
  std::function<Status(const World&, Change&)> whole = {};
  Sight sight = {};
  /// What is kept of a secret attribute's text.
  std::function<std::string(const Attribute& attribute, std::string_view text)> seal = {};
  std::function<std::string()> new_id = {};  ///< UUIDs
  /// The program, `<package>/<file>`, that a user's metric of this term is bound to.
  std::function<Result<std::string>(const std::string& term)> program_named = {};
};

/// What becomes of a request: taken as a whole or not at all.
struct Change {
  std::vector<Entity> put;             ///< made or changed, in the order in which they refer to each other
  std::vector<std::string> removed;    ///< ids
  std::vector<Category> defined;       ///< mixins
  std::vector<std::string> forgotten;  ///< ids of mixins
  std::vector<std::string> shown;      ///< entities that the answer is about
  std::vector<std::string> warnings;
  std::string acted;  ///< id of the action that was carried out

  bool empty() const { return put.empty() && removed.empty() && defined.empty() && forgotten.empty(); }
};

/// Errors of all: invalid_argument for what the request says wrong, not_found for who is not there, already_exists for
/// an id that is taken, conflict for what the state forbids, permission_denied for what is not the caller's to change,
/// unprocessable for an action that is never carried out. They name the category, attribute or entity.
class Engine {
 public:
  /// Borrows both.
  Engine(const World& world, const Rules& rules) : world_(world), rules_(rules) {}

  /// New entities. `of`: the collection's kind, if the request says none. `id`: from the address, "" for the draft's
  /// or a new one.
  Result<Change> create(const std::vector<Draft>& drafts, const Category* of, const std::string& id) const;
  /// `whole`: what is not said goes, but for what the server or the creation set. Links stay as they are.
  Result<Change> update(const std::string& id, const Draft& draft, bool whole) const;
  /// With the links that begin or end there.
  Result<Change> remove(const std::vector<std::string>& ids) const;
  /// `term` from the address. All of them, or none.
  Result<Change> act(const std::vector<std::string>& ids, const std::string& term, const ActionCall& call) const;

  /// Members that join a mixin; `whole`: all others leave.
  Result<Change> associate(const Category& mixin, const std::vector<std::string>& ids, bool whole) const;
  Result<Change> dissociate(const Category& mixin, const std::vector<std::string>& ids) const;
  Result<Change> define(const std::vector<CategoryLine>& mixins) const;
  Result<Change> forget(const std::vector<std::string>& mixins) const;

  /// The entity at a collection and id: not_found where there is none, or it is no member.
  Result<const Entity*> at(const Category& collection, const std::string& id) const;

 private:
  /// By `rules_.whole`.
  Result<Change> checked(Change change) const;

  const World& world_;
  const Rules& rules_;
};

}  // namespace atalaya::occi
