#include "packages/edit_items.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "config/suggest.h"

namespace atalaya::packages {
namespace {

using config::YamlPath;
using config::YamlValue;

YamlPath below(YamlPath path, const std::string& part) {
  path.push_back(part);
  return path;
}

/// What stands where the address leaves the files, for "did you mean".
std::string neighbours(Workspace& files, const ItemAddress& at, const Found& found) {
  if (!found.section_there || found.depth >= at.path.size()) return {};
  std::vector<std::string> names;
  for (const auto& holder : found.holders) {
    const auto* node = files.node(holder);
    if (!node) continue;
    for (const auto& entry : node->entries()) names.push_back(entry.key->text());
    for (const auto* item : node->items()) {
      const auto* key = item->get(key_field(*found.section));
      if (key && key->is_scalar()) names.push_back(key->text());
    }
  }
  return config::suggestion(at.path[found.depth], names);
}

std::unexpected<Error> unknown(Workspace& files, const ItemAddress& at, const Found& found) {
  auto what = words(at);
  if (found.item && !at.path.empty()) {
    what = fmt::format("{} {}/{}", found.section->item, at.package, fmt::join(at.path, "/"));
  }
  return fail(ErrorCode::kNotFound, fmt::format("there is no {}", what), neighbours(files, at, found));
}

/// The value with records around it, and lists where a part is "0".
YamlValue nested(const std::vector<std::string>& field, std::size_t from, YamlValue value) {
  for (auto i = field.size(); i > from; --i) {
    const auto& part = field[i - 1];
    value = part == "0" ? YamlValue::list({std::move(value)}) : YamlValue::map({{part, std::move(value)}});
  }
  return value;
}

/// A text of a list's item has its key field; without one it gets it as the first.
Result<std::string> with_key(std::string_view text, const std::string& key, const std::string& name) {
  AT_TRY(const auto document, config::Document::parse(std::string(text), ""));
  const auto& root = document.root();
  if (const auto* there = root.get(key)) {
    if (there->is_scalar() && there->text() == name) return std::string(text);
    return fail(ErrorCode::kInvalidArgument, there->place(), fmt::format("{} is not \"{}\"", key, name),
                "rename the item instead");
  }
  const auto line = config::write_text(key, false) + ": " + config::write_text(name, false) + '\n';
  if (root.is_null()) return std::string(text) + (text.empty() || text.ends_with('\n') ? "" : "\n") + line;
  if (!root.is_mapping()) {
    return fail(ErrorCode::kInvalidArgument, root.place(), "expected a mapping, found " + config::describe(root));
  }
  if (root.style() == config::Node::Style::kFlow || root.full_begin() != root.begin()) {
    auto value = config::value_of(root);
    value.entries.insert(value.entries.begin(), {key, name});
    return config::write_block(value);
  }
  std::string out(text);
  const auto before = out.rfind('\n', root.begin());
  const auto at = before == std::string::npos ? 0 : before + 1;
  return out.insert(at, out.substr(at, root.begin() - at) + line);
}

bool is_in_list(const Found& found) { return !found.listed.empty() && found.listed.back(); }

}  // namespace

YamlValue ItemEdits::value_of(const Operation& operation, const schema::Section& section) const {
  return serialise_ ? serialise_(operation.at, section, operation.field, operation.value) : operation.value;
}

Result<Found> ItemEdits::existing(const ItemAddress& at) {
  AT_TRY(auto found, locate(files_, at, find_));
  if (found.spots.empty()) return unknown(files_, at, found);
  return found;
}

Status ItemEdits::set(const Operation& operation) {
  const auto& [at, field] = std::tie(operation.at, operation.field);
  AT_TRY(const auto found, existing(at));
  if (!found.item) return fail(ErrorCode::kInvalidArgument, words(at) + " has no fields: it is a group of items");
  const auto spots = with_links(files_, at.package, found.spots.front());
  auto spot = spots.front();
  if (!field.empty()) {
    const auto has = [&](const Spot& each) {
      const auto* node = files_.node(each);
      return node && node->get(field.front());
    };
    const auto* own = files_.node(spot);
    if (const auto where = std::find_if(spots.begin(), spots.end(), has); where != spots.end()) {
      spot = *where;
    } else if (spots.size() > 1 && own->entries().size() == 1) {
      spot = spots[1];  // all that the item has stands in the file that it links to
    }
  }
  if (is_in_list(found) && field.size() == 1 && field.front() == key_field(*found.section) &&
      operation.value.scalar != at.path.back()) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} is the name of {}", field.front(), words(at)),
                "rename the item instead");
  }
  const auto value = value_of(operation, *found.section);
  AT_TRY(auto* editor, files_.editor(spot.file));
  auto path = spot.path;
  const auto* node = files_.node(spot);
  std::size_t depth = 0;
  while (depth < field.size()) {
    const auto* next = node->get(field[depth]);
    if (node->is_sequence()) {
      std::size_t index = 0;
      const auto end = field[depth].data() + field[depth].size();
      const bool number = std::from_chars(field[depth].data(), end, index).ptr == end && !field[depth].empty();
      if (!number || index > node->items().size()) break;
      if (index < node->items().size()) next = node->items()[index];
    }
    if (!next) break;
    node = next;
    path.push_back(field[depth++]);
  }
  if (depth == field.size()) return editor->replace(path, value);
  if (node->is_mapping() || node->is_null()) {
    if (field[depth] == "0" && node->is_null()) return editor->append(path, nested(field, depth + 1, value));
    return editor->insert(path, field[depth], nested(field, depth + 1, value));
  }
  if (node->is_sequence() && field[depth] == std::to_string(node->items().size())) {
    return editor->append(path, nested(field, depth + 1, value));
  }
  return fail(node->is_sequence() ? ErrorCode::kNotFound : ErrorCode::kUnprocessable, node->place(),
              fmt::format("{}: there is no {} in {}", words(at), field[depth], config::describe(*node)));
}

