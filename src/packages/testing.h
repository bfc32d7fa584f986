// What tests of packages share: the shipped base package, and folders that are texts.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "io/file_system.h"
#include "packages/disk.h"
#include "packages/planner.h"
#include "packages/world.h"

namespace atalaya::packages {

/// The base package of the source tree.
inline std::vector<SourceFile> base_sources() {
  static const std::vector<SourceFile> kSources = [] {
    const auto files = io::real_file_system();
    return read_folder(*files, std::string(AT_SOURCE_DIR) + "/packages/base", "base");
  }();
  return kSources;
}

/// Folders in memory: "p/package.yaml" → text.
inline Files files_of(const std::map<std::string, std::string>& texts) {
  Files out;
  const auto split = [](const std::string& file) {
    return std::pair(file.substr(0, file.find('/')), file.substr(file.find('/') + 1));
  };
  out.list = [texts, split] {
    std::vector<std::string> names;
    for (const auto& [file, text] : texts) {
      if (names.empty() || names.back() != split(file).first) names.push_back(split(file).first);
    }
    return names;
  };
  out.read = [texts, split](const std::string& package) {
    std::vector<SourceFile> sources;
    for (const auto& [file, text] : texts) {
      if (split(file).first == package && is_source(split(file).second)) {
        sources.push_back({file, split(file).second, text, std::nullopt});
      }
    }
    return sources;
  };
  out.last_good = [](const std::string&) { return std::vector<SourceFile>{}; };
  out.read_file = [texts](const std::string& package, const std::string& name) -> Result<std::string> {
    const auto found = texts.find(package + "/" + name);
    if (found == texts.end()) return fail(ErrorCode::kNotFound, "there is no file " + name);
    return found->second;
  };
  out.has_channel_types = [texts](const std::string& package) {
    const auto at = texts.lower_bound(package + "/channels/");
    return at != texts.end() && at->first.starts_with(package + "/channels/");
  };
  return out;
}

/// All of a world made of these folders and the shipped base.
inline World world_of(const std::map<std::string, std::string>& texts) {
  World world({.tenant = default_tenant(), .base = base_sources(), .run = {}, .check_channels = {}, .check_items = {}});
  world.take(world.plan(std::nullopt, files_of(texts)));
  return world;
}

}  // namespace atalaya::packages
