// Which item an error of a package lies in.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "packages/tree.h"
#include "schema/schema_set.h"

namespace atalaya::packages {

/// An error, and the item that it lies in. Without one (the manifest, a group, a file that is no YAML) section,
/// package and path are empty, and the field is the way from the top of the file: "requires.host", "rules.disk".
/// Of an override the item is the one that it changes, where there is such a one, and the field the way from the top
/// of the file that overrides: "override.host.rules.disk.filling.for".
struct PackageError : Error {
  std::string package = {};  ///< that holds the item; the error may be another one's: of an instance, a link
  std::string section = {};
  std::vector<std::string> path = {};  ///< of the item as it is written; empty for a section that is a document
  std::string field = {};              ///< "gauge.expr"; "" for the item as a whole

  bool operator==(const PackageError&) const = default;
};

/// The items of one package by their places. Borrows tree and schemas. Thread-compatible.
class ItemLocator {
 public:
  ItemLocator(const PackageTree& tree, const schema::SchemaSet& schemas);
  /// False where the error's place is in none of the package's items; else what the item is goes into `error`.
  bool locate(PackageError& error) const;
  /// The way to the error's place from the top of its file; empty in a file that is none of the package's parts.
  std::vector<std::string> way_to(const PackageError& error) const;
  /// The item to which the names lead, section first, as far as they lead; nothing where there is none.
  std::optional<std::vector<std::string>> item_on(std::span<const std::string> names) const;

 private:
  using Spot = std::tuple<std::string, std::uint32_t, std::uint32_t>;  ///< file, line, column
  struct Mark {
    const schema::Section* section;
    std::vector<std::string> path;
    std::optional<Linked> item;  ///< nothing: a group
  };

  void add(const schema::Section& section, const SectionPart& part);
  void level(const schema::Section& section, Linked at, const std::vector<std::string>& path);
  void mark(const Place& place, std::optional<Mark> what);
  void fill(PackageError& error, const Mark& mark, std::string field) const;
  const config::Document* document_of(const std::string& file) const;
  bool locate_left_out(PackageError& error, const config::Document& document) const;

  const PackageTree& tree_;
  /// What begins there: an item, or something else (nothing), at which the item before it ends.
  std::map<Spot, std::optional<Mark>> marks_;
  std::set<std::vector<std::string>> known_;                               ///< items by section and path
  mutable std::map<std::string, std::optional<config::Document>> parsed_;  ///< files in which an error lies
};

}  // namespace atalaya::packages
