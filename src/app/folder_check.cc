#include "app/folder_check.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "api/occi_check.h"
#include "app/web_files.h"
#include "packages/check.h"
#include "packages/disk.h"
#include "packages/tree.h"

namespace atalaya::app {

Result<std::unique_ptr<FolderCheck>> FolderCheck::make(io::FileSystem& files) {
  std::unique_ptr<FolderCheck> out(new FolderCheck(files));
  const auto nobody = [](const TenantId&, const boost::json::object&) { return std::size_t{0}; };
  AT_TRY(out->channels_, Channels::make(nobody));
  return out;
}

std::vector<packages::Slot> FolderCheck::check(const std::vector<std::string>& folders) {
  packages::WorldOptions options;
  options.tenant = default_tenant();
  options.run = [&](const std::string& program, std::string_view verb, const std::string& input) {
    return scripts_.ask(program, verb, input);
  };
  options.check_channels = [&](const auto& list, const auto& types) { return channels_->check(list, types); };
  options.check_items = api::check_sensor_items;
  const auto world = packages::world_with_folders(files_, folders, shipped_packages(), std::move(options));
  std::vector<packages::Slot> out;
  for (const auto& folder : folders) {
    const auto found = world.slots().find(packages::folder_name(folder));
    out.push_back(found == world.slots().end() ? packages::Slot{} : found->second);
  }
  return out;
}

Result<packages::Archive> read_archive(io::FileSystem& files, const std::string& given) {
  const auto folder = named_folder(given);
  packages::Archive out;
  out.package = packages::folder_name(folder);
  config::Errors errors;
  const auto tree = packages::PackageTree::read(out.package, packages::read_folder(files, folder, folder), errors);
  out.version = tree.manifest().version;
  if (out.version.empty()) {
    if (!errors.empty()) return std::unexpected(errors.front());
    return fail(ErrorCode::kNotFound, fmt::format("{} holds no package", given), "give a folder with a package.yaml");
  }
  AT_TRY(const auto listed, packages::list_files(files, folder));
  for (const auto& file : listed) {
    AT_TRY(out.files[file.name], packages::read_package_file(files, folder, file.name));
  }
  return out;
}

std::string counts_of(const packages::Package& package) {
  std::map<std::string, std::size_t> counts;
  for (const auto& item : package.items) ++counts[item.section];
  std::string out;
  for (const auto& [section, count] : counts) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", section, count);
  return out.empty() ? "nothing" : out;
}

std::string named_folder(const std::string& folder) {
  auto trimmed = folder;
  while (trimmed.size() > 1 && trimmed.ends_with('/')) trimmed.pop_back();
  const auto name = packages::folder_name(trimmed);
  if (name != "." && name != "..") return trimmed;
  std::error_code error;
  const auto whole = std::filesystem::canonical(trimmed, error);
  return error ? trimmed : whole.string();
}

}  // namespace atalaya::app
