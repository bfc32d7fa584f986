// The texts of packages while operations change them. Internal to edit.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/yaml_edit.h"
#include "packages/edit.h"

namespace atalaya::packages {

/// A node of a file.
struct Spot {
  std::string file;
  config::YamlPath path;
};

/// The given texts under change; what is not changed is not copied. Borrows `files`. Thread-compatible.
class Workspace {
 public:
  explicit Workspace(const FileTexts& files) : files_(files) {}

  bool exists(const std::string& file) const { return text(file) != nullptr; }
  const std::string* text(const std::string& file) const;  ///< null: no such file; until the next change
  /// "host/a.yaml", "host/pages/x.html": everything of a package, sorted.
  std::vector<std::string> files_of(const std::string& package) const;
  /// The top-level YAML files that make up the package, package.yaml first.
  std::vector<std::string> parts_of(const std::string& package) const;

  /// The file as YAML to be changed; its error where it is none. The pointer lives until the file is written.
  Result<config::YamlEditor*> editor(const std::string& file);
  /// Null where the path leads nowhere or the file is no YAML. Until the next change of the file.
  const config::Node* node(const Spot& spot);

  void write(const std::string& file, std::string text);
  void remove(const std::string& file);
  std::vector<FileChange> changes() const;  ///< only real ones, sorted by file

 private:
  struct Entry {
    std::optional<std::string> text;  ///< where no editor is open; nullopt: removed
    std::optional<config::YamlEditor> editor;
    std::optional<Error> error;
  };
  const FileTexts& files_;
  std::map<std::string, Entry> entries_;
};

/// Where an address leads in the files of its package.
struct Found {
  /// Where it is written; several where parts of the package share a group or a linked file has it too. The
  /// first one wins. Empty: nowhere.
  std::vector<Spot> spots;
  const schema::Section* section = nullptr;  ///< of the item: one that another contains, too
  bool item = false;                         ///< the path is as long as an item's
  std::vector<bool> listed;                  ///< for each part of the path: is it an item of a list?
  /// Of the longest beginning of the address that is there: its length (0: the section alone, see
  /// `section_there`) and where its children stand, files linked to it included.
  bool section_there = false;
  std::size_t depth = 0;
  std::vector<Spot> holders;
};

/// not_found for an unknown package or section, invalid_argument for a path longer than an item's. Links to
/// files are followed; what cannot be read is an error only where nothing was found.
Result<Found> locate(Workspace& files, const ItemAddress& at, const FindSection& find);

/// The node, and after it the root of every file that its `link:` splices in, those of their links included.
std::vector<Spot> with_links(Workspace& files, const std::string& package, const Spot& spot);
/// Files of `link:`, as they are named; empty where it names another package's item.
std::vector<std::string> linked_files(const config::Node& node);
/// The key field of a list's section.
const std::string& key_field(const schema::Section& section);

/// For messages: "rules host/disk/filling", "rules of host".
std::string words(const ItemAddress& at);

}  // namespace atalaya::packages
