#include "packages/references.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <tuple>
#include <utility>

#include "config/yaml_path.h"
#include "packages/edit_workspace.h"
#include "packages/world.h"

namespace atalaya::packages {
namespace {

using What = Operation::What;

const std::string kInstances = "instances";

std::string base_of(const std::string& package) { return package.substr(0, package.find('@')); }
std::string package_of(const std::string& id) { return id.substr(0, id.find('/')); }

/// Ids go on over the sections that items contain: their names are no parts of them.
std::vector<std::string> id_path(const ItemAddress& at, const FindSection& find) {
  std::vector<std::string> out;
  const auto* section = find(at.section);
  std::size_t level = 0;
  for (const auto& part : at.path) {
    const auto levels = section == nullptr || section->shape == schema::Shape::kTree
                            ? (section == nullptr ? at.path.size() : section->indexes.size())
                            : 1;
    if (level == levels) {
      section = find(part);
      level = 0;
      continue;
    }
    out.push_back(part);
    ++level;
  }
  return out;
}

}  // namespace

IdChanges::IdChanges(const std::vector<Operation>& operations, const FindSection& find) {
  for (const auto& operation : operations) {
    if (operation.what == What::kRemovePackage) removed_packages_.push_back(operation.at.package);
    auto to = operation.at;
    switch (operation.what) {
      case What::kRename:
        if (to.path.empty()) continue;
        to.path.back() = operation.text;
        break;
      case What::kMove:
        to.path = operation.to.path;
        if (!operation.to.package.empty()) to.package = operation.to.package;
        break;
      case What::kRemove: break;
      default: continue;
    }
    Step step{operation.what == What::kRemove,
              operation.at.package,
              id_path(operation.at, find),
              to.package,
              id_path(to, find),
              {},
              {}};
    if (operation.at.section == kInstances && operation.at.path.size() == 2 && to.path.size() == 2) {
      step.instance = instance_name(operation.at.path[0], "", operation.at.path[1]);
      step.to_instance = instance_name(to.path[0], "", to.path[1]);
    }
    steps_.push_back(std::move(step));
  }
}

bool IdChanges::renames() const {
  return std::any_of(steps_.begin(), steps_.end(), [](const Step& step) { return !step.takes_away; });
}

bool IdChanges::is_below(const Step& step, const std::string& id) {
  const auto package = package_of(id);
  if (base_of(package) != step.package) return false;
  const auto rest = std::string_view(id).substr(std::min(id.size(), package.size() + 1));
  const auto prefix = fmt::format("{}", fmt::join(step.path, "/"));
  if (prefix.empty() || rest == prefix) return true;
  return rest.starts_with(prefix) && rest[prefix.size()] == '/';
}

std::optional<std::string> IdChanges::renamed(const std::string& id) const {
  auto now = id;
  for (const auto& step : steps_) {
    if (step.takes_away) continue;
    const auto package = package_of(now);
    if (!step.instance.empty() && package == step.instance) {
      now = step.to_instance + now.substr(package.size());
    } else if (is_below(step, now)) {
      // An instance's items go by the instance's name, whatever package says what they are.
      const auto& owner = step.to_package == step.package ? package : step.to_package;
      const auto depth = step.path.empty() ? 0 : fmt::format("{}", fmt::join(step.path, "/")).size() + 1;
      const auto rest = now.substr(package.size() + depth);
      now = fmt::format("{}{}{}", owner, step.to.empty() ? "" : fmt::format("/{}", fmt::join(step.to, "/")), rest);
    }
  }
  if (now == id) return std::nullopt;
  return now;
}

bool IdChanges::removed(const std::string& id) const {
  const auto package = package_of(id);
  return std::any_of(steps_.begin(), steps_.end(), [&](const Step& step) {
    return step.takes_away && (is_below(step, id) || (!step.instance.empty() && package == step.instance));
  });
}

std::optional<IdChanges::NewKey> IdChanges::new_key(const std::string& id) const {
  for (const auto& step : steps_) {
    if (step.takes_away || step.package != step.to_package || !is_below(step, id)) continue;
    if (step.path.empty() || step.path.size() != step.to.size()) continue;
    if (std::equal(step.path.begin(), step.path.end() - 1, step.to.begin()))
      return NewKey{step.path.size() - 1, step.to.back()};
  }
  return std::nullopt;
}

std::vector<std::pair<std::string, std::string>> IdChanges::instances() const {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& step : steps_) {
    if (!step.takes_away && !step.instance.empty()) out.emplace_back(step.instance, step.to_instance);
  }
  return out;
}

