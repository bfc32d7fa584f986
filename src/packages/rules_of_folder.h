// The one place where rule tests meet the loading of packages.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"
#include "packages/tree.h"
#include "rules/rule.h"

namespace atalaya::packages {

/// The rules of the package in `folder`, of a specification with these values for its parameters (the
/// others have their defaults). Ids begin with the folder's name. `base`: the YAML files of the base package;
/// empty: it lies beside the folder.
Result<std::vector<rules::RuleSpec>> rules_of_folder(io::FileSystem& files, const std::string& folder,
                                                     const std::map<std::string, std::string>& parameters,
                                                     const std::vector<SourceFile>& base = {});

}  // namespace atalaya::packages
