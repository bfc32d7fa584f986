#include "packages/check.h"

#include <algorithm>
#include <map>
#include <set>

#include "packages/disk.h"

namespace atalaya::packages {

std::string folder_name(const std::string& path) {
  auto trimmed = path;
  while (trimmed.size() > 1 && trimmed.ends_with('/')) trimmed.pop_back();
  return trimmed.substr(trimmed.rfind('/') + 1);
}

World world_with_folders(io::FileSystem& files, const std::vector<std::string>& paths,
                         const std::vector<ShippedFile>& shipped, WorldOptions options) {
  std::map<std::string, std::string> folders;
  for (auto folder : paths) {
    while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
    folders[folder_name(folder)] = folder;
  }
  std::map<std::string, std::vector<SourceFile>> others;
  for (const auto& file : shipped) {
    const auto slash = file.path.find('/');
    const std::string name(file.path.substr(slash + 1));
    others[std::string(file.path.substr(0, slash))].push_back(
        {std::string(file.path), name, std::string(file.bytes), std::nullopt});
  }
  if (const auto base = others.find("base"); base != others.end()) options.base = base->second;
  Files from;
  from.list = [&] {
    std::set<std::string> names;
    for (const auto& [name, folder] : folders) names.insert(name);
    for (const auto& [name, sources] : others) names.insert(name);
    return std::vector<std::string>(names.begin(), names.end());
  };
  from.read = [&](const std::string& package) {
    if (const auto own = folders.find(package); own != folders.end()) {
      return read_folder(files, own->second, own->second);
    }
    auto sources = others[package];
    std::erase_if(sources, [](const auto& file) { return !is_source(file.name); });
    return sources;
  };
  from.last_good = [](const std::string&) { return std::vector<SourceFile>{}; };
  from.read_file = [&](const std::string& package, const std::string& name) -> Result<std::string> {
    if (const auto own = folders.find(package); own != folders.end()) {
      return read_package_file(files, own->second, name);
    }
    for (const auto& file : others[package]) {
      if (file.name == name) return file.text;
    }
    return fail(ErrorCode::kNotFound, "the package has no file \"" + name + "\"");
  };
  from.has_channel_types = [&](const std::string& package) {
    if (const auto own = folders.find(package); own != folders.end()) return files.exists(own->second + "/channels");
    return std::any_of(others[package].begin(), others[package].end(),
                       [](const auto& file) { return file.name.starts_with("channels/"); });
  };
  World world(std::move(options));
  world.take(world.plan(std::nullopt, from));
  return world;
}

}  // namespace atalaya::packages