Status ItemEdits::unset(const Operation& operation) {
  const auto& [at, field] = std::tie(operation.at, operation.field);
  AT_TRY(const auto found, existing(at));
  if (!found.item || field.empty()) return fail(ErrorCode::kInvalidArgument, words(at) + ": no field is named");
  if (is_in_list(found) && field.size() == 1 && field.front() == key_field(*found.section)) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} is the name of {}", field.front(), words(at)));
  }
  bool was_there = false;
  for (auto spot : with_links(files_, at.package, found.spots.front())) {
    spot.path.insert(spot.path.end(), field.begin(), field.end());
    // A number that is none would not be a path.
    AT_TRY(auto* editor, files_.editor(spot.file));
    const auto done = editor->remove(spot.path);
    if (!done && done.error().code != ErrorCode::kNotFound) return done;
    was_there = was_there || done.has_value();
  }
  if (was_there) return {};
  return fail(ErrorCode::kNotFound, fmt::format("{} has no {}", words(at), fmt::join(field, ".")));
}

Status ItemEdits::create(const Operation& operation) {
  const auto& at = operation.at;
  AT_TRY(const auto found, locate(files_, at, find_));
  if (!found.spots.empty()) {
    const auto* there = files_.node(found.spots.front());
    return fail(ErrorCode::kAlreadyExists, there->place(), fmt::format("{} is there already", words(at)));
  }
  const bool is_item = found.item && operation.text.empty();
  const auto value = is_item ? value_of(operation, *found.section) : operation.value;
  const bool nothing = value.kind == YamlValue::Kind::kToken && value.scalar.empty();
  AT_TRY(const auto gap, gap_for(at, found, operation.file));
  AT_TRY(auto* editor, files_.editor(gap.spot.file));
  const auto step = editor->step();
  const auto empty = [&]() -> std::string {
    return at.path.empty() && found.section->shape == schema::Shape::kList ? "[]\n" : "{}\n";
  };
  auto bare = !operation.text.empty() ? operation.text : nothing ? empty() : config::write_block(value, step);
  if (is_in_list(found)) {
    AT_TRY(bare, with_key(nothing && operation.text.empty() ? "" : bare, key_field(*found.section), at.path.back()));
    AT_TRY(auto item, config::item_of_bare(bare));
    return insert(at, found, gap, std::move(item));
  }
  AT_TRY(auto entry, config::entry_of_bare(at.path.empty() ? at.section : at.path.back(), bare, step));
  return insert(at, found, gap, std::move(entry));
}

Result<ItemEdits::Gap> ItemEdits::gap_for(const ItemAddress& at, const Found& found, const std::string& file) {
  if (!file.empty()) return gap_in(at, found, at.package + '/' + file);
  if (found.section_there && !found.holders.empty()) {
    // Where items of it stand already; a node that is but a link has them in that file.
    for (const auto& holder : found.holders) {
      const auto* node = files_.node(holder);
      if (!node) continue;
      const bool only_link = node->entries().size() == 1 && !linked_files(*node).empty();
      if (!only_link) return Gap{holder, found.depth, true};
    }
    return Gap{found.holders.front(), found.depth, true};
  }
  const auto parts = files_.parts_of(at.package);
  if (parts.empty()) {
    return fail(ErrorCode::kNotFound, fmt::format("package {} has no package.yaml", at.package));
  }
  return Gap{{parts.front(), {}}, 0, false};
}

