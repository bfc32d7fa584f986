// Prometheus' rule files on the disk: read, checked, told of.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/reader.h"
#include "io/file_system.h"
#include "rules/groups/read_group.h"

namespace atalaya::app {

struct RuleFile {
  std::string path;
  std::vector<rules::GroupSpec> groups;  ///< not all where there are errors
  config::Errors errors;                 ///< every one with its place
};

/// A text of a rule file. `path` is for people, and part of the groups' ids.
RuleFile read_rule_text(std::string text, const std::string& path, const TenantId& tenant, bool ignore_unknown = false);
/// The same from the disk.
RuleFile read_rule_file(io::FileSystem& files, const std::string& path, const TenantId& tenant,
                        bool ignore_unknown = false);

/// All files of `--rule-files`, by patterns, for one tenant: all or nothing.
struct RuleFiles {
  std::vector<rules::GroupSpec> groups;
  config::Errors errors;
};
RuleFiles read_rule_files(io::FileSystem& files, const std::vector<std::string>& patterns, const TenantId& tenant);

}  // namespace atalaya::app
