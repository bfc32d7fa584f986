// Packages as people look at them: files, trees, items and why they are so, drafts.

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "config/reader.h"
#include "packages/composer.h"
#include "packages/explain.h"
#include "packages/service_impl.h"
#include "packages/tree_view.h"
#include "schema/describe.h"

namespace atalaya::packages {
namespace {

std::string specification_of(const std::string& package) { return package.substr(0, package.find('@')); }

PackageState state_of(const std::string& name, const Slot& slot, bool shipped) {
  PackageState out;
  out.name = name;
  out.shipped = shipped;
  out.checking = slot.waiting && slot.told.empty();
  // An instance's mistakes are told to who declares it.
  out.broken = (slot.broken() || slot.failed) && !out.checking;
  out.errors = slot.told;
  out.instance = slot.instance;
  out.declared_in = slot.declared_in;
  out.title = slot.instance && !slot.instance->title.empty() ? slot.instance->title : slot.manifest.title;
  // What runs; of one that never ran, what its files say.
  out.version = slot.running ? slot.running->version : slot.manifest.version;
  if (!slot.running) return out;
  out.items = slot.running->size();
  out.specification = slot.running->specification;
  for (const auto& item : slot.running->items) ++out.sections[item.section];
  return out;
}

void collect_overrides(const config::Node& node, OverrideView at, std::size_t depth, std::vector<OverrideView>& out) {
  if (!node.is_mapping()) {
    out.push_back(std::move(at));
    return;
  }
  for (const auto& entry : node.entries()) {
    auto next = at;
    if (depth == 0)
      next.section = entry.key->text();
    else if (depth <= 2)
      next.path.push_back(entry.key->text());
    else
      next.field.push_back(entry.key->text());
    collect_overrides(*entry.value, std::move(next), depth + 1, out);
  }
}

/// An instance's titles are those of its items, with its values put in.
void put_in_titles(const Package& instance, const std::string& section, const std::string& prefix,
                   std::vector<TreeNode>& nodes) {
  for (auto& node : nodes) {
    const auto id = prefix + "/" + node.name;
    put_in_titles(instance, section, id, node.children);
    const auto found = std::find_if(instance.items.begin(), instance.items.end(),
                                    [&](const auto& item) { return item.section == section && item.id == id; });
    if (node.is_item && found != instance.items.end()) node.title = found->title;
  }
}

}  // namespace

std::vector<PackageState> Service::list(const TenantId& tenant) const {
  const std::shared_lock lock(impl_->mutex);
  std::vector<PackageState> out;
  const auto* world = impl_->find_world(tenant);
  if (world == nullptr) return out;
  std::set<std::string> shipped;
  for (const auto& file : impl_->options.shipped) shipped.insert(std::string(file.path.substr(0, file.path.find('/'))));
  for (const auto& [name, slot] : world->slots()) out.push_back(state_of(name, slot, shipped.contains(name)));
  return out;
}

Result<PackageView> Service::view(const TenantId& tenant, const std::string& package) const {
  const auto& impl = *impl_;
  PackageView out;
  for (auto& state : list(tenant)) {
    if (state.name == package) out.state = std::move(state);
  }
  if (out.state.name.empty()) return impl.no_package(tenant, package);
  const auto folder = impl.folder(tenant, specification_of(package));
  config::Errors ignored;
  const auto tree =
      PackageTree::read(specification_of(package), read_folder(impl.files, folder, specification_of(package)), ignored);
  const auto& manifest = tree.manifest();
  out.help = manifest.help;
  for (const auto& need : manifest.requirements) out.requirements.emplace_back(need.package, need.written);
  for (const auto& import : manifest.imports) out.imports.push_back(import.package);
  for (const auto& fallback : manifest.fallbacks) out.fallbacks.push_back(fallback.package);
  for (const auto& override : manifest.overrides) {
    collect_overrides(override.document.root(), {override.package, "", {}, {}}, 0, out.overrides);
  }
  if (const auto parameters = tree.whole_section("parameters", ignored)) {
    if (const auto known = schemas(tenant, package)) out.parameters = known->record(*parameters->node, ignored);
  }
  const auto listed = list_files(impl.files, folder);
  for (const auto& file : listed ? *listed : std::vector<ListedFile>{}) {
    const auto text = io::read_file(impl.files, folder + "/" + file.name, kMaxPackageFile);
    out.files.push_back({file.name, file.size_bytes, text ? text_hash(*text) : ""});
    if (file.name == "README.md" && text) out.readme = *text;
  }
  return out;
}

Result<TreeView> Service::tree(const TenantId& tenant, const std::string& package) const {
  const auto& impl = *impl_;
  const auto folder = impl.folder(tenant, specification_of(package));
  if (!impl.files.exists(folder)) return impl.no_package(tenant, package);
  const auto known = schemas(tenant, package);
  if (!known) return fail(ErrorCode::kUnavailable, "packages are not loaded yet");
  std::vector<PackageError> errors;
  std::shared_ptr<const Package> instance;
  {
    const std::shared_lock lock(impl.mutex);
    const auto* world = impl.find_world(tenant);
    const auto slot = world == nullptr ? Slots::const_iterator{} : world->slots().find(package);
    if (world != nullptr && slot != world->slots().end()) {
      errors = slot->second.told;
      if (package.find('@') != std::string::npos) instance = slot->second.running;
    }
  }
  config::Errors ignored;  // what the files lack is told by the package's state
  const auto tree =
      PackageTree::read(specification_of(package), read_folder(impl.files, folder, specification_of(package)), ignored);
  auto out = tree_view(tree, *known, errors);
  if (instance) {
    for (auto& section : out) put_in_titles(*instance, section.section, package, section.nodes);
  }
  return out;
}

Result<ItemView> Service::item(const TenantId& tenant, const std::string& package, const std::string& section,
                               const std::vector<std::string>& path) const {
  const auto& impl = *impl_;
  const auto on_disk = impl.disk_files(tenant);
  const auto specification = specification_of(package);
  std::map<std::string, std::unique_ptr<PackageTree>> trees;
  std::map<std::string, config::YamlValue> values;
  std::optional<LoadContext> context;
  std::map<std::string, Place> given;  ///< where an instance's values stand
  {
    const std::shared_lock lock(impl.mutex);
    const auto* world = impl.find_world(tenant);
    if (world == nullptr) return fail(ErrorCode::kNotFound, fmt::format("there is no package {}", package));
    context = world->context_of(package, on_disk, trees, values);
    const auto slot = world->slots().find(package);
    if (slot != world->slots().end() && slot->second.instance) {
      for (const auto& [name, place] : slot->second.instance->places) given[name] = place;
    }
  }
  context->run = impl.ask_now(on_disk);
  const auto* tree = context->tree_of(specification);
  if (tree == nullptr || !context->schemas) return impl.no_package(tenant, package);
  const auto* known = context->schemas->section(section);
  if (known == nullptr) return no_section(*context->schemas, section);
  std::map<std::string, config::YamlValue> samples;
  if (!context->values && tree->has_section("parameters")) {
    config::Errors ignored;
    if (auto made = parameter_values(*tree, *context->schemas, nullptr, ignored)) samples = std::move(*made);
  }
  AT_TRY(const auto composed, compose_item(*tree, *context, section, path));
  ItemView out;
  out.package = package;
  out.section = section;
  out.path = path;
  out.id = path.empty() ? package + "/" + section : fmt::format("{}/{}", package, fmt::join(path, "/"));
  out.place = composed.written->place();
  out.overridden_by = composed.overridden_by;
  out.writable = package == specification;
  const auto find_section = [&](std::string_view name) { return context->schemas->section(name); };
  // Usually the item stands in a part of the package: that file alone is looked through.
  FileTexts texts;
  if (const auto text = tree->text_of(out.place.file); !text.empty()) texts[out.place.file] = std::string(text);
  auto found = find_item(texts, {specification, section, path}, find_section);
  if (!found) {
    texts = impl.texts_of(tenant, {specification}, false);
    found = find_item(texts, {specification, section, path}, find_section);
  }
  if (found) {
    out.yaml = std::move(found->yaml);
    out.file = found->file;
    out.hash = text_hash(texts.at(found->file));
    out.place = found->place;
  }
  const auto written = schema::to_json(*composed.written);
  if (written.is_object()) out.written = written.get_object();
  const schema::Rules rules{*context->schemas, context->run};
  config::Errors errors;
  auto checked = schema::check_item(*composed.tree.node, *known,
                                    fmt::format("{} \"{}\"", schema::with_article(known->item), out.id), rules, errors);
  for (auto& error : errors) {
    auto field = schema::field_at(*composed.tree.node, error.place.value_or(Place{}));
    out.errors.push_back({std::move(error), specification, section, path, std::move(field)});
  }
  if (const auto* title = checked.fields.if_contains("title"); title != nullptr && title->is_string()) {
    out.title = std::string(title->get_string());
  }
  if (known->body) {
    out.fields = explain({composed, *known->body, checked.fields, rules, specification, std::move(given),
                          [&](const std::string& file) { return tree->text_of(file); }});
  }
  out.effective = std::move(checked.fields);
  hide_secrets(out.effective, known->body.get());
  hide_secrets(out.written, known->body.get());
  return out;
}

Result<FileView> Service::file(const TenantId& tenant, const std::string& package, const std::string& name) const {
  AT_TRY(auto text, read_package_file(impl_->files, impl_->folder(tenant, specification_of(package)), name));
  auto hash = text_hash(text);
  return FileView{name, std::move(text), std::move(hash)};
}

}  // namespace atalaya::packages
