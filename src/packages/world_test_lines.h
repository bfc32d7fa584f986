// What tests of many packages at once share: worlds that change, and their errors as lines.
#pragma once

#include <fmt/format.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "packages/testing.h"

namespace atalaya::packages {

using FolderTexts = std::map<std::string, std::string>;  ///< "p/package.yaml" → text

inline std::string head(const std::string& package, const std::string& version = "1.0.0") {
  return "package: " + package + "\nversion: " + version + "\n";
}
/// A package with one rule a/<name> that is above `warning`.
inline std::string package_with_rule(const std::string& package, const std::string& name, int warning) {
  return head(package) +
         fmt::format("rules:\n  a:\n    {}: {{gauge: {{expr: temp, above: {{warning: {}}}}}}}\n", name, warning);
}

/// All errors of a package (of all packages for ""), its own first.
inline std::vector<std::string> error_lines(const World& world, const std::string& package = "") {
  std::vector<std::string> out;
  for (const auto& [name, slot] : world.slots()) {
    if (!package.empty() && name != package) continue;
    for (const auto& error : slot.errors) out.push_back(to_string(error));
    for (const auto& error : slot.world_errors) out.push_back(to_string(error));
  }
  return out;
}
inline std::vector<std::string> error_lines(const FolderTexts& texts, const std::string& package = "") {
  return error_lines(world_of(texts), package);
}

/// Reads these packages again, as they are in `texts`.
inline void change(World& world, const FolderTexts& texts, const std::set<std::string>& packages) {
  world.take(world.plan(packages, files_of(texts)));
}

inline const Package* running(const World& world, const std::string& package) {
  const auto found = world.slots().find(package);
  return found == world.slots().end() ? nullptr : found->second.running.get();
}

/// The warning level of a running rule; -1 where it does not run.
inline double warning_of(const World& world, const std::string& id) {
  const auto* package = running(world, id.substr(0, id.find('/')));
  if (package == nullptr) return -1;
  for (const auto& rule : package->rules) {
    if (rule.id == id) return std::get<rules::GaugeSpec>(rule.threshold).warning.value_or(-1);
  }
  return -1;
}

inline std::vector<std::string> ids_of(const World& world, const std::string& package) {
  std::vector<std::string> out;
  const auto* it = running(world, package);
  if (it == nullptr) return out;
  for (const auto& item : it->items) out.push_back(item.section + " " + item.id);
  return out;
}

}  // namespace atalaya::packages
