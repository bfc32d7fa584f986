// A package folder as bytes: found, read, fingerprinted, kept.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "io/file_system.h"
#include "packages/loader.h"

namespace atalaya::packages {

constexpr std::uint64_t kMaxPackageFile = 1 << 20;

/// Names of the folders of `path` that are packages (or tenants); "" for a path that is absent.
Result<std::vector<std::string>> list_folders(io::FileSystem& files, const std::string& path);

/// The *.yaml of a package folder and of its `channels/`, sorted by name. What cannot be read is a
/// file with its error. `shown` is the folder's name in messages.
std::vector<SourceFile> read_folder(io::FileSystem& files, const std::string& path, const std::string& shown);

/// Changes when any name or byte does.
std::uint64_t fingerprint(const std::vector<SourceFile>& files);

/// Replaces the folder's YAML files by these.
Status write_folder(io::FileSystem& files, const std::string& path, const std::vector<SourceFile>& sources);

/// Checks one package folder on its own, as it would be loaded: for `atalaya check`. `channel_types`
/// are those that other packages define.
Loaded check_folder(io::FileSystem& files, const std::string& path, const std::set<std::string>& channel_types);

}  // namespace atalaya::packages
