// Fields of packages that others override.

#include <fmt/format.h>

#include <algorithm>

#include "config/suggest.h"
#include "packages/planner.h"

namespace atalaya::packages {
namespace {

/// A scalar or list that an override sets.
struct Leaf {
  std::string path;  ///< "section/group/name/field"
  Place place;
  std::vector<Place> keys;  ///< on the way to it
};

void collect_leaves(const config::Node& node, const Leaf& at, std::vector<Leaf>& out) {
  if (!node.is_mapping()) {
    out.push_back(at);
    out.back().place = node.place();
    return;
  }
  for (const auto& entry : node.entries()) {
    auto next = at;
    next.path += (next.path.empty() ? "" : "/") + entry.key->text();
    next.keys.push_back(entry.key->place());
    collect_leaves(*entry.value, next, out);
  }
}

/// "package:section/group/name/field" → leaf, of all that a manifest overrides.
std::vector<std::pair<std::string, Leaf>> leaves_of(const Manifest& manifest) {
  std::vector<std::pair<std::string, Leaf>> out;
  for (const auto& one : manifest.overrides) {
    std::vector<Leaf> leaves;
    collect_leaves(one.document.root(), {}, leaves);
    for (auto& leaf : leaves) out.emplace_back(one.package + ":" + leaf.path, std::move(leaf));
  }
  return out;
}

}  // namespace

/// Who requires another overrides after it; else names decide, and may not meet on one field.
std::vector<ForeignOverride> Planner::overrides_on(const std::string& package) const {
  std::vector<ForeignOverride> out;
  for (const auto& name : overriders_) {
    if (name == package || rejected_overrides_.contains(name)) continue;
    const auto* it = slot(name);
    if (it == nullptr || (!it->errors.empty() && !it->running)) continue;
    for (const auto& one : it->manifest.overrides) {
      if (one.package == package) out.push_back({name, one.document});
    }
  }
  std::stable_sort(out.begin(), out.end(), [&](const auto& a, const auto& b) {
    std::set<std::string> seen;
    return a.by != b.by && requires_package(b.by, a.by, seen);
  });
  return out;
}

void Planner::check_override_targets() {
  auto names = overriders_;
  for (const auto& [name, manifest] : written_) names.insert(name);
  for (const auto& name : names) {
    if (slot(name) == nullptr) continue;
    for (const auto& one : written(name).overrides) {
      const auto base = one.package.substr(0, one.package.find('@'));
      if (std::binary_search(names_.begin(), names_.end(), base) && name != base) continue;
      complain(name, {ErrorCode::kInvalidArgument,
                      name == base ? std::string("a package does not override itself")
                                   : fmt::format("there is no package \"{}\" to override", one.package),
                      one.document.root().place(),
                      name == base ? "change the item where it stands" : config::suggestion(base, names_)});
    }
  }
}

/// Of what ran before a change, at a start of what ran before it.
const Manifest& Planner::earlier(const std::string& name) {
  const auto [at, is_new] = earlier_.try_emplace(name);
  if (!is_new) return at->second;
  if (const auto old = world_.slots_.find(name); old != world_.slots_.end()) {
    if (old->second.running) at->second = old->second.manifest;
    return at->second;
  }
  config::Errors told;  // it held
  if (auto sources = files_.last_good(name); !sources.empty()) {
    at->second = PackageTree::read(name, std::move(sources), told).manifest();
  }
  return at->second;
}

/// Two packages of which none requires the other may not override one field: it belongs to who overrode it before,
/// else to the first by name. What does not hold takes a field from nobody, unless it goes on as it ran.
void Planner::check_override_conflicts() {
  struct Claim {
    int rank;  ///< 0: it had the field before; 2: it does not hold
    std::string by;
    Leaf leaf;
    bool silent = false;  ///< what runs of a package whose files say something else now
  };
  std::map<std::string, std::vector<Claim>> claims;
  auto names = overriders_;
  for (const auto& [name, manifest] : written_) names.insert(name);
  for (const auto& name : names) {
    const auto* it = slot(name);
    if (it == nullptr) continue;
    const bool holds = !written_.contains(name) && !rejected_overrides_.contains(name);
    for (auto& [field, leaf] : leaves_of(written(name))) {
      // Who overrides what is not there has been told so, and takes nothing from anybody.
      const auto target = field.substr(0, field.find_first_of(":@"));
      if (!std::binary_search(names_.begin(), names_.end(), target)) continue;
      claims[field].push_back({holds ? 1 : 2, name, std::move(leaf)});
    }
    if (holds || !it->running || rejected_overrides_.contains(name)) continue;
    for (auto& [field, leaf] : leaves_of(it->manifest)) claims[field].push_back({0, name, std::move(leaf), true});
  }
  std::set<std::string> culprits;
  for (auto& [field, list] : claims) {
    if (list.size() < 2) continue;
    for (auto& claim : list) {
      const auto had = leaves_of(earlier(claim.by));
      const bool before = std::any_of(had.begin(), had.end(), [&](const auto& one) { return one.first == field; });
      if (claim.rank == 1 && before) claim.rank = 0;
    }
    std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.rank < b.rank; });
    const auto& owner = list.front();
    if (owner.rank == 2) continue;
    for (const auto& claim : list) {
      std::set<std::string> seen;
      std::set<std::string> seen_back;
      if (claim.silent || claim.by == owner.by || is_told_at(claim.by, claim.leaf.keys, claim.leaf.place) ||
          requires_package(claim.by, owner.by, seen) || requires_package(owner.by, claim.by, seen_back)) {
        continue;
      }
      complain(claim.by, {ErrorCode::kInvalidArgument,
                          fmt::format("package {} overrides {} of {} too, at {}", owner.by, claim.leaf.path,
                                      field.substr(0, field.find(':')), to_string(owner.leaf.place)),
                          claim.leaf.place, "let one of the two require the other: it wins"});
      if (claim.rank < 2) culprits.insert(claim.by);
    }
  }
  reject(culprits);
}

