// Packages among each other: what they require, override and refer to, and their instances.

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <unordered_set>

#include "config/suggest.h"
#include "packages/planner.h"

namespace atalaya::packages {
namespace {

/// The scalar that begins last at or before the place, in a document of that file.
const config::Node* scalar_at(const config::Node& node, const Place& place) {
  if (node.is_scalar()) {
    const auto& begin = node.place();
    return std::tie(begin.line, begin.column) <= std::tie(place.line, place.column) ? &node : nullptr;
  }
  const config::Node* best = nullptr;
  const auto look = [&](const config::Node& part) {
    const auto* found = scalar_at(part, place);
    if (found != nullptr && (best == nullptr || best->begin() <= found->begin())) best = found;
  };
  for (const auto& entry : node.entries()) {
    look(*entry.key);
    look(*entry.value);
  }
  for (const auto* item : node.items()) look(*item);
  return best;
}

constexpr std::size_t kMaxNesting = 8;

bool same_instance(const InstanceItem& a, const InstanceItem& b) {
  return a.specification == b.specification && a.name == b.name && a.title == b.title && a.values == b.values;
}

}  // namespace

const Slot* Planner::slot(const std::string& name) const {
  if (const auto planned = plan_.slots.find(name); planned != plan_.slots.end()) return &planned->second;
  if (plan_.removed.contains(name)) return nullptr;
  const auto found = world_.slots_.find(name);
  return found == world_.slots_.end() ? nullptr : &found->second;
}

Slot& Planner::change(const std::string& name) {
  const auto [planned, is_new] = plan_.slots.try_emplace(name);
  if (is_new) {
    if (const auto found = world_.slots_.find(name); found != world_.slots_.end()) planned->second = found->second;
  }
  return planned->second;
}

std::vector<std::string> Planner::present() const {
  std::vector<std::string> out;
  for (const auto& name : names_) {
    if (slot(name) != nullptr) out.push_back(name);
  }
  return out;
}

bool Planner::is_checking(const std::string& package) const {
  const auto* it = slot(package);
  if (it == nullptr || !std::all_of(it->errors.begin(), it->errors.end(), is_awaited)) return false;
  const auto found = complaints_.find(package);
  if (found == complaints_.end()) return !it->errors.empty();
  return std::all_of(found->second.begin(), found->second.end(), is_awaited);
}

/// What is said to who needs a package that does not run.
Error Planner::not_running(const std::string& package, std::string broken, const Place& place) const {
  if (is_checking(package)) {
    return {ErrorCode::kUnavailable, fmt::format("what programs say about {} is awaited", package), place,
            "wait a moment"};
  }
  return {ErrorCode::kInvalidArgument, std::move(broken), place, "mend it first: its own errors say what is wrong"};
}

bool Planner::complain(const std::string& package, Error error) {
  auto& list = complaints_[package];
  if (std::find(list.begin(), list.end(), error) != list.end()) return false;
  list.push_back(std::move(error));
  return true;
}

Plan Planner::make(const std::optional<std::set<std::string>>& wanted) {
  all_ = !wanted;
  auto changed = wanted ? *wanted : std::set<std::string>(names_.begin(), names_.end());
  for (const auto& [name, slot] : world_.slots_) {
    if (slot.instance || std::binary_search(names_.begin(), names_.end(), name)) continue;
    plan_.removed.insert(name);
    changed.insert(name);
  }
  read_parts(changed);
  // Schemas that differ are the rules of everybody.
  if (plan_.schemas.empty() && !all_) changed.insert(names_.begin(), names_.end());
  for (const auto& name : followers(changed)) changed.insert(name);
  for (const auto& name : changed) check(name);
  // A target is looked at again when those who override it changed, before or after.
  std::set<std::string> targets;
  for (const auto& name : changed) {
    if (const auto old = world_.slots_.find(name); old != world_.slots_.end()) {
      for (const auto& one : old->second.manifest.overrides) targets.insert(one.package);
    }
    if (const auto* now = slot(name)) {
      for (const auto& one : now->manifest.overrides) targets.insert(one.package);
    }
  }
  for (const auto& target : targets) {
    const auto at = target.find('@');
    changed.insert(target.substr(0, at));
    if (slot(target.substr(0, at)) != nullptr) check_again(target.substr(0, at));
  }
  check_requirements();
  find_cycles();
  check_override_targets();
  try_written_overrides();
  check_override_conflicts();
  make_instances(changed);
  try_written_overrides();  // those of instances
  check_references();
  check_broken_requirements(changed);
  keep_complaints(changed);
  collect_errors(changed, wanted);
  return std::move(plan_);
}

/// Packages that are looked at again with these: copies of others' items follow them, and what failed among the
/// others may hold now.
std::set<std::string> Planner::followers(const std::set<std::string>& changed) const {
  std::set<std::string> out;
  for (const auto& [name, slot] : world_.slots_) {
    if (slot.instance) continue;
    const auto has_changed = [&](const std::string& other) { return changed.contains(other); };
    if (!slot.world_errors.empty() || std::any_of(slot.asked.begin(), slot.asked.end(), has_changed)) out.insert(name);
  }
  return out;
}

void Planner::check_requirements() {
  for (const auto& name : present()) {
    const auto& manifest = written(name);
    for (const auto& need : manifest.requirements) {
      const auto* other = slot(need.package);
      if (other == nullptr || !std::binary_search(names_.begin(), names_.end(), need.package)) {
        complain(name, {ErrorCode::kInvalidArgument, fmt::format("package {} is required and absent", need.package),
                        need.place, config::suggestion(need.package, names_)});
        continue;
      }
      const auto version = Version::parse(other->manifest.version.empty() ? "0" : other->manifest.version);
      if (version && !need.range.holds(*version)) {
        complain(name, {ErrorCode::kInvalidArgument,
                        fmt::format("package {} {} is required; here is {}", need.package, need.written,
                                    other->manifest.version),
                        need.place, "install another version, or widen the range"});
      }
    }
    for (const auto* list : {&manifest.imports, &manifest.fallbacks}) {
      for (const auto& mention : *list) {
        if (std::binary_search(names_.begin(), names_.end(), mention.package)) continue;
        complain(name, {ErrorCode::kInvalidArgument, fmt::format("there is no package \"{}\"", mention.package),
                        mention.place, config::suggestion(mention.package, names_)});
      }
    }
  }
}

/// A package that does not run is missing as much as one that is not there; so is one that requires such a one.
void Planner::check_broken_requirements(const std::set<std::string>& changed) {
  // As keep_complaints decides it: what ran before goes on.
  const auto will_run = [&](const std::string& name) {
    const auto* it = slot(name);
    const bool held_up = changed.contains(name) && it->errors.empty() && complaints_.contains(name);
    if (!held_up) return it->running != nullptr;
    const auto old = world_.slots_.find(name);
    return old != world_.slots_.end() && old->second.running != nullptr;
  };
  const auto names = present();
  for (bool more = true; more;) {
    more = false;
    for (const auto& name : names) {
      for (const auto& need : written(name).requirements) {
        if (slot(need.package) == nullptr || need.package == "base" || will_run(need.package)) continue;
        std::set<std::string> seen;
        if (need.package == name || requires_package(need.package, name, seen, true)) continue;  // told as a circle
        auto broken = fmt::format("package {} is required and is broken", need.package);
        more = complain(name, not_running(need.package, std::move(broken), need.place)) || more;
      }
    }
  }
}

const Manifest& Planner::written(const std::string& name) const {
  const auto found = written_.find(name);
  return found == written_.end() ? slot(name)->manifest : found->second;
}

bool Planner::requires_package(const std::string& who, const std::string& what, std::set<std::string>& seen,
                               bool as_written) const {
  const auto* it = slot(who);
  if (it == nullptr || !seen.insert(who).second) return false;
  const auto& manifest = as_written ? written(who) : it->manifest;
  const auto leads = [&](const std::string& next) {
    return next == what || requires_package(next, what, seen, as_written);
  };
  return std::any_of(manifest.requirements.begin(), manifest.requirements.end(),
                     [&](const auto& need) { return leads(need.package); }) ||
         std::any_of(manifest.imports.begin(), manifest.imports.end(),
                     [&](const auto& import) { return leads(import.package); });
}

void Planner::find_cycles() {
  for (const auto& name : present()) {
    const auto& manifest = written(name);
    const auto report = [&](const std::string& package, const Place& place, std::string_view how) {
      std::set<std::string> seen;
      if (package != name && !requires_package(package, name, seen, true)) return;
      complain(name,
               {ErrorCode::kInvalidArgument, fmt::format("{} {} {}, which leads back to {}", name, how, package, name),
                place, "take one of the steps of this circle away"});
    };
    for (const auto& need : manifest.requirements) report(need.package, need.place, "requires");
    for (const auto& import : manifest.imports) report(import.package, import.place, "imports");
  }
}

void Planner::check_references() {
  constexpr std::size_t kMostHelped = 20;
  std::size_t told = 0;
  /// The id that was most likely meant; of many mistakes the first are helped.
  const auto meant = [&](const schema::Reference& reference) -> std::string {
    const auto slash = std::min(reference.target.find('/'), reference.target.size());
    const auto package = reference.target.substr(0, slash);
    const auto* it = slot(package);
    std::string near;
    if (++told > kMostHelped) {
      // Distances over all ids of a package would hold up the plan.
    } else if (it == nullptr) {
      near = config::closest(package, present());
      if (!near.empty()) near += reference.target.substr(slash);
    } else if (it->running) {
      const bool any = reference.section.empty() || schema::is_any(reference.section);
      std::vector<std::string> ids;
      for (const auto& item : it->running->items) {
        if (any || item.section == reference.section) ids.push_back(item.id);
      }
      near = config::closest(reference.target, ids);
    }
    return near.empty() ? "name an item that exists, as package/group/name" : fmt::format("did you mean \"{}\"?", near);
  };
  const auto exists = [&](const schema::Reference& reference) {
    const auto package = reference.target.substr(0, reference.target.find('/'));
    const auto* it = slot(package);
    if (it == nullptr || !it->running) return false;
    const auto& items = it->running->items;
    if (!schema::is_any(reference.section) && !reference.section.empty()) {
      return it->running->find(reference.section, reference.target) != nullptr;
    }
    return std::any_of(items.begin(), items.end(), [&](const auto& item) { return item.id == reference.target; });
  };
  const auto look_at = [&](const std::string& name, const Slot& it) {
    const auto broken = broken_.find(name);
    const auto& package = broken == broken_.end() ? it.running : broken->second;
    if (!package) return;
    for (const auto& one : package->foreign) {
      if (exists(one.reference)) continue;
      const auto target = one.reference.target.substr(0, one.reference.target.find('/'));
      const auto* other = slot(target);
      auto absent = fmt::format("there is no item \"{}\"", one.reference.target);
      complain(it.instance ? it.declared_in : name,
               other != nullptr && !other->running && is_checking(target)
                   ? not_running(target, std::move(absent), one.reference.place)
                   : Error{ErrorCode::kInvalidArgument, std::move(absent), one.reference.place, meant(one.reference)});
    }
  };
  for (const auto& name : present()) look_at(name, *slot(name));
  for (const auto& [name, place] : wanted_instances_) look_at(name, *slot(name));
}

/// Whether the package had the instance before this change, at a start before that.
bool Planner::had_instance(const std::string& package, const InstanceItem& item) {
  if (world_.slots_.contains(package)) {
    const auto old = world_.slots_.find(instance_name(item.specification, "", item.name));
    return old != world_.slots_.end() && old->second.declared_in == package;
  }
  if (broken_.contains(package)) return true;  // it is the last good version that runs
  const auto [at, is_new] = as_it_ran_.try_emplace(package, false);
  if (is_new) {
    const auto before = files_.last_good(package);
    at->second = !before.empty() && std::ranges::equal(before, files_.read(package), [](const auto& a, const auto& b) {
      return a.name == b.name && a.text == b.text;
    });
  }
  return at->second;
}

/// Who has an instance keeps it: another one of that name, which comes later, takes it from nobody.
void Planner::make_instances(const std::set<std::string>& changed) {
  for (const bool had : {true, false}) {
    for (const auto& name : present()) {
      const auto* it = slot(name);
      if (!it->running || it->running->specification) continue;
      const auto running = it->running;
      for (const auto& item : running->instances) {
        if (had_instance(name, item) != had) continue;
        std::vector<std::string> chain;
        make_instance(item, "", name, chain, changed);
      }
    }
  }
  for (const auto& [name, it] : world_.slots_) {
    if (it.instance && !wanted_instances_.contains(name)) plan_.removed.insert(name);
  }
  for (const auto& [name, package] : broken_) {
    for (const auto& item : package->specification ? std::vector<InstanceItem>{} : package->instances) {
      check_instance(item, name);
    }
  }
}

/// There is no such package, it does not run, or it has no parameters.
void Planner::complain_about_specification(const InstanceItem& item, const std::string& declared_in) {
  const auto tell = [&](std::string message, std::string remedy) {
    complain(declared_in, {ErrorCode::kInvalidArgument, std::move(message), item.origin, std::move(remedy)});
  };
  const auto* it = slot(item.specification);
  if (it != nullptr && !it->running) {
    complain(declared_in, not_running(item.specification,
                                      fmt::format("the specification {} is broken", item.specification), item.origin));
    return;
  }
  std::vector<std::string> known;
  for (const auto& name : present()) {
    const auto* other = slot(name);
    if (other->running && other->running->specification) known.push_back(name);
  }
  auto remedy = known.empty() ? std::string("a specification is a package with parameters:")
                              : config::suggestion(item.specification, known);
  if (it == nullptr) return tell(fmt::format("\"{}\" is no specification", item.specification), std::move(remedy));
  tell(fmt::format("{} is no specification: it has no parameters", item.specification), std::move(remedy));
}

/// What is wrong with an instance of a package that does not hold is told along with the rest.
void Planner::check_instance(const InstanceItem& item, const std::string& declared_in) {
  const auto* specification = slot(item.specification);
  if (specification == nullptr || !specification->running || !specification->running->specification) {
    return complain_about_specification(item, declared_in);
  }
  config::Errors errors;
  const auto schemas = schemas_for(item.specification, errors);
  const auto* tree = tree_of(item.specification);
  if (tree != nullptr && schemas) parameter_values(*tree, *schemas, &item, errors);
  for (auto& error : errors) complain(declared_in, std::move(error));
}

namespace {

/// The text as it is written where the error is; "" where there is none.
std::string text_at(const PackageTree& package, const Error& error) {
  if (!error.place) return {};
  const auto document = config::Document::parse(std::string(package.text_of(error.place->file)), error.place->file);
  const auto* scalar = document ? scalar_at(document->root(), *error.place) : nullptr;
  return scalar == nullptr ? std::string() : scalar->text();
}

}  // namespace

/// Scalars with `${…}` hold with the specification's samples. What is wrong with one is the value that the
/// instance gives, which stands elsewhere.
void blame_value(const PackageTree& specification, const InstanceItem& item, Error& error) {
  const auto text = text_at(specification, error);
  for (const auto& [name, place] : item.places) {
    if (text.find("${" + name + "}") == std::string::npos) continue;
    error.message += fmt::format(" (used at {})", to_string(*error.place));
    error.place = place;
    return;
  }
}

void blame_sample(const PackageTree& specification, const std::vector<std::string>& sampled, Error& error) {
  if (is_awaited(error)) return;
  const auto text = sampled.empty() ? std::string() : text_at(specification, error);
  for (const auto& name : sampled) {
    if (text.find("${" + name + "}") == std::string::npos) continue;
    if (!error.remedy.empty()) error.remedy += "; ";
    error.remedy += fmt::format(
        "the specification is tried with a made-up value for the parameter \"{0}\": give {0} an example: that fits",
        name);
    return;
  }
}

void Planner::make_instance(const InstanceItem& item, const std::string& outer, const std::string& declared_in,
                            std::vector<std::string>& chain, const std::set<std::string>& changed) {
  const auto name = instance_name(item.specification, outer, item.name);
  const auto complain_here = [&](std::string message, std::string remedy) {
    complain(declared_in, {ErrorCode::kInvalidArgument, std::move(message), item.origin, std::move(remedy)});
  };
  const auto* specification = slot(item.specification);
  if (specification == nullptr || !specification->running || !specification->running->specification) {
    return complain_about_specification(item, declared_in);
  }
  if (std::find(chain.begin(), chain.end(), item.specification) != chain.end() || chain.size() >= kMaxNesting) {
    return complain_here(fmt::format("the specification {} makes an instance of itself", item.specification),
                         "take one of the instances out of the circle");
  }
  if (const auto [first, is_new] = wanted_instances_.try_emplace(name, item.origin); !is_new) {
    return complain_here(fmt::format("there is another instance {}, at {}", name, to_string(first->second)),
                         "give one of them another name");
  }
  const auto old = world_.slots_.find(name);
  const bool keep = old != world_.slots_.end() && old->second.instance && same_instance(*old->second.instance, item) &&
                    old->second.declared_in == declared_in && old->second.running && !old->second.failed &&
                    !changed.contains(item.specification) && !changed.contains(name) && !all_;
  if (!keep) {
    const auto* tree = tree_of(item.specification);
    config::Errors errors;
    auto with = context(name, item.specification);
    with.schemas = schemas_for(item.specification, errors);
    auto values = parameter_values(*tree, *with.schemas, &item, errors);
    Slot made;
    made.failed = true;
    made.instance = item;
    made.declared_in = declared_in;
    made.manifest.version = specification->manifest.version;
    made.manifest.title = specification->manifest.title;
    if (values) {
      with.values = &(values_[name] = std::move(*values));
      auto loaded = load_package(*tree, with);
      if (reject_overrides(with.overrides, loaded.errors)) {
        wanted_instances_.erase(name);
        return make_instance(item, outer, declared_in, chain, changed);
      }
      errors.insert(errors.end(), loaded.errors.begin(), loaded.errors.end());
      made.failed = !errors.empty();
      made.waiting = std::any_of(errors.begin(), errors.end(), is_awaited);
      if (!made.failed) made.running = std::make_shared<const Package>(std::move(loaded.package));
    }
    const auto told_there = [&](const Error& error) {
      return std::ranges::any_of(specification->errors, [&](const Error& one) {
        return one.message == error.message && one.place == error.place;
      });
    };
    for (auto& error : errors) {
      // The specification's own mistakes are its own, however many instances have them.
      if (told_there(error)) continue;
      error.message = fmt::format("instance {}: {}", name, error.message);
      blame_value(*tree, item, error);
      complain(declared_in, std::move(error));
    }
    if (!made.running && old != world_.slots_.end()) made.running = old->second.running;
    plan_.removed.erase(name);
    plan_.slots[name] = std::move(made);
  }
  const auto running = slot(name)->running;
  if (!running) return;
  chain.push_back(item.specification);
  const auto at = name.find('@');
  for (const auto& inner : running->instances) make_instance(inner, name.substr(at + 1), declared_in, chain, changed);
  chain.pop_back();
}

}  // namespace atalaya::packages
