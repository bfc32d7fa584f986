#include <boost/json.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <map>
#include <string>

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

bool wants_json(const config::Options& options) { return options.text("output") == "json"; }

}  // namespace

int check(const config::Options& options) {
  const auto files = io::real_file_system();
  const auto checker = FolderCheck::make(*files);
  if (!checker) return complain(checker.error());
  std::size_t wrong = 0;
  json::array all;
  for (const auto& given : options.arguments("DIR")) {
    const auto slot = (*checker)->check(named_folder(given));
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
