// Changes to the files of packages, as people ask for them: only the bytes that must change do.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/yaml_value.h"
#include "schema/section.h"

namespace atalaya::packages {

/// The files of all packages that a change may touch: "host/package.yaml" → text.
using FileTexts = std::map<std::string, std::string>;

/// Where an item (or a group of them) is written: a tree's index values outermost first; a list's or
/// nested section's key. Empty: the whole section.
struct ItemAddress {
  std::string package;
  std::string section;
  std::vector<std::string> path;
};

struct Operation {
  enum class What {
    kSet,            ///< field := value; makes the records on the way
    kUnset,          ///< takes the field away
    kCreate,         ///< a new item (or empty group, with a null value) at `at`
    kReplace,        ///< the item's whole text := `text` (YAML at indent 0), comments as given
    kRename,         ///< last part of the path := `text`
    kRemove,         ///< item, group or section
    kCopy,           ///< to `to`, with the comments above it
    kMove,           ///< the same, and taken away
    kWriteFile,      ///< `file` := `text`, made if absent
    kRemoveFile,     ///< `file`
    kCreatePackage,  ///< package.yaml with name, version (`text`, or 0.1.0)
    kRemovePackage,
  };
  What what = What::kSet;
  ItemAddress at;
  std::vector<std::string> field;  ///< within the item: {"gauge","below","warning"}; list items by number
  config::YamlValue value;
  std::string text;
  std::string file;  ///< within the package; for kCreate: where, "" for the file that holds the section
  ItemAddress to;
};

/// A file before and after; nullopt: absent.
struct FileChange {
  std::string file;  ///< "host/package.yaml"
  std::optional<std::string> before;
  std::optional<std::string> after;
  bool operator==(const FileChange&) const = default;
};

/// The shape of a section, for finding items in files. Null: unknown section.
using FindSection = std::function<const schema::Section*(std::string_view name)>;

/// All operations one after the other, or the first error with the place or the operation's number in
/// words; files are not written here. Comments, order, quoting and untouched bytes stay: each step is
/// proved by reading the new text. `link:` to files of the package is followed: the item is edited where
/// it stands. not_found, already_exists, invalid_argument, unprocessable (an alias would carry the change).
Result<std::vector<FileChange>> apply(const FileTexts& files, const std::vector<Operation>& operations,
                                      const FindSection& find);

/// Where an item stands, and its text at indent 0 with the comments above it.
struct FoundItem {
  std::string file;
  Place place;
  std::string yaml;
};
Result<FoundItem> find_item(const FileTexts& files, const ItemAddress& at, const FindSection& find);

/// Is it a path within a package: relative, no "..", no hidden parts, at most 255 bytes?
bool is_package_path(std::string_view path);

/// Lines of a unified diff (3 lines of context), "" when equal.
std::string unified_diff(const FileChange& change);

}  // namespace atalaya::packages
