// Which item an error of a package lies in.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "packages/tree.h"
#include "schema/schema_set.h"

namespace atalaya::packages {

/// An error, and the item that it lies in. Without one (the manifest, a group, a file that is no YAML) the
/// section is "" and so is the rest.
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

 private:
  using Spot = std::tuple<std::string, std::uint32_t, std::uint32_t>;  ///< file, line, column
  struct Mark {
    const schema::Section* section;
    std::vector<std::string> path;
    Linked item;
  };

  void add(const schema::Section& section, const SectionPart& part);
  void level(const schema::Section& section, Linked at, const std::vector<std::string>& path);
  void mark(const Place& place, std::optional<Mark> what);
  void fill(PackageError& error, const Mark& mark, std::string field) const;

  const PackageTree& tree_;
  /// What begins there: an item, or something else (nothing), at which the item before it ends.
  std::map<Spot, std::optional<Mark>> marks_;
};

}  // namespace atalaya::packages
