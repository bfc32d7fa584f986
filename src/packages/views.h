// Packages as people look at them. Plain data.
#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "packages/locate.h"
#include "packages/package.h"

namespace atalaya::packages {

/// A line of the list of packages.
struct PackageState {
  std::string name;
  std::string version;  ///< of the version that runs; "" when none does
  std::string title;
  bool broken = false;    ///< the files do not hold; an earlier version runs, if there is one
  bool checking = false;  ///< programs of types are asked whether they hold; meanwhile the same runs
  std::vector<PackageError> errors;
  std::size_t items = 0;                        ///< that run
  std::map<std::string, std::size_t> sections;  ///< how many items each has
  bool specification = false;
  std::optional<InstanceItem> instance;  ///< of an instance: what it was made of
  std::string declared_in;               ///< of an instance: the package that declares it
  bool shipped = false;                  ///< one of that name comes with the program
};

struct FoundInPackage {
  PackagePtr package;  ///< keeps the item alive
  const Item* item = nullptr;
};

struct OverrideView {
  std::string package;  ///< the target
  std::string section;
  std::vector<std::string> path;
  std::vector<std::string> field;
};

struct PackageView {
  PackageState state;
  std::string help;
  std::vector<std::pair<std::string, std::string>> requirements;  ///< package, range
  std::vector<std::string> imports;
  std::vector<std::string> fallbacks;
  std::vector<OverrideView> overrides;  ///< that it lays on others
  struct File {
    std::string file;
    std::uint64_t size_bytes = 0;
    std::string hash;
  };
  std::vector<File> files;
  std::string readme;                              ///< text of README.md
  std::shared_ptr<const schema::Type> parameters;  ///< a record; null: it has none
};

/// Groups and items of a section as they are written.
struct TreeNode {
  std::string name;
  std::string title;
  bool is_item = false;
  bool has_error = false;
  std::vector<TreeNode> children;
};
struct SectionTree {
  std::string section;
  std::string title;
  std::size_t count = 0;
  std::vector<TreeNode> nodes;
};
using TreeView = std::vector<SectionTree>;

/// One value of an item, and why it is so.
struct FieldView {
  std::string field;  ///< "gauge.below.warning"
  std::string value;  ///< for people
  std::string how;    ///< written, default, override, parameter, link
  std::string package;
  Place place;
};

struct ItemView {
  std::string id, package, section, title;
  std::vector<std::string> path;
  Place place;
  std::string file;  ///< "host/package.yaml"
  std::string hash;  ///< of that file's text
  std::string yaml;  ///< the item's own text at indent 0
  boost::json::object written;
  boost::json::object effective;
  std::vector<FieldView> fields;
  std::vector<PackageError> errors;
  std::vector<std::string> overridden_by;
  bool writable = true;  ///< false for items of instances: their specification holds them
};

struct FileView {
  std::string file, text, hash;
};

/// An item's text (at indent 0) in an editor, and what the form changed in it.
struct DraftRequest {
  std::string package, section;
  std::vector<std::string> path;
  std::string yaml;
  std::vector<std::pair<std::vector<std::string>, config::YamlValue>> set;
  std::vector<std::vector<std::string>> unset;
};
struct DraftView {
  std::string yaml;
  boost::json::value written;        ///< null where the text is no YAML
  std::vector<PackageError> errors;  ///< lines and columns within the text
};

}  // namespace atalaya::packages