std::optional<MissingItem> missing_item(const Error& error) {
  constexpr std::string_view kBegin = "there is no ";
  const auto& text = error.message;
  const auto at = text.find(kBegin);
  const auto open = at == std::string::npos ? at : text.find('"', at);
  const auto close = open == std::string::npos ? open : text.find('"', open + 1);
  if (close == std::string::npos) return std::nullopt;
  const auto rest = std::string_view(text).substr(close + 1);
  // "… (used at site/package.yaml:7:10)" of an instance's value.
  if (!rest.empty() && rest != " to override" && !rest.starts_with(" (used at ")) return std::nullopt;
  auto id = text.substr(open + 1, close - open - 1);
  if (id.find('/') == std::string::npos) return std::nullopt;
  return MissingItem{std::move(id), rest == " to override"};
}

namespace {

/// A place that is to say something else: a value, or a key.
struct Rewrite {
  std::string file;
  config::YamlPath path;
  std::string text;
  bool is_key = false;
  bool is_alias = false;

  auto place() const { return std::tie(file, path, is_key); }
};

/// Finds what is to be written, one error at a time.
class Finder {
 public:
  Finder(Workspace& files, const IdChanges& ids, const FindValues& values)
      : files_(files), ids_(ids), values_(values) {}

  void look_at(const PackageError& error) {
    const auto missing = missing_item(error);
    if (!missing || !error.place) return;
    if (missing->overridden) return add_key(error, missing->id);
    if (const auto now = ids_.renamed(missing->id)) add_value(*error.place, missing->id, *now, true);
  }
  void add(Rewrite rewrite) {
    if (known_.emplace(rewrite.place()).second) found_.push_back(std::move(rewrite));
  }

  std::vector<FileChange> apply() {
    // What stands for an anchor becomes a value of its own before the anchor changes; keys come last, the inner ones
    // first, as they are on the ways to the values.
    const auto order = [](const Rewrite& one) { return std::tuple(one.is_key, !one.is_alias, -std::ssize(one.path)); };
    std::stable_sort(found_.begin(), found_.end(), [&](const auto& a, const auto& b) { return order(a) < order(b); });
    const auto keys = std::find_if(found_.begin(), found_.end(), [](const auto& one) { return one.is_key; });
    const auto values = std::find_if(found_.begin(), keys, [](const auto& one) { return !one.is_alias; });
    std::for_each(found_.begin(), values, [&](const auto& one) { write(one); });
    write_together({values, keys});
    std::for_each(keys, found_.end(), [&](const auto& one) { write(one); });
    return files_.changes();
  }

 private:
  /// What cannot be changed is missed by the next plan again.
  void write(const Rewrite& one) {
    const auto editor = files_.editor(one.file);
    if (!editor) return;
    static_cast<void>(one.is_key ? (*editor)->rename(one.path, one.text) : (*editor)->set(one.path, one.text));
  }

  /// The values of a file at once: thousands may name one item, and each change alone reads the whole file.
  void write_together(std::span<const Rewrite> values) {
    std::map<std::string, std::vector<std::pair<config::YamlPath, std::string>>> by_file;
    for (const auto& one : values) by_file[one.file].emplace_back(one.path, one.text);
    for (const auto& [file, texts] : by_file) {
      const auto editor = files_.editor(file);
      if (!editor || (*editor)->set_all(texts)) continue;
      for (const auto& [path, text] : texts) write({file, path, text});
    }
  }

  std::vector<std::string> way_to(const Place& place) {
    std::vector<std::string> out;
    const auto editor = files_.editor(place.file);
    if (!editor) return out;
    for (auto& step : config::path_to((*editor)->document(), place)) out.push_back(std::move(step.name));
    return out;
  }

  /// `override: {tour: {rules: {cpu: {busy: …}}}}`.
  void add_key(const PackageError& error, const std::string& id) {
    constexpr std::size_t kAbove = 3;  // override, package, section
    const auto key = ids_.new_key(id);
    auto path = way_to(*error.place);
    if (!key || path.size() <= kAbove + key->part) return;
    path.resize(kAbove + key->part + 1);
    add({error.place->file, std::move(path), key->name, true});
  }

  void add_value(const Place& place, const std::string& id, const std::string& now, bool may_be_parameter) {
    auto path = way_to(place);
    const auto* node = path.empty() ? nullptr : files_.node({place.file, path});
    if (node == nullptr || !node->is_scalar()) return;
    const auto& text = node->text();
    if (auto written = as_written(text, id, now)) {
      add({place.file, std::move(path), std::move(*written), false, node->is_alias()});
    } else if (may_be_parameter && text.starts_with("${") && text.ends_with('}')) {
      // The instances say it.
      const auto name = text.substr(2, text.size() - 3);
      for (const auto& given : {id, short_of(id)}) {
        for (const auto& at : values_(package_of(place.file), name, given)) add_value(at, id, now, false);
      }
    }
  }

  static std::string short_of(const std::string& id) { return id.substr(package_of(id).size() + 1); }

