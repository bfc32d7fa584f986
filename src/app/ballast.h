// Room on the disk that nobody uses, for the day when there is none: DATA/ballast.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "io/file_system.h"

namespace atalaya::app {

/// What starts on a full disk, or gives room by writing first (a deletion), needs a little. So a file is kept
/// that is given up for it. Thread-safe as far as its file system is; `keep` by one thread.
class Ballast {
 public:
  /// `bytes` 0: none is kept.
  Ballast(io::FileSystem& files, const std::string& folder, std::uint64_t bytes)
      : files_(files), folder_(folder), path_(folder + "/ballast"), bytes_(bytes) {}

  /// Makes the file where there is none and twice of it is free; removes it where none is to be.
  Status keep();
  /// Removes the file, when less than half of it is free on the disk, or none is to be. Whether it did.
  bool give_up_if_full();

 private:
  io::FileSystem& files_;
  const std::string folder_;
  const std::string path_;
  const std::uint64_t bytes_;
};

}  // namespace atalaya::app
