// What a package says of itself, before any section is read.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "config/reader.h"
#include "config/yaml.h"
#include "packages/version.h"

namespace atalaya::packages {

struct Requirement {
  std::string package;
  std::string written;  ///< ">=1.0 <2"
  VersionRange range;
  Place place;
};

/// A package named in `imports` or `fallbacks`.
struct Mention {
  std::string package;
  Place place;
};

/// Changes to single fields of another package's items: `override: {<package>: {<section>: {<path…>: …}}}`.
struct Override {
  std::string package;
  config::Document document;  ///< its root is the mapping of sections
};

struct Manifest {
  std::string version;  ///< "" until a file states it
  std::string title;
  std::string help;
  std::vector<Requirement> requirements;
  std::vector<Mention> imports;    ///< whose types and sections may be used, beside those of base
  std::vector<Mention> fallbacks;  ///< where pages and procedures that are missing here are looked for
  std::vector<Override> overrides;
};

/// Keys that stand beside the sections at the top of a file.
bool is_manifest_key(std::string_view key);

/// Adds what the top of this file says. `folder` is the package's name. Sections are left alone.
void read_manifest(const config::Document& file, const std::string& folder, Manifest& manifest, config::Errors& errors);

/// Letters, digits, `_`, `-` and `.`; begins with a letter or digit; at most 64.
bool is_item_name(std::string_view name);
constexpr std::string_view kItemNameRemedy = "letters, digits, _, - and . ; a letter or digit first; at most 64";

}  // namespace atalaya::packages