  /// In the form in which the old id stands there: with the package, or without it within the package itself.
  static std::optional<std::string> as_written(const std::string& text, const std::string& id, const std::string& now) {
    if (text == id) return now;
    // "db/a/hot" of the specification is "db@one/a/hot" of its instance.
    const auto by_specification = [](const std::string& one) {
      const auto package = package_of(one);
      return base_of(package) + one.substr(package.size());
    };
    if (text == by_specification(id)) return by_specification(now);
    if (text != short_of(id)) return std::nullopt;
    auto brief = short_of(now);
    const auto owner = package_of(now);
    const bool stays = owner == package_of(id) && package_of(brief) != owner;
    return stays ? std::move(brief) : by_specification(now);
  }

  Workspace& files_;
  const IdChanges& ids_;
  const FindValues& values_;
  std::vector<Rewrite> found_;
  std::set<std::tuple<std::string, config::YamlPath, bool>> known_;  ///< places of `found_`
};

}  // namespace

std::vector<FileChange> follow(const FileTexts& texts, const std::vector<PackageError>& missing, const IdChanges& ids,
                               const FindValues& values) {
  Workspace files(texts);
  Finder finder(files, ids, values);
  for (const auto& error : missing) finder.look_at(error);
  return finder.apply();
}

std::vector<FileChange> follow_instances(const FileTexts& texts, const std::vector<std::string>& files,
                                         const IdChanges& ids) {
  Workspace workspace(texts);
  const FindValues none;
  Finder finder(workspace, ids, none);
  for (const auto& file : files) {
    for (const auto& [from, to] : ids.instances()) {
      config::YamlPath path{"override", from};
      if (workspace.node({file, path}) != nullptr) finder.add({file, std::move(path), to, true});
    }
  }
  return finder.apply();
}

std::string who_refers(const PackageError& error, bool overrides) {
  if (overrides || error.section.empty()) return fmt::format("package {}", package_of(error.place->file));
  return words({error.package, error.section, error.path});
}

namespace {

/// "watch.0" is one of several: it can be left out. A field that names one alone must name another.
std::string remedy_of(const PackageError& error) {
  if (error.field.empty()) return "take the reference away first";
  const auto dot = error.field.rfind('.');
  const auto last = error.field.substr(dot == std::string::npos ? 0 : dot + 1);
  if (last == "link") return "write its fields there instead of link:, or link to another item, first";
  const bool listed = dot != std::string::npos && last.find_first_not_of("0123456789") == std::string::npos;
  if (listed) return fmt::format("take it out of {} first", error.field.substr(0, dot));
  return fmt::format("take it out of {} first, or name another one there", error.field);
}

/// How a package needs another one, by the words in which its absence is told; "" for another error.
std::string need_of(const PackageError& error, const std::string& absent) {
  const auto& text = error.message;
  if (text == fmt::format("package {} is required and absent", absent)) return "requires it";
  if (text.ends_with(fmt::format("\"{}\" is no specification", absent))) return "has an instance of it";
  if (text.ends_with(fmt::format("there is no package \"{}\" to override", absent))) return "overrides it";
  if (!text.ends_with(fmt::format("there is no package \"{}\"", absent))) return {};
  if (error.field.starts_with("imports")) return "imports it";
  return error.field.starts_with("fallbacks") ? "falls back to it" : "refers to it";
}

}  // namespace

void say_who_refers(std::vector<PackageError>& errors, const IdChanges& ids) {
  std::set<std::pair<std::string, std::string>> needs;  ///< who needs what is taken away
  for (auto& error : errors) {
    if (!error.place) continue;
    const auto owner = package_of(error.place->file);
    for (const auto& package : ids.removed_packages()) {
      const auto need = need_of(error, package);
      if (need.empty()) continue;
      needs.emplace(owner, package);
      error.message = fmt::format("{} cannot be removed: {} {}", package, owner, need);
      error.remedy = fmt::format("take that away first, or remove {} too", owner);
    }
    const auto missing = missing_item(error);
    if (!missing) continue;
    const auto now = ids.renamed(missing->id);
    const bool with_package = std::any_of(ids.removed_packages().begin(), ids.removed_packages().end(),
                                          [&](const auto& one) { return one == base_of(package_of(missing->id)); });
    if (!now && !with_package && !ids.removed(missing->id)) continue;
    error.message =
        fmt::format("{} cannot be {}: {} {} it", missing->id, now ? "renamed" : "removed",
                    who_refers(error, missing->overridden), missing->overridden ? "overrides" : "refers to");
    error.remedy = missing->overridden ? std::string("take the override away first") : remedy_of(error);
    if (now) error.remedy += fmt::format("; {} can be written there afterwards", *now);
  }
  // What else such a package lacks it lacks because of that.
  std::erase_if(errors, [&](const PackageError& error) {
    if (!error.place || error.message.find(" cannot be removed: ") != std::string::npos) return false;
    return std::any_of(needs.begin(), needs.end(),
                       [&](const auto& need) { return need.first == package_of(error.place->file); });
  });
}

}  // namespace atalaya::packages
