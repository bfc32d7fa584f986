#include <fmt/format.h>

#include <cstdio>
#include <set>

#include "app/channels.h"
#include "app/commands.h"
#include "app/tables.h"
#include "app/web_files.h"
#include "config/reader.h"
#include "io/file_system.h"
#include "packages/disk.h"

namespace atalaya::app {
namespace {

/// The HTTP channel types that every tenant has.
std::vector<packages::ChannelTypeFile> shipped_channel_types() {
  constexpr std::string_view kFolder = "base/channels/";
  constexpr std::string_view kEnding = ".yaml";
  std::vector<packages::ChannelTypeFile> types;
  for (const auto& file : shipped_packages()) {
    if (!file.path.starts_with(kFolder) || !file.path.ends_with(kEnding)) continue;
    const auto name = file.path.substr(kFolder.size());
    types.push_back(
        {std::string(name.substr(0, name.size() - kEnding.size())), std::string(file.path), std::string(file.bytes)});
  }
  return types;
}

/// As the server loads it: by the rules of packages, then by those of its channels' types.
packages::Loaded check_as_server(io::FileSystem& files, const std::string& folder, const Channels& channels) {
  auto types = shipped_channel_types();
  std::set<std::string> names;
  for (const auto& type : types) names.insert(type.name);
  auto loaded = packages::check_folder(files, folder, names);
  types.insert(types.end(), loaded.package.channel_types.begin(), loaded.package.channel_types.end());
  const auto more = channels.check(loaded.package.channels, types);
  loaded.errors.insert(loaded.errors.end(), more.begin(), more.end());
  config::sort_by_place(loaded.errors);
  return loaded;
}

}  // namespace

int check(const config::Options& options) {
  const auto files = io::real_file_system();
  const auto channels = Channels::make([](const TenantId&, const boost::json::object&) { return std::size_t{0}; });
  if (!channels) return complain(channels.error());
  std::size_t wrong = 0;
  for (const auto& folder : options.arguments("DIR")) {
    const auto loaded = check_as_server(*files, folder, **channels);
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
