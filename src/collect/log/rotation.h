// What rotation left beside a log file.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace atalaya::collect::log {

/// A file that rotation made of `NAME`: `NAME.1`, `NAME-20261122`, `NAME.old`, also compressed.
struct RotatedFile {
  std::string path;
  dev_t device = 0;
  ino_t inode = 0;
  timespec changed{};  ///< last write to its content
  bool compressed = false;
};

/// What rotation makes of old files is not text.
bool is_compressed(std::string_view path);

/// Regular files beside `path` whose names rotation gives, oldest content first. Looks at no more than
/// ten thousand entries of the folder.
std::vector<RotatedFile> rotated_files(const std::string& path);

}  // namespace atalaya::collect::log
