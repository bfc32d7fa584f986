#include "packages/planner.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "config/yaml_compose.h"

namespace atalaya::packages {
namespace {

constexpr std::string_view kChannels = "channels/";
const std::string kBase = "base";

/// Records that hold what a channel type asks for. What is wrong with the file is told by its owner.
std::optional<schema::Field> kind_of(const std::string& name, const config::Node& type) {
  auto record = std::make_shared<schema::Type>();
  record->kind = schema::Kind::kRecord;
  record->name = "record";
  record->help = "settings of the channel";
  const auto* settings = type.get("settings");
  for (const auto& entry : settings == nullptr ? std::span<const config::Node::Entry>{} : settings->entries()) {
    auto value = std::make_shared<schema::Type>();
    const auto text_at = [&](std::string_view key) {
      const auto* node = entry.value->get(key);
      return node != nullptr && node->is_scalar() ? node->text() : std::string();
    };
    const bool is_map = text_at("kind") == "map";
    value->kind = is_map ? schema::Kind::kMap : schema::Kind::kText;
    value->name = is_map ? "map of text" : "text";
    value->help = is_map ? "names with texts" : "a text";
    if (is_map) {
      auto of = std::make_shared<schema::Type>();
      of->name = "text";
      of->help = "a text";
      value->of = of;
    }
    schema::Field field;
    field.name = entry.key->text();
    field.help = text_at("title");
    field.type = value;
    field.required = text_at("required") == "true";
    record->fields.push_back(std::move(field));
  }
  schema::Field out;
  out.name = name;
  if (const auto* title = type.get("title"); title != nullptr && title->is_scalar()) out.help = title->text();
  out.type = record;
  return out;
}

}  // namespace

std::vector<schema::OpenKind> open_kinds(const std::vector<SourceFile>& files) {
  std::vector<schema::OpenKind> out;
  for (const auto& file : files) {
    if (!file.name.starts_with(kChannels) || !file.name.ends_with(".yaml") || file.unreadable) continue;
    const auto name = file.name.substr(kChannels.size(), file.name.size() - kChannels.size() - 5);
    const auto document = config::Document::parse(file.text, file.path);
    const auto* type = document ? document->root().get({"channel_types", name}) : nullptr;
    static const config::Document kNothing = config::Document::parse("", "").value();
    if (auto field = kind_of(name, type == nullptr ? kNothing.root() : *type)) {
      out.push_back({"channels", std::move(*field)});
    }
  }
  return out;
}

Planner::Planner(const World& world, const Files& files) : world_(world), files_(files) {
  plan_.parts = world.parts_;
  plan_.schemas = world.schemas_;
  overriders_ = world.overriders_;
  names_ = files.list();
}

const PackageTree* Planner::tree_of(const std::string& package) {
  const auto found = trees_.find(package);
  if (found != trees_.end()) return found->second.get();
  auto& slot = trees_[package];
  if (!std::binary_search(names_.begin(), names_.end(), package)) return nullptr;
  auto& errors = tree_errors_[package];
  slot = std::make_unique<PackageTree>(PackageTree::read(package, files_.read(package), errors));
  return slot.get();
}

SchemaPart Planner::part_of(const PackageTree& tree, config::Errors& errors) const {
  SchemaPart part;
  part.schemas = tree.whole_section("schemas", errors);
  part.types = tree.whole_section("types", errors);
  part.kinds = open_kinds(tree.files());
  return part;
}

/// The tenant's own base where it holds, else the one that ships with the program.
void Planner::read_base() {
  const auto try_tree = [&](const PackageTree& tree, config::Errors errors) {
    auto part = part_of(tree, errors);
    if (!errors.empty() || !part.schemas) return false;
    schema::Source source{kBase, part.schemas->node, part.types ? part.types->node : nullptr, {}};
    schema::SchemaSet::build({source}, errors);
    if (!errors.empty()) return false;
    plan_.parts[kBase] = std::move(part);
    return true;
  };
  if (const auto* own = tree_of(kBase); own != nullptr && try_tree(*own, tree_errors_[kBase])) return;
  if (plan_.parts.contains(kBase) && plan_.parts[kBase].schemas) return;
  config::Errors errors;
  const auto shipped = PackageTree::read(kBase, world_.options_.base, errors);
  try_tree(shipped, errors);
}

/// Schemas, types and channel types of what changed, before anything is checked by them.
void Planner::read_parts(const std::set<std::string>& changed) {
  const auto sees_schemas = [](const SchemaPart& part) { return part.schemas || part.types || !part.kinds.empty(); };
  bool differs = false;
  if (changed.contains(kBase) || !plan_.parts.contains(kBase)) {
    read_base();
    differs = true;
  }
  for (const auto& name : changed) {
    if (name == kBase) continue;
    const auto had = plan_.parts.contains(name);
    const auto* tree =
        std::binary_search(names_.begin(), names_.end(), name) && (!all_ || files_.has_channel_types(name))
            ? tree_of(name)
            : nullptr;
    if (tree == nullptr) {
      if (!all_ && had) differs = plan_.parts.erase(name) > 0;
      continue;
    }
    config::Errors errors;
    auto part = part_of(*tree, errors);
    if (!sees_schemas(part)) {
      if (had) differs = plan_.parts.erase(name) > 0;
      continue;
    }
    differs = true;
    if (errors.empty()) plan_.parts[name] = std::move(part);
  }
  if (differs) plan_.schemas.clear();
}

std::shared_ptr<const schema::SchemaSet> Planner::schemas_for(const std::string& package, config::Errors& errors) {
  // Which packages beside base have a say: imports and the package itself.
  std::vector<std::string> names;
  const auto* tree = package.empty() ? nullptr : tree_of(package);
  if (tree != nullptr) {
    for (const auto& import : tree->manifest().imports) {
      if (import.package == package || import.package == kBase) continue;
      if (const auto* other = tree_of(import.package); other != nullptr && !plan_.parts.contains(import.package)) {
        config::Errors ignored;
        auto part = part_of(*other, ignored);
        if ((part.schemas || part.types) && ignored.empty()) plan_.parts[import.package] = std::move(part);
      }
      if (plan_.parts.contains(import.package)) names.push_back(import.package);
    }
    if (package != kBase && (tree->has_section("schemas") || tree->has_section("types"))) {
      plan_.parts[package] = part_of(*tree, errors);
      names.push_back(package);
    }
  }
  const auto key = fmt::format("{}", fmt::join(names, ","));
  if (const auto known = plan_.schemas.find(key); known != plan_.schemas.end()) return known->second;
  const auto before = errors.size();
  auto made = build_schemas(names, package, nullptr, errors);
  if (errors.size() == before) plan_.schemas[key] = made;
  return made;
}

/// Of base, these packages and, where it is given, `own` as the part of `package`.
std::shared_ptr<const schema::SchemaSet> Planner::build_schemas(const std::vector<std::string>& names,
                                                                const std::string& package, const SchemaPart* own,
                                                                config::Errors& errors) const {
  std::vector<schema::Source> sources;
  const auto add = [&](const std::string& name, const SchemaPart& part) {
    sources.push_back({name, part.schemas ? part.schemas->node : nullptr, part.types ? part.types->node : nullptr, {}});
  };
  add(kBase, plan_.parts.at(kBase));
  for (const auto& [name, part] : plan_.parts) {
    sources.front().kinds.insert(sources.front().kinds.end(), part.kinds.begin(), part.kinds.end());
  }
  for (const auto& name : names) add(name, plan_.parts.at(name));
  if (own != nullptr && package != kBase) add(package, *own);
  return schema::SchemaSet::build(sources, errors);
}

LoadContext Planner::context(const std::string& name, const std::string& package) {
  LoadContext out;
  out.tenant = world_.options_.tenant;
  out.name = name;
  out.overrides = overrides_on(package);
  if (name != package) {
    for (auto& one : overrides_on(name)) out.overrides.push_back(std::move(one));
  }
  out.tree_of = [this, name](const std::string& other) {
    asked_[name].insert(other);
    return tree_of(other);
  };
  out.read_file = [this, package](const std::string& file) { return files_.read_file(package, file); };
  out.run = run_type_script(world_.options_.run, files_, [this, package](TypeQuestion question) {
    plan_.waiting.insert(package);
    plan_.questions.push_back(std::move(question));
  });
  out.declared_by = [this](const std::string& section) { return declared_by(section); };
  return out;
}

const std::vector<std::string>& Planner::declared_by(const std::string& section) {
  const auto [at, is_new] = declared_by_.try_emplace(section);
  if (!is_new) return at->second;
  for (const auto& name : names_) {
    // Only texts that may do so are parsed: there may be a thousand packages.
    const auto sources = files_.read(name);
    const bool may = std::any_of(sources.begin(), sources.end(), [&](const auto& file) {
      return file.text.find("schemas") != std::string::npos && file.text.find(section) != std::string::npos;
    });
    if (!may) continue;
    config::Errors told;  // by the package itself
    const auto tree = PackageTree::read(name, sources, told);
    const auto schemas = tree.whole_section("schemas", told);
    if (schemas && schemas->node->get(section) != nullptr) at->second.push_back(name);
  }
  return at->second;
}

std::vector<ChannelTypeFile> Planner::channel_types_with(const Package& package) const {
  std::vector<ChannelTypeFile> out;
  for (const auto& name : present()) {
    const auto* other = slot(name);
    if (name == package.name || other == nullptr || !other->running) continue;
    out.insert(out.end(), other->running->channel_types.begin(), other->running->channel_types.end());
  }
  out.insert(out.end(), package.channel_types.begin(), package.channel_types.end());
  return out;
}

void Planner::check(const std::string& package) {
  if (!checked_.insert(package).second) return;
  check_again(package);
}

void Planner::check_again(const std::string& package) {
  const auto* tree = tree_of(package);
  if (tree == nullptr) return;
  auto& slot = change(package);
  slot.errors = tree_errors_[package];
  if (!is_item_name(package)) {
    slot.errors.push_back({ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no name of a package", package),
                           Place{package, 0, 0}, std::string(kItemNameRemedy)});
  }
  auto with = context(package, package);
  with.schemas = schemas_for(package, slot.errors);
  std::optional<std::map<std::string, config::YamlValue>> samples;
  if (tree->has_section("parameters")) {
    // A specification is checked with its defaults and samples, so that its mistakes show before it is used.
    samples = sample_values(*tree, *with.schemas, with.unjudged, slot.errors);
  }
  auto loaded = load_package(*tree, with);
  if (samples) {
    with.values = &*samples;
    auto tried = load_package(*tree, with);
    const auto sampled = tried.errors.empty() ? std::vector<std::string>{} : sampled_parameters(*tree, *with.schemas);
    for (auto& error : tried.errors) blame_sample(*tree, sampled, error);
    loaded.errors.insert(loaded.errors.end(), tried.errors.begin(), tried.errors.end());
    loaded.package.items.insert(loaded.package.items.end(), tried.package.items.begin(), tried.package.items.end());
    std::sort(loaded.package.items.begin(), loaded.package.items.end(),
              [](const auto& a, const auto& b) { return std::tie(a.section, a.id) < std::tie(b.section, b.id); });
  }
  if (world_.options_.check_channels && !(loaded.package.channels.empty() && loaded.package.channel_types.empty())) {
    const auto more = world_.options_.check_channels(loaded.package.channels, channel_types_with(loaded.package));
    loaded.errors.insert(loaded.errors.end(), more.begin(), more.end());
  }
  if (world_.options_.check_items && loaded.errors.empty()) {
    auto more = world_.options_.check_items(loaded.package);
    loaded.errors.insert(loaded.errors.end(), more.begin(), more.end());
  }
  if (reject_overrides(with.overrides, loaded.errors)) return check_again(package);
  slot.asked = asked_[package];
  slot.errors.insert(slot.errors.end(), loaded.errors.begin(), loaded.errors.end());
  config::sort_by_place(slot.errors);
  slot.errors.erase(std::unique(slot.errors.begin(), slot.errors.end()), slot.errors.end());
  if (slot.errors.empty()) {
    slot.running = std::make_shared<const Package>(std::move(loaded.package));
    if (!restored_overrides_.contains(package)) slot.manifest = tree->manifest();
  } else {
    written_[package] = tree->manifest();
    broken_[package] = std::make_shared<const Package>(std::move(loaded.package));
    if (!slot.running) run_last_good(package, slot);
    if (!slot.running) slot.manifest = tree->manifest();
  }
  if (!slot.manifest.overrides.empty()) overriders_.insert(package);
  // 1,000 packages need not stand in memory as trees: those that others ask for are read again.
  if (all_ && !tree->has_section("parameters")) {
    trees_.erase(package);
    tree_errors_.erase(package);
  }
}

void Planner::run_last_good(const std::string& package, Slot& slot) {
  auto sources = files_.last_good(package);
  if (sources.empty()) return;
  config::Errors errors;
  const auto tree = PackageTree::read(package, std::move(sources), errors);
  auto with = context(package, package);
  const auto own = part_of(tree, errors);
  std::vector<std::string> imports;
  for (const auto& import : tree.manifest().imports) {
    const bool known = plan_.parts.contains(import.package) && import.package != kBase;
    if (known && import.package != package) imports.push_back(import.package);
  }
  with.schemas = build_schemas(imports, package, own.schemas || own.types ? &own : nullptr, errors);
  // It held before, so nothing waits for programs of types: where an answer is not known, the value is as written.
  const auto known = [this](const std::string& program, std::string_view verb,
                            const std::string& input) -> std::optional<Result<std::string>> {
    auto answer = world_.options_.run(program, verb, input);
    if (answer && *answer) return answer;
    return fmt::format(R"({{"value": {}}})", input);
  };
  with.run = run_type_script(world_.options_.run ? RunProgram(known) : RunProgram(), files_);
  auto loaded = load_package(tree, with);
  if (!errors.empty() || !loaded.errors.empty()) return;
  slot.running = std::make_shared<const Package>(std::move(loaded.package));
  slot.manifest = tree.manifest();
}

}  // namespace atalaya::packages
