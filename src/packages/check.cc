#include "packages/check.h"

#include <algorithm>
#include <map>

#include "packages/disk.h"

namespace atalaya::packages {

std::string folder_name(const std::string& path) {
  auto trimmed = path;
  while (trimmed.size() > 1 && trimmed.ends_with('/')) trimmed.pop_back();
  return trimmed.substr(trimmed.rfind('/') + 1);
}

World world_with_folder(io::FileSystem& files, const std::string& path, const std::vector<ShippedFile>& shipped,
                        WorldOptions options) {
  auto folder = path;
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  const auto own = folder_name(path);
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
    std::vector<std::string> names{own};
    for (const auto& [name, sources] : others) {
      if (name != own) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  };
  from.read = [&](const std::string& package) {
    if (package == own) return read_folder(files, folder, folder);
    auto sources = others[package];
    std::erase_if(sources, [](const auto& file) { return !is_source(file.name); });
    return sources;
  };
  from.last_good = [](const std::string&) { return std::vector<SourceFile>{}; };
  from.read_file = [&](const std::string& package, const std::string& name) -> Result<std::string> {
    if (package == own) return read_package_file(files, folder, name);
    for (const auto& file : others[package]) {
      if (file.name == name) return file.text;
    }
    return fail(ErrorCode::kNotFound, "the package has no file \"" + name + "\"");
  };
  from.has_channel_types = [&](const std::string& package) {
    if (package == own) return files.exists(folder + "/channels");
    return std::any_of(others[package].begin(), others[package].end(),
                       [](const auto& file) { return file.name.starts_with("channels/"); });
  };
  World world(std::move(options));
  world.take(world.plan(std::nullopt, from));
  return world;
}

}  // namespace atalaya::packages
