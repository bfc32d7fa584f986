// From the files of one package to what they declare, or to everything that is wrong with them.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "packages/package.h"

namespace atalaya::packages {

/// One file of a package as it was found.
struct SourceFile {
  std::string path;  ///< for messages: "host/package.yaml"
  std::string name;  ///< within the package: "package.yaml", "channels/slack.yaml"
  std::string text;
  std::optional<Error> unreadable;
};

struct Loaded {
  Package package;
  std::vector<Error> errors;  ///< by place; empty: the package is good
};

/// Checks all files together: names, fields, types, expressions, patterns. `channel_types` are the
/// types that other packages of the tenant define. Pure.
Loaded load_package(const TenantId& tenant, const std::string& folder, const std::vector<SourceFile>& files,
                    const std::set<std::string>& channel_types);

/// Letters, digits, `_`, `-` and `.`; begins with a letter or digit; at most 64.
bool is_item_name(std::string_view name);

}  // namespace atalaya::packages
