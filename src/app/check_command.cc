#include <fmt/format.h>

#include <cstdio>
#include <set>

#include "app/commands.h"
#include "app/tables.h"
#include "app/web_files.h"
#include "io/file_system.h"
#include "packages/disk.h"

namespace atalaya::app {
namespace {

/// The HTTP channel types that every tenant has.
std::set<std::string> shipped_channel_types() {
  constexpr std::string_view kFolder = "base/channels/";
  std::set<std::string> types;
  for (const auto& file : shipped_packages()) {
    if (!file.path.starts_with(kFolder) || !file.path.ends_with(".yaml")) continue;
    const auto name = file.path.substr(kFolder.size());
    types.emplace(name.substr(0, name.size() - std::string_view(".yaml").size()));
  }
  return types;
}

}  // namespace

int check(const config::Options& options) {
  const auto files = io::real_file_system();
  const auto types = shipped_channel_types();
  std::size_t wrong = 0;
  for (const auto& folder : options.arguments("DIR")) {
    const auto loaded = packages::check_folder(*files, folder, types);
    for (const auto& error : loaded.errors) fmt::print(stderr, "{}\n", to_string(error));
    if (loaded.errors.empty()) {
      fmt::print("{}: {} {}: {} rules, {} collectors, {} channels\n", folder, loaded.package.name,
                 loaded.package.version, loaded.package.rules.size(), loaded.package.collectors.size(),
                 loaded.package.channels.size());
    }
    wrong += loaded.errors.size();
  }
  return wrong == 0 ? 0 : 1;
}

}  // namespace atalaya::app
