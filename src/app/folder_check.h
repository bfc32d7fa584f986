// Package folders on this machine: judged as a server would, and made into archives.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/channels.h"
#include "base/result.h"
#include "io/file_system.h"
#include "packages/archive.h"
#include "packages/type_scripts.h"
#include "packages/world.h"

namespace atalaya::app {

/// Judges folders among the packages that ship, channels by their types. Thread-compatible; borrows `files`.
class FolderCheck {
 public:
  static Result<std::unique_ptr<FolderCheck>> make(io::FileSystem& files);

  /// What becomes of each, side by side.
  std::vector<packages::Slot> check(const std::vector<std::string>& folders);

 private:
  explicit FolderCheck(io::FileSystem& files) : files_(files) {}

  io::FileSystem& files_;
  std::unique_ptr<Channels> channels_;
  const SystemClock clock_;
  packages::TypeScripts scripts_{clock_};
};

/// Every file of the folder, whether it holds or not. An error where its files state no version.
Result<packages::Archive> read_archive(io::FileSystem& files, const std::string& folder);

/// "dashboards 3, rules 12".
std::string counts_of(const packages::Package& package);
/// `.` and `..` have no package's name: the whole path then.
std::string named_folder(const std::string& folder);

}  // namespace atalaya::app
