// Package folders on their own, judged as a server would: for `atalaya check` and for tests of packages.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "io/file_system.h"
#include "packages/service.h"
#include "packages/world.h"

namespace atalaya::packages {

/// The world of the shipped packages with these folders among them, each in the place of one of its name. Errors
/// of a folder show in its slot, named by the folder's path as given. Of folders of one name the last counts.
World world_with_folders(io::FileSystem& files, const std::vector<std::string>& paths,
                         const std::vector<ShippedFile>& shipped, WorldOptions options);
/// The last part of a path: the package's name.
std::string folder_name(const std::string& path);

}  // namespace atalaya::packages
