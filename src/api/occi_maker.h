// The world of OCCI that items of packages make.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "occi/world.h"
#include "packages/views.h"

namespace atalaya::api {

using OcciWorld = std::shared_ptr<const occi::World>;

/// The model with the mixins that these items define; one that depends on another may stand before it.
occi::Model occi_model_with(const occi::Model& shipped, const std::vector<packages::FoundInPackage>& mixins);

/// Keeps what it made of each item, so that the next world costs little where little has changed: equal entities are
/// shared by worlds. Whatever was made before, a world is what a new maker would make. Thread-compatible.
class OcciMaker {
 public:
  /// The items of a section, by package and id.
  using ItemsOf = std::function<std::vector<packages::FoundInPackage>(const std::string& section)>;

  explicit OcciMaker(std::shared_ptr<const occi::Model> shipped);
  OcciWorld make(const ItemsOf& items_of);

 private:
  using EntityPtr = std::shared_ptr<const occi::Entity>;
  using Ids = std::unordered_map<std::string_view, std::string>;  ///< of entities, by their items'
  struct Made {
    packages::FoundInPackage found;
    std::string id;
    bool done = false;
    EntityPtr entity;  ///< null: it makes none
    EntityPtr beside;  ///< the same with the id that it has where another has its own; null: not needed so far
    std::vector<std::pair<std::string, std::optional<std::string>>> asked;  ///< what it was made by, of other items
    std::uint64_t turn = 0;
  };

  void take_mixins(std::vector<packages::FoundInPackage> mixins);
  void make_one(Made& made, const Ids& ids) const;

  const std::shared_ptr<const occi::Model> shipped_;
  const std::vector<std::string> sections_;
  std::shared_ptr<const occi::Model> model_;
  std::vector<packages::FoundInPackage> mixins_;
  std::map<std::string, std::unordered_map<std::string, Made>> made_;  ///< by section and item
  std::uint64_t turn_ = 0;
};

}  // namespace atalaya::api
