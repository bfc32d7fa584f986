// A package folder on its own, judged as a server would: for `atalaya check` and for tests of packages.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "io/file_system.h"
#include "packages/service.h"
#include "packages/world.h"

namespace atalaya::packages {

/// The world of the shipped packages with this folder among them, in the place of one of its name. Errors
/// of the folder show in its slot, named by the folder's path as given.
World world_with_folder(io::FileSystem& files, const std::string& path, const std::vector<ShippedFile>& shipped,
                        WorldOptions options);
/// The last part of a path: the package's name.
std::string folder_name(const std::string& path);

}  // namespace atalaya::packages
