// The files of one package as trees, before anybody knows what its sections mean.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/reader.h"
#include "config/yaml.h"
#include "packages/manifest.h"

namespace atalaya::packages {

/// One YAML file of a package as it was found.
struct SourceFile {
  std::string path;  ///< for messages: "DATA/packages/default/host/package.yaml"
  std::string name;  ///< within the package: "package.yaml", "rules/disk.yaml", "channels/slack.yaml"
  std::string text;
  std::optional<Error> unreadable;
};

/// A section's value in one of the files.
struct SectionPart {
  std::string section;
  Place place;  ///< of its key
  config::Document document;
  const config::Node* value = nullptr;
};

/// A tree and a node of it that is looked at: what links lead to.
struct Linked {
  config::Document document;
  const config::Node* node = nullptr;
};

/// Files that begin with `package:` are the package's parts; others wait for a `link:`. Thread-compatible.
class PackageTree {
 public:
  /// Parses; every mistake becomes an error with its place. `channels/*.yaml` and `tests/` are not looked at.
  static PackageTree read(std::string name, std::vector<SourceFile> files, config::Errors& errors);

  const std::string& name() const { return name_; }
  const Manifest& manifest() const { return manifest_; }
  const std::vector<SectionPart>& parts() const { return parts_; }
  const std::vector<SourceFile>& files() const { return files_; }
  bool has_section(std::string_view section) const;
  /// Text of a file by its path for messages; "" if it is none of this package.
  std::string_view text_of(const std::string& path) const;

  /// The mapping with what its `link:` names (a YAML file of the package, or several) put below its own keys.
  /// The node itself where it links to no file; nothing after errors.
  std::optional<Linked> follow(Linked mapping, config::Errors& errors) const;
  /// A section of a few plain levels, links followed: what schemas and types are read from. Null if absent.
  std::optional<Linked> whole_section(std::string_view section, config::Errors& errors) const;

 private:
  const SourceFile* find_file(std::string_view name) const;
  std::optional<Linked> follow(Linked mapping, std::vector<std::string>& on_the_way, config::Errors& errors) const;

  std::string name_;
  Manifest manifest_;
  std::vector<SectionPart> parts_;
  std::vector<SourceFile> files_;
};

/// Does the value of `link:` name files (ends in .yaml or .yml), rather than an item?
bool links_to_files(const config::Node& link);

}  // namespace atalaya::packages
