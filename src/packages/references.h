// What refers to items that a change renames, moves or takes away. Internal to the service.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "packages/edit.h"
#include "packages/locate.h"

namespace atalaya::packages {

/// What operations do to the ids of items ("package/group/name"). Immutable.
class IdChanges {
 public:
  /// `find` as for `apply`.
  IdChanges(const std::vector<Operation>& operations, const FindSection& find);

  bool renames() const;
  /// The id that is right after the change; nothing where it stays as it is. Ids of instances' items too.
  std::optional<std::string> renamed(const std::string& id) const;
  bool removed(const std::string& id) const;
  const std::vector<std::string>& removed_packages() const { return removed_packages_; }

  /// The name that an override's key gets: which part of the item's path, and how it is called then. Nothing where
  /// the item goes to another group or package: its override would have to be moved.
  struct NewKey {
    std::size_t part;
    std::string name;
  };
  std::optional<NewKey> new_key(const std::string& id) const;
  /// Instances that are called otherwise: "ping@gateway" → "ping@router".
  std::vector<std::pair<std::string, std::string>> instances() const;

 private:
  struct Step {
    bool takes_away = false;
    std::string package;
    std::vector<std::string> path;  ///< as in ids: without the names of sections that items contain
    std::string to_package;
    std::vector<std::string> to;
    std::string instance;  ///< "ping@gateway" where the item is one; its items go by that name
    std::string to_instance;
  };
  static bool is_below(const Step& step, const std::string& id);

  std::vector<Step> steps_;
  std::vector<std::string> removed_packages_;
};

/// Of an error that tells of a reference to nothing, of a link or of an override: the id that it names.
struct MissingItem {
  std::string id;
  bool overridden = false;
};
std::optional<MissingItem> missing_item(const Error& error);

/// Where instances of a specification give a parameter this value.
using FindValues = std::function<std::vector<Place>(const std::string& specification, const std::string& parameter,
                                                    const std::string& value)>;

/// The texts with the new ids where `missing` (errors of these texts) says that the old ones stand; only the bytes of
/// the references change. What cannot be changed in place (an alias would carry the change elsewhere, a parameter is
/// a part of it) stays as it is.
std::vector<FileChange> follow(const FileTexts& texts, const std::vector<PackageError>& missing, const IdChanges& ids,
                               const FindValues& values);
/// The same for overrides of instances by their name: `override: {ping@gateway: …}` in one of these files.
std::vector<FileChange> follow_instances(const FileTexts& texts, const std::vector<std::string>& files,
                                         const IdChanges& ids);

/// Errors that are there because something refers to what the change takes away say so, and what to do first.
void say_who_refers(std::vector<PackageError>& errors, const IdChanges& ids);
/// "racks tour/r1", "package site" (of an override).
std::string who_refers(const PackageError& error, bool overrides);

}  // namespace atalaya::packages
