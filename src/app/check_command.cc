#include <fmt/format.h>

#include <cstdio>
#include <map>
#include <string>

#include "app/channels.h"
#include "app/commands.h"
#include "app/tables.h"
#include "app/web_files.h"
#include "config/reader.h"
#include "io/file_system.h"
#include "packages/check.h"
#include "packages/type_scripts.h"

namespace atalaya::app {
namespace {

/// As the server would load it among the packages that ship, with its channels judged by their types.
packages::Slot check_as_server(io::FileSystem& files, const std::string& folder, const Channels& channels,
                               packages::TypeScripts& scripts) {
  packages::WorldOptions options;
  options.tenant = default_tenant();
  options.run = [&](const std::string& program, std::string_view verb, const std::string& input) {
    return scripts.ask(program, verb, input);
  };
  options.check_channels = [&](const auto& list, const auto& types) { return channels.check(list, types); };
  const auto world = packages::world_with_folder(files, folder, shipped_packages(), std::move(options));
  const auto found = world.slots().find(packages::folder_name(folder));
  return found == world.slots().end() ? packages::Slot{} : found->second;
}

std::string counts_of(const packages::Package& package) {
  std::map<std::string, std::size_t> counts;
  for (const auto& item : package.items) ++counts[item.section];
  std::string out;
  for (const auto& [section, count] : counts) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, section);
  return out.empty() ? "nothing" : out;
}

}  // namespace

int check(const config::Options& options) {
  const auto files = io::real_file_system();
  const auto channels = Channels::make([](const TenantId&, const boost::json::object&) { return std::size_t{0}; });
  if (!channels) return complain(channels.error());
  std::size_t wrong = 0;
  packages::TypeScripts scripts;
  for (const auto& folder : options.arguments("DIR")) {
    const auto slot = check_as_server(*files, folder, **channels, scripts);
    auto errors = slot.errors;
    errors.insert(errors.end(), slot.world_errors.begin(), slot.world_errors.end());
    for (const auto& error : errors) fmt::print(stderr, "{}\n", to_string(error));
    if (errors.empty() && slot.running) {
      fmt::print("{}: {} {}: {}\n", folder, slot.running->name, slot.running->version, counts_of(*slot.running));
    }
    wrong += errors.size();
  }
  return wrong == 0 ? 0 : 1;
}

}  // namespace atalaya::app
