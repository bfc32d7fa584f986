// Files by a pattern.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/file_system.h"

namespace atalaya::rules {

/// False for a class that does not close or is empty, and for a backslash at the end.
bool is_glob(std::string_view text);

/// Paths of files that match: `*`, `?` and `[a-z]` within each part of the path. Sorted; a pattern without any of
/// these is the path itself, whether it is there or not.
std::vector<std::string> expand_glob(io::FileSystem& files, const std::string& pattern);

}  // namespace atalaya::rules
