#include "packages/locate.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "config/yaml_path.h"
#include "schema/validate.h"

namespace atalaya::packages {

ItemLocator::ItemLocator(const PackageTree& tree, const schema::SchemaSet& schemas) : tree_(tree) {
  for (const auto& part : tree.parts()) {
    // Whatever key comes next ends the section before it, also one that nobody knows.
    for (const auto& entry : part.document.root().entries()) mark(entry.key->place(), std::nullopt);
  }
  for (const auto& part : tree.parts()) {
    if (const auto* section = schemas.section(part.section)) add(*section, part);
  }
}

void ItemLocator::mark(const Place& place, std::optional<Mark> what) {
  if (what && what->item) {
    auto names = what->path;
    names.insert(names.begin(), what->section->name);
    known_.insert(std::move(names));
  }
  marks_.insert_or_assign({place.file, place.line, place.column}, std::move(what));
}

void ItemLocator::add(const schema::Section& section, const SectionPart& part) {
  using enum schema::Shape;
  switch (section.shape) {
    case kDocument: return mark(part.place, Mark{&section, {}, Linked{part.document, part.value}});
    case kTree: return level(section, {part.document, part.value}, {});
    case kList: break;
  }
  for (const auto* item : part.value->items()) {
    const auto* key = item->get(section.indexes.back().name);
    if (key == nullptr || !key->is_scalar()) {
      mark(item->place(), std::nullopt);
    } else {
      mark(item->place(), Mark{&section, {key->text()}, Linked{part.document, item}});
    }
  }
}

void ItemLocator::level(const schema::Section& section, Linked at, const std::vector<std::string>& path) {
  if (!at.node->is_mapping()) return;
  config::Errors told;  // by whoever reads the items
  const auto followed = tree_.follow(std::move(at), told);
  if (!followed) return;
  const bool innermost = path.size() + 1 == section.indexes.size();
  for (const auto& entry : followed->node->entries()) {
    auto next = path;
    next.push_back(entry.key->text());
    if (innermost) {
      mark(entry.key->place(), Mark{&section, std::move(next), Linked{followed->document, entry.value}});
    } else {
      mark(entry.key->place(), Mark{&section, next, std::nullopt});
      level(section, {followed->document, entry.value}, next);
    }
  }
}

void ItemLocator::fill(PackageError& error, const Mark& mark, std::string field) const {
  error.package = tree_.name();
  error.section = mark.section->name;
  error.path = mark.path;
  error.field = std::move(field);
}

const config::Document* ItemLocator::document_of(const std::string& file) const {
  const auto [at, is_new] = parsed_.try_emplace(file);
  if (is_new) {
    config::Errors told;  // by whoever read the file
    if (auto document = config::Document::parse(std::string(tree_.text_of(file)), file, told)) at->second = *document;
  }
  return at->second ? &*at->second : nullptr;
}

/// Keys that stand twice and such as are no text are not in the tree that is read: their neighbours' marks say
/// nothing of them, the keys above them do.
bool ItemLocator::locate_left_out(PackageError& error, const config::Document& document) const {
  const auto way = config::path_to(document, *error.place);
  for (auto at = way.rbegin(); at != way.rend(); ++at) {
    const auto found = marks_.find({at->place.file, at->place.line, at->place.column});
    if (found == marks_.end() || !found->second) continue;
    const auto& mark = *found->second;
    std::vector<std::string> below;
    for (auto step = at.base(); step != way.end(); ++step) below.push_back(step->name);
    if (mark.item) {
      fill(error, mark, fmt::format("{}", fmt::join(below, ".")));
      return true;
    }
    // The same item again, in a group.
    auto names = mark.path;
    names.insert(names.begin(), mark.section->name);
    names.insert(names.end(), below.begin(), below.end());
    if (known_.contains(names)) {
      fill(error, Mark{mark.section, {names.begin() + 1, names.end()}, std::nullopt}, "");
      return true;
    }
    error.field = fmt::format("{}", fmt::join(names, "."));
    return false;
  }
  std::vector<std::string> names;
  for (const auto& step : way) names.push_back(step.name);
  error.field = fmt::format("{}", fmt::join(names, "."));
  return false;
}

std::vector<std::string> ItemLocator::way_to(const PackageError& error) const {
  std::vector<std::string> out;
  if (!error.place || tree_.text_of(error.place->file).empty()) return out;
  const auto* document = document_of(error.place->file);
  if (document == nullptr || document->root().get("package") == nullptr) return out;
  for (auto& step : config::path_to(*document, *error.place)) out.push_back(std::move(step.name));
  return out;
}

std::optional<std::vector<std::string>> ItemLocator::item_on(std::span<const std::string> names) const {
  for (auto count = names.size(); count > 0; --count) {
    std::vector<std::string> found(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(count));
    if (known_.contains(found)) return found;
  }
  return std::nullopt;
}

bool ItemLocator::locate(PackageError& error) const {
  if (!error.place || error.place->line == 0) return false;
  const auto& place = *error.place;
  if (!tree_.text_of(place.file).empty()) {
    const auto* document = document_of(place.file);
    if (document != nullptr && document->is_left_out(place)) return locate_left_out(error, *document);
  }
  const auto after = marks_.upper_bound({place.file, place.line, place.column});
  if (after != marks_.begin() && std::get<0>(std::prev(after)->first) == place.file) {
    const auto& mark = std::prev(after)->second;
    if (!mark || !mark->item) return false;
    fill(error, *mark, schema::field_at(*mark->item->node, place));
    return true;
  }
  // The text of a page is a file of its own, named by the item.
  const auto prefix = tree_.name() + "/";
  if (!place.file.starts_with(prefix)) return false;
  for (const auto& [spot, mark] : marks_) {
    const auto* file =
        mark && mark->item && mark->section->name == "pages" ? mark->item->node->get("template") : nullptr;
    if (file == nullptr || file->text() != std::string_view(place.file).substr(prefix.size())) continue;
    fill(error, *mark, "template");
    return true;
  }
  return false;
}

}  // namespace atalaya::packages