Result<ItemEdits::Gap> ItemEdits::gap_in(const ItemAddress& at, const Found& found, const std::string& file) {
  const auto linked =
      std::find_if(found.holders.begin(), found.holders.end(), [&](const Spot& holder) { return holder.file == file; });
  if (linked != found.holders.end()) return Gap{*linked, found.depth, true};
  const auto name = file.substr(at.package.size() + 1);
  const auto parts = files_.parts_of(at.package);
  if (!files_.exists(file)) {
    if (!is_package_path(name) || !name.ends_with(".yaml") || name.find('/') != std::string::npos) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no YAML file of a package", name));
    }
    if (parts.empty()) return fail(ErrorCode::kNotFound, fmt::format("package {} has no package.yaml", at.package));
    const auto* version = files_.node({parts.front(), {"version"}});
    auto head = YamlValue::map({{"package", at.package}});
    if (version) head.set("version", config::value_of(*version));
    files_.write(file, config::write_block(head));
  } else if (std::find(parts.begin(), parts.end(), file) == parts.end()) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} is no part of package {} and not linked to {}", file,
                                                         at.package, words({at.package, at.section, {}})));
  }
  Gap gap{{file, {}}, 0, false};
  const auto* node = files_.node(gap.spot);
  const auto descend = [&](const std::string& key) {
    node = node ? node->get(key) : nullptr;
    if (node) gap.spot.path.push_back(key);
    return node != nullptr;
  };
  gap.section_there = descend(at.section);
  while (gap.section_there && gap.depth < found.depth && !found.listed[gap.depth] && descend(at.path[gap.depth])) {
    ++gap.depth;
  }
  return gap;
}

Status ItemEdits::insert(const ItemAddress& at, const Found& found, const Gap& gap, std::string entry) {
  AT_TRY(auto* editor, files_.editor(gap.spot.file));
  const auto step = editor->step();
  for (auto i = at.path.size(); i > gap.depth + 1; --i) {
    const auto outer = i - 2;
    if (found.listed[outer]) {
      AT_TRY(entry, config::item_of_bare("name: " + config::write_text(at.path[outer], false) + '\n' + entry));
    } else {
      entry = config::entry_of_block(at.path[outer], entry, step);
    }
  }
  if (!gap.section_there && !at.path.empty()) entry = config::entry_of_block(at.section, entry, step);
  return editor->insert_text(gap.spot.path, entry, !gap.section_there);
}

Status ItemEdits::replace(const Operation& operation) {
  AT_TRY(const auto found, existing(operation.at));
  if (found.spots.size() > 1 && !found.item) {
    return fail(ErrorCode::kUnprocessable,
                fmt::format("{} stands in {} and {}", words(operation.at), found.spots[0].file, found.spots[1].file),
                "change its items one by one");
  }
  auto text = operation.text;
  if (is_in_list(found)) {
    AT_TRY(text, with_key(text, key_field(*found.section), operation.at.path.back()));
  }
  AT_TRY(auto* editor, files_.editor(found.spots.front().file));
  return editor->replace_text(found.spots.front().path, text);
}

Status ItemEdits::rename(const ItemAddress& at, const std::string& name) {
  AT_TRY(const auto found, existing(at));
  if (at.path.empty()) return fail(ErrorCode::kInvalidArgument, words(at) + " has its name from its schema");
  if (name == at.path.back()) return {};
  auto renamed = at;
  renamed.path.back() = name;
  AT_TRY(const auto taken, locate(files_, renamed, find_));
  if (!taken.spots.empty()) {
    return fail(ErrorCode::kAlreadyExists, files_.node(taken.spots.front())->place(),
                fmt::format("{} is there already", words(renamed)));
  }
  for (const auto& spot : found.spots) {
    AT_TRY(auto* editor, files_.editor(spot.file));
    AT_TRY(is_in_list(found) ? editor->set(below(spot.path, key_field(*found.section)), name)
                             : editor->rename(spot.path, name));
  }
  return {};
}

Status ItemEdits::remove(const ItemAddress& at) {
  AT_TRY(const auto found, existing(at));
  for (const auto& spot : found.spots) {
    AT_TRY(auto* editor, files_.editor(spot.file));
    AT_TRY(editor->remove(spot.path));
  }
  return {};
}

}  // namespace atalaya::packages
