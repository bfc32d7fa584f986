// Operations on items, one at a time. Internal to edit.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "packages/edit_workspace.h"

namespace atalaya::packages {

/// A value of kSet (at `field`) or kCreate (a whole item; `field` empty) as it is to be written.
using Serialise = std::function<config::YamlValue(const ItemAddress& at, const schema::Section& section,
                                                  const std::vector<std::string>& field, config::YamlValue value)>;

/// As `apply` in edit.h. In `collectors` what is copied (or moved to another package) gets a free name where its own is
/// taken in the package; `notes` gets a sentence for each. Values of items go through `serialise`.
Result<std::vector<FileChange>> apply(const FileTexts& files, const std::vector<Operation>& operations,
                                      const FindSection& find, std::vector<std::string>& notes,
                                      const Serialise& serialise);

/// Thread-compatible; borrows its arguments.
class ItemEdits {
 public:
  /// `notes`: what is worth telling, as `apply` says. `serialise` empty: values are written as given.
  ItemEdits(Workspace& files, const FindSection& find, std::vector<std::string>& notes, const Serialise& serialise)
      : files_(files), find_(find), notes_(notes), serialise_(serialise) {}

  Status set(const Operation& operation);
  Status unset(const Operation& operation);
  Status create(const Operation& operation);
  Status replace(const Operation& operation);
  Status rename(const ItemAddress& at, const std::string& name);
  Status remove(const ItemAddress& at);
  Status copy(const ItemAddress& at, ItemAddress to, bool take_away);

 private:
  /// Where something new goes: `depth` parts of its path stand at `spot` already (and its section, if
  /// `section_there`).
  struct Gap {
    Spot spot;
    std::size_t depth = 0;
    bool section_there = false;
  };

  config::YamlValue value_of(const Operation& operation, const schema::Section& section) const;
  Result<Found> existing(const ItemAddress& at);
  Result<Gap> gap_for(const ItemAddress& at, const Found& found, const std::string& file);
  Result<Gap> gap_in(const ItemAddress& at, const Found& found, const std::string& file);
  /// `entry`: the text of the last part of the path, as a mapping (list) of its own.
  Status insert(const ItemAddress& at, const Found& found, const Gap& gap, std::string entry);
  Status put_copy(const ItemAddress& at, ItemAddress to, bool take_away);
  /// The paths of the items at or below an address.
  void paths_below(const Found& found, const ItemAddress& at, std::vector<std::vector<std::string>>& out);
  Status copy_spots(const std::vector<Spot>& sources, const std::string& package, const ItemAddress& to, bool expand);
  Status copy_raw(const Spot& source, const ItemAddress& to);
  Status copy_item_with_links(const std::vector<Spot>& sources, const ItemAddress& to);
  bool links_below(const std::string& package, const Spot& spot);

  Workspace& files_;
  const FindSection& find_;
  std::vector<std::string>& notes_;
  const Serialise& serialise_;
};

}  // namespace atalaya::packages
