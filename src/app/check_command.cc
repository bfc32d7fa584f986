#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/packages_json.h"
#include "app/commands.h"
#include "app/folder_check.h"
#include "app/package_text.h"
#include "app/tables.h"
#include "app/web_files.h"
#include "packages/check.h"
#include "packages/disk.h"
#include "packages/rule_tests.h"

namespace atalaya::app {
namespace {

namespace json = boost::json;

/// The base package beside the folder, else (empty: it is there) the one that ships.
std::vector<packages::SourceFile> base_for(io::FileSystem& files, const std::string& root) {
  std::vector<packages::SourceFile> out;
  if (files.exists(root + "/base")) return out;
  constexpr std::string_view kBase = "base/";
  for (const auto& file : shipped_packages()) {
    if (!file.path.starts_with(kBase)) continue;
    const std::string name(file.path.substr(kBase.size()));
    if (packages::is_source(name)) out.push_back({std::string(file.path), name, std::string(file.bytes), std::nullopt});
  }
  return out;
}

/// Something else than a package's folder.
std::optional<Error> check_folder(io::FileSystem& files, const std::string& given, const std::string& folder) {
  const auto listed = files.list(folder);
  if (!listed) {
    return Error{ErrorCode::kNotFound, fmt::format("there is no folder {}", given), std::nullopt,
                 "give folders of packages"};
  }
  const bool any = std::ranges::any_of(*listed, [](const auto& one) { return packages::is_source(one.name); });
  const auto inner = std::ranges::find_if(
      *listed, [&](const auto& one) { return files.exists(folder + "/" + one.name + "/package.yaml"); });
  if (any || inner == listed->end()) return std::nullopt;
  return Error{ErrorCode::kInvalidArgument, fmt::format("{} is no package, but holds some", given), std::nullopt,
               fmt::format("give their folders, such as {}/{}", given, inner->name)};
}

bool wants_json(const config::Options& options) { return options.text("output") == "json"; }

}  // namespace

int check(const config::Options& options) {
  const auto files = io::real_file_system();
  const auto checker = FolderCheck::make(*files);
  if (!checker) return complain(checker.error());
  std::map<std::string, std::string> folders;  // by the package's name
  std::vector<std::string> named;
  for (const auto& given : options.arguments("DIR")) {
    named.push_back(named_folder(given));
    if (const auto refused = check_folder(*files, given, named.back())) return complain(*refused);
    const auto [other, is_new] = folders.try_emplace(packages::folder_name(named.back()), given);
    if (is_new) continue;
    return complain(
        {ErrorCode::kInvalidArgument,
         fmt::format("{} and {} are the same package: a folder has the package's name", other->second, given),
         std::nullopt, "check them one after the other"});
  }
  const auto slots = (*checker)->check(named);
  std::size_t wrong = 0;
  json::array all;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const auto& slot = slots[i];
    const auto& given = options.arguments("DIR")[i];
    const auto& errors = slot.told;
    wrong += errors.size();
    all.push_back(
        json::object{{"folder", given}, {"version", slot.manifest.version}, {"errors", api::to_json(errors)}});
    if (wants_json(options)) continue;
    for (const auto& error : errors) fmt::print(stderr, "{}\n", to_string(error));
    if (errors.empty() && slot.running) {
      fmt::print("{}: {} {}: {}\n", given, slot.running->name, slot.running->version, counts_of(*slot.running));
    }
  }
  if (wants_json(options)) fmt::print("{}\n", json::serialize(json::object{{"packages", std::move(all)}}));
  return wrong == 0 ? 0 : 1;
}

int test(const config::Options& options) {
  if (options.command().size() > 1) return test_promql(options);
  const auto files = io::real_file_system();
  const bool strict = options.boolean("strict");
  bool good = true;
  json::array all;
  for (const auto& given : options.arguments("DIR")) {
    const auto folder = named_folder(given);
    if (!files->exists(folder)) {
      return complain({ErrorCode::kNotFound, fmt::format("there is no folder {}", given), std::nullopt, {}});
    }
    const auto root = io::parent_path(folder);
    const auto report =
        packages::run_rule_tests(*files, folder, packages::rules_below(*files, root, base_for(*files, root)));
    if (!report) return complain(report.error());
    good = good && (strict ? report->good() : report->faults.empty());
    all.push_back(rule_tests_json(given, *report));
    if (!wants_json(options)) fmt::print("{}", rule_tests_text(given, *report, strict));
  }
  if (wants_json(options)) fmt::print("{}\n", json::serialize(json::object{{"packages", std::move(all)}}));
  return good ? 0 : 1;
}

}  // namespace atalaya::app