/// Is something wrong there already? Then the field means nothing that could meet another's.
bool Planner::is_told_at(const std::string& package, const std::vector<Place>& keys, const Place& place) const {
  const auto told = complaints_.find(package);
  return told != complaints_.end() && std::any_of(told->second.begin(), told->second.end(), [&](const Error& error) {
           return error.place &&
                  (*error.place == place || std::find(keys.begin(), keys.end(), *error.place) != keys.end());
         });
}

/// What is wrong with overrides of a package that does not hold is told along with the rest; they are laid on
/// nothing that runs.
void Planner::try_written_overrides() {
  for (const auto& [name, manifest] : written_) {
    for (const auto& one : manifest.overrides) try_override(name, one);
  }
}

void Planner::try_override(const std::string& by, const Override& one) {
  const auto package = one.package.substr(0, one.package.find('@'));
  const auto* target = slot(one.package);
  const auto* tree = target == nullptr || package == by ? nullptr : tree_of(package);
  if (tree == nullptr) return;  // told by check_overrides, or there is no such instance
  config::Errors told;          // by the target itself
  auto with = context(one.package, package);
  std::erase_if(with.overrides, [&](const auto& other) { return other.by == by; });
  with.overrides.push_back({by, one.document});
  with.schemas = schemas_for(package, told);
  std::optional<std::map<std::string, config::YamlValue>> values;
  if (target->instance || tree->has_section("parameters")) {
    values = parameter_values(*tree, *with.schemas, target->instance ? &*target->instance : nullptr, told);
    if (!values) return;
    with.values = &*values;
  }
  for (auto& error : load_package(*tree, with).errors) {
    if (error.place && error.place->file == one.document.root().place().file) complain(by, std::move(error));
  }
}

/// What an override broke is its own package's mistake: it goes on as it ran before, or without overrides.
/// Did any break something?
bool Planner::reject_overrides(const std::vector<ForeignOverride>& overrides, std::vector<Error>& errors) {
  std::set<std::string> culprits;
  for (const auto& error : errors) {
    for (const auto& override : overrides) {
      if (!error.place || override.document.root().place().file != error.place->file) continue;
      complain(override.by, error);
      culprits.insert(override.by);
    }
  }
  reject(culprits);
  return !culprits.empty();
}

/// All of a package's overrides, or none: also those on packages that were looked at before.
void Planner::reject(const std::set<std::string>& culprits) {
  std::set<std::string> targets;
  for (const auto& name : culprits) {
    auto& it = change(name);
    for (const auto& one : it.manifest.overrides) targets.insert(one.package.substr(0, one.package.find('@')));
    const auto old = world_.slots_.find(name);
    if (old != world_.slots_.end() && old->second.running && restored_overrides_.insert(name).second) {
      it.manifest = old->second.manifest;
    } else {
      rejected_overrides_.insert(name);
    }
  }
  for (const auto& target : targets) {
    if (plan_.slots.contains(target)) check_again(target);
  }
}

}  // namespace atalaya::packages
