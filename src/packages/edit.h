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

/// An item's *text* is YAML at indent 0, without its key: first the comments that stand directly above the key (or
/// dash) in the file, then the value. The comment on the key's own line is no part of it and stays.
struct Operation {
  enum class What {
    kSet,            ///< field := value; makes the records on the way ("0": a list with its first item)
    kUnset,          ///< takes the field away
    kCreate,         ///< a new item (or empty group, with a null value) at `at`, of `text`, else of `value`
    kReplace,        ///< the item's whole text := `text`, comments as given; lines that stay keep their bytes
    kRename,         ///< last part of the path := `text`
    kRemove,         ///< item, group or section
    kCopy,           ///< to `to` (its section is that of `at`), with its comments
    kMove,           ///< the same, and taken away
    kWriteFile,      ///< `file` := `text`, made if absent
    kRemoveFile,     ///< `file`
    kCreatePackage,  ///< package.yaml with name, version (`text`, or 0.1.0), title (`value`, if it is a text)
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
/// A mistake in the `text` of an operation has its place within that text, without a file.
Result<std::vector<FileChange>> apply(const FileTexts& files, const std::vector<Operation>& operations,
                                      const FindSection& find);

/// Where an item (group, section) stands, and its text as `Operation` says.
struct FoundItem {
  std::string file;
  Place place;  ///< of its value
  std::string yaml;
};
Result<FoundItem> find_item(const FileTexts& files, const ItemAddress& at, const FindSection& find);

/// Is it a path within a package: relative, no "..", no hidden parts, at most 255 bytes?
bool is_package_path(std::string_view path);

/// Letters, digits, `_`, `-` and `.`, a letter or digit first, at most 64.
bool is_package_name(std::string_view name);

/// Lines of a unified diff (3 lines of context), "" when equal.
std::string unified_diff(const FileChange& change);

}  // namespace atalaya::packages
