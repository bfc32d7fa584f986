// A package folder as bytes: found, read, fingerprinted, kept.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/file_system.h"
#include "packages/tree.h"

namespace atalaya::packages {

constexpr std::uint64_t kMaxPackageFile = 1 << 20;
constexpr std::size_t kMaxPackageFiles = 10'000;

/// A file of a package folder, by its name within the package.
struct ListedFile {
  std::string name;  ///< "package.yaml", "rules/disk.yaml", "README.md"
  std::uint64_t size_bytes = 0;
  std::uint64_t stamp = 0;
  bool is_link = false;  ///< a symbolic link, which is not followed: it may lead out of the package
};

/// Names of the folders of `path` that are packages (or tenants); "" for a path that is absent.
Result<std::vector<std::string>> list_folders(io::FileSystem& files, const std::string& path);

/// Every file of a package folder and below, sorted by name; hidden ones are left out. too_large beyond
/// kMaxPackageFiles or 8 folders deep.
Result<std::vector<ListedFile>> list_files(io::FileSystem& files, const std::string& path);
/// Changes when a file comes, goes or is written.
std::uint64_t fingerprint(const std::vector<ListedFile>& files);

/// The YAML files of a package folder, those of `tests/` left out, sorted by name. What cannot be read is a
/// file with its error. `shown` is the folder's name in messages.
std::vector<SourceFile> read_folder(io::FileSystem& files, const std::string& path, const std::string& shown);

/// invalid_argument when the path, as far as it is there, leads over a symbolic link, or is none within a package.
Status check_inside(io::FileSystem& files, const std::string& path, const std::string& name);
/// Text of one file; not_found with the package named, invalid_argument for a path that leads out of it.
Result<std::string> read_package_file(io::FileSystem& files, const std::string& path, const std::string& name);

/// Is this a file whose text makes the package what it is (YAML, not of tests/)?
bool is_source(std::string_view name);

}  // namespace atalaya::packages
