#include "packages/world.h"

#include <fmt/format.h>

#include "packages/planner.h"

namespace atalaya::packages {

bool is_awaited(const Error& error) {
  return error.code == ErrorCode::kUnavailable && error.message.ends_with("is awaited");
}

Plan World::plan(const std::optional<std::set<std::string>>& changed, const Files& files) const {
  return Planner(*this, files).make(changed);
}

void World::take(Plan plan) {
  for (const auto& name : plan.removed) {
    slots_.erase(name);
    overriders_.erase(name);
  }
  for (auto& [name, slot] : plan.slots) {
    if (slot.manifest.overrides.empty())
      overriders_.erase(name);
    else
      overriders_.insert(name);
    slots_[name] = std::move(slot);
  }
  parts_ = std::move(plan.parts);
  schemas_ = std::move(plan.schemas);
}

std::shared_ptr<const schema::SchemaSet> World::schemas_of(const std::string& package) const {
  std::string key;
  if (const auto found = slots_.find(package.substr(0, package.find('@'))); found != slots_.end()) {
    std::vector<std::string> names;
    for (const auto& import : found->second.manifest.imports) {
      if (import.package != "base" && import.package != package && parts_.contains(import.package)) {
        names.push_back(import.package);
      }
    }
    const auto own = parts_.find(found->first);
    if (found->first != "base" && own != parts_.end() && (own->second.schemas || own->second.types)) {
      names.push_back(found->first);
    }
    key = fmt::format("{}", fmt::join(names, ","));
  }
  const auto set = schemas_.find(key);
  if (set != schemas_.end()) return set->second;
  const auto base = schemas_.find("");
  return base == schemas_.end() ? nullptr : base->second;
}

LoadContext World::context_of(const std::string& package, const Files& files,
                              std::map<std::string, std::unique_ptr<PackageTree>>& trees,
                              std::map<std::string, config::YamlValue>& values) const {
  const auto specification = package.substr(0, package.find('@'));
  LoadContext out;
  out.tenant = options_.tenant;
  out.name = package;
  out.schemas = schemas_of(package);
  out.run = run_type_script(options_.run, files);
  out.tree_of = [&files, &trees](const std::string& name) -> const PackageTree* {
    auto& slot = trees[name];
    if (!slot) {
      auto sources = files.read(name);
      if (sources.empty()) return nullptr;
      config::Errors errors;
      slot = std::make_unique<PackageTree>(PackageTree::read(name, std::move(sources), errors));
    }
    return slot.get();
  };
  out.read_file = [&files, specification](const std::string& name) { return files.read_file(specification, name); };
  const Planner planner(*this, files);
  out.overrides = planner.overrides_on(specification);
  if (package == specification) return out;
  for (auto& one : planner.overrides_on(package)) out.overrides.push_back(std::move(one));
  const auto slot = slots_.find(package);
  const auto* tree = out.tree_of(specification);
  if (slot != slots_.end() && slot->second.instance && tree != nullptr && out.schemas) {
    config::Errors errors;
    if (auto known = parameter_values(*tree, *out.schemas, &*slot->second.instance, errors)) {
      values = std::move(*known);
      out.values = &values;
    }
  }
  return out;
}

schema::RunTypeScript run_type_script(const RunProgram& run, const Files& files,
                                      std::function<void(TypeQuestion)> note) {
  if (!run) return {};
  return [run, note = std::move(note), read_file = files.read_file](const std::string& package,
                                                                    const std::string& script, std::string_view verb,
                                                                    const std::string& input) -> Result<std::string> {
    AT_TRY(const auto program, read_file(package, script));
    if (auto answer = run(program, verb, input)) return std::move(*answer);
    if (note) note({program, std::string(verb), input});
    return fail(ErrorCode::kUnavailable, "its answer is awaited", "wait a moment");
  };
}

std::string instance_name(const std::string& specification, const std::string& outer, const std::string& name) {
  return outer.empty() ? fmt::format("{}@{}", specification, name)
                       : fmt::format("{}@{}.{}", specification, outer, name);
}

}  // namespace atalaya::packages
