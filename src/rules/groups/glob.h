// Files by a pattern.
#pragma once

#include <string>
#include <vector>

#include "io/file_system.h"

namespace atalaya::rules {

/// Paths of files that match: `*`, `?` and `[a-z]` within each part of the path. Sorted; a pattern without any of
/// these is the path itself, whether it is there or not.
std::vector<std::string> expand_glob(io::FileSystem& files, const std::string& pattern);

}  // namespace atalaya::rules
