#include "packages/tree.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/suggest.h"
#include "config/yaml_compose.h"

namespace atalaya::packages {
namespace {

using config::Errors;
using config::Node;

void complain(Errors& errors, Place place, std::string message, std::string remedy = {}) {
  errors.push_back({ErrorCode::kInvalidArgument, std::move(message), std::move(place), std::move(remedy)});
}

bool is_yaml_name(std::string_view name) { return name.ends_with(".yaml") || name.ends_with(".yml"); }

std::vector<const Node*> targets_of(const Node& link) {
  if (link.is_scalar()) return {&link};
  return {link.items().begin(), link.items().end()};
}

/// Takes the first error of a result into the list.
template <typename T>
std::optional<T> keep(Result<T> result, Errors& errors) {
  if (result) return std::move(*result);
  errors.push_back(std::move(result).error());
  return std::nullopt;
}

}  // namespace

bool links_to_files(const Node& link) {
  const auto targets = targets_of(link);
  return !targets.empty() && std::all_of(targets.begin(), targets.end(),
                                         [](const Node* one) { return one->is_scalar() && is_yaml_name(one->text()); });
}

PackageTree PackageTree::read(std::string name, std::vector<SourceFile> files, Errors& errors) {
  PackageTree tree;
  tree.name_ = std::move(name);
  tree.files_ = std::move(files);
  std::sort(tree.files_.begin(), tree.files_.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  std::optional<config::Document> empty;
  bool has_part = false;
  for (const auto& file : tree.files_) {
    if (file.unreadable) {
      auto error = *file.unreadable;
      error.place = Place{file.path, 0, 0};
      if (error.remedy.empty()) error.remedy = "make the file readable for the server's user, or remove it";
      errors.push_back(std::move(error));
      continue;
    }
    if (file.name.find('/') != std::string::npos || !is_yaml_name(file.name)) continue;
    auto document = config::Document::parse(file.text, file.path, errors);
    if (!document) {
      errors.push_back(std::move(document).error());
      continue;
    }
    // A bare mapping beside package.yaml waits for a link; the one file that there must be does not.
    const bool is_part = document->root().get("package") != nullptr || file.name == "package.yaml" ||
                         document->root().get("version") != nullptr || !document->root().is_mapping();
    if (!is_part) continue;
    if (document->root().is_null() && file.name != "package.yaml") {
      if (!empty) empty = std::move(*document);
      continue;  // so does one that holds nothing yet
    }
    has_part = true;
    read_manifest(*document, tree.name_, tree.manifest_, errors);
    for (const auto& entry : document->root().entries()) {
      if (is_manifest_key(entry.key->text()) || entry.value->is_null()) continue;
      tree.parts_.push_back({entry.key->text(), entry.key->place(), *document, entry.value});
    }
  }
  // A package of which nothing is left but an empty file was not meant to be empty.
  if (!has_part && empty && errors.empty()) read_manifest(*empty, tree.name_, tree.manifest_, errors);
  return tree;
}

bool PackageTree::has_section(std::string_view section) const {
  return std::any_of(parts_.begin(), parts_.end(), [&](const auto& part) { return part.section == section; });
}

const SourceFile* PackageTree::find_file(std::string_view name) const {
  const auto found = std::find_if(files_.begin(), files_.end(), [&](const auto& file) { return file.name == name; });
  return found == files_.end() ? nullptr : &*found;
}

std::string_view PackageTree::text_of(const std::string& path) const {
  const auto found = std::find_if(files_.begin(), files_.end(), [&](const auto& file) { return file.path == path; });
  return found == files_.end() ? std::string_view{} : std::string_view(found->text);
}

std::optional<Linked> PackageTree::follow(Linked mapping, Errors& errors) const {
  std::vector<std::string> on_the_way;
  return follow(std::move(mapping), on_the_way, errors);
}

std::optional<Linked> PackageTree::follow(Linked mapping, std::vector<std::string>& on_the_way, Errors& errors) const {
  const auto* link = mapping.node->get("link");
  if (link == nullptr || !links_to_files(*link)) return mapping;
  auto own = keep(config::without(mapping.document, *mapping.node, "link"), errors);
  if (!own) return std::nullopt;
  std::optional<config::Document> all;
  for (const auto* target : targets_of(*link)) {
    const auto& name = target->text();
    if (name.starts_with('/') || name.find("..") != std::string::npos) {
      complain(errors, target->place(), fmt::format("\"{}\" leads out of the package", name),
               "link to a file of this package, e.g. rules/disk.yaml");
      return std::nullopt;
    }
    const auto* file = find_file(name);
    if (file == nullptr) {
      std::vector<std::string> names;
      // Neither the file itself nor one that stands for itself is what was meant.
      for (const auto& one : files_) {
        if (one.path != target->place().file && one.name != "package.yaml") names.push_back(one.name);
      }
      complain(errors, target->place(), fmt::format("there is no file \"{}\" in package {}", name, name_),
               names.empty() ? std::string("add the file, or remove the link") : config::suggestion(name, names));
      return std::nullopt;
    }
    if (file->unreadable) return std::nullopt;  // told already
    if (std::find(on_the_way.begin(), on_the_way.end(), name) != on_the_way.end() || on_the_way.size() > 16) {
      complain(errors, target->place(), fmt::format("\"{}\" links back to itself", name), "remove one of the links");
      return std::nullopt;
    }
    auto document = keep(config::Document::parse(file->text, file->path, errors), errors);
    if (!document) return std::nullopt;
    if (document->root().is_null()) continue;
    if (!config::expect_mapping(document->root(), errors)) return std::nullopt;
    on_the_way.push_back(name);
    const auto* root = &document->root();
    auto inner = follow({std::move(*document), root}, on_the_way, errors);
    on_the_way.pop_back();
    if (!inner) return std::nullopt;
    if (!all) {
      all = config::part_of(inner->document, *inner->node);
      continue;
    }
    for (const auto& entry : inner->node->entries()) {
      if (const auto* twice = all->root().get(entry.key->text())) {
        complain(errors, entry.key->place(),
                 fmt::format("\"{}\" stands in another linked file too, at {}", entry.key->text(),
                             to_string(twice->place())),
                 "give one of them another name");
      }
    }
    all = keep(config::overlay(*all, all->root(), inner->document, *inner->node), errors);
    if (!all) return std::nullopt;
  }
  if (!all) return Linked{*own, &own->root()};
  auto both = keep(config::overlay(*all, all->root(), *own, own->root()), errors);
  if (!both) return std::nullopt;
  const auto* root = &both->root();
  return Linked{std::move(*both), root};
}

std::optional<Linked> PackageTree::whole_section(std::string_view section, Errors& errors) const {
  std::optional<config::Document> all;
  for (const auto& part : parts_) {
    if (part.section != section || !config::expect_mapping(*part.value, errors)) continue;
    auto level = follow({part.document, part.value}, errors);
    if (!level) continue;
    auto made = config::part_of(level->document, *level->node);
    for (const auto& entry : level->node->entries()) {
      if (!entry.value->is_mapping() || entry.value->get("link") == nullptr) continue;
      auto item = follow({level->document, entry.value}, errors);
      if (!item) continue;
      // The item's own tree takes the place of its link.
      auto replaced = config::replace_entry(made, made.root(), entry.key->text(), item->document, *item->node);
      if (auto kept = keep(std::move(replaced), errors)) made = std::move(*kept);
    }
    if (!all) {
      all = std::move(made);
      continue;
    }
    for (const auto& entry : made.root().entries()) {
      if (const auto* twice = all->root().get(entry.key->text())) {
        complain(errors, entry.key->place(),
                 fmt::format("\"{}\" is declared twice, first at {}", entry.key->text(), to_string(twice->place())),
                 "give one of them another name");
      }
    }
    if (auto both = keep(config::overlay(*all, all->root(), made, made.root()), errors)) all = std::move(*both);
  }
  if (!all) return std::nullopt;
  const auto* root = &all->root();
  return Linked{std::move(*all), root};
}

}  // namespace atalaya::packages
