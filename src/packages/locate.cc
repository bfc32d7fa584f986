#include "packages/locate.h"

#include <algorithm>
#include <iterator>
#include <utility>

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
  marks_.insert_or_assign({place.file, place.line, place.column}, std::move(what));
}

void ItemLocator::add(const schema::Section& section, const SectionPart& part) {
  using enum schema::Shape;
  switch (section.shape) {
    case kDocument: return mark(part.place, Mark{&section, {}, {part.document, part.value}});
    case kTree: return level(section, {part.document, part.value}, {});
    case kList: break;
  }
  for (const auto* item : part.value->items()) {
    const auto* key = item->get(section.indexes.back().name);
    if (key == nullptr || !key->is_scalar()) {
      mark(item->place(), std::nullopt);
    } else {
      mark(item->place(), Mark{&section, {key->text()}, {part.document, item}});
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
      mark(entry.key->place(), Mark{&section, std::move(next), {followed->document, entry.value}});
    } else {
      mark(entry.key->place(), std::nullopt);
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

bool ItemLocator::locate(PackageError& error) const {
  if (!error.place || error.place->line == 0) return false;
  const auto& place = *error.place;
  const auto after = marks_.upper_bound({place.file, place.line, place.column});
  if (after != marks_.begin() && std::get<0>(std::prev(after)->first) == place.file) {
    const auto& mark = std::prev(after)->second;
    if (!mark) return false;
    fill(error, *mark, schema::field_at(*mark->item.node, place));
    return true;
  }
  // The text of a page is a file of its own, named by the item.
  const auto prefix = tree_.name() + "/";
  if (!place.file.starts_with(prefix)) return false;
  for (const auto& [spot, mark] : marks_) {
    const auto* file = mark && mark->section->name == "pages" ? mark->item.node->get("template") : nullptr;
    if (file == nullptr || file->text() != std::string_view(place.file).substr(prefix.size())) continue;
    fill(error, *mark, "template");
    return true;
  }
  return false;
}

}  // namespace atalaya::packages
