// Items and groups taken to another place, with their comments.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "packages/edit_items.h"

namespace atalaya::packages {
namespace {

using config::YamlValue;

/// The one entry of a text by another name.
Result<std::string> renamed(std::string entry, const std::string& name) {
  AT_TRY(auto editor, config::YamlEditor::open(std::move(entry), ""));
  const auto entries = editor.document().root().entries();
  if (entries.empty()) return fail(ErrorCode::kInternal, "an entry without a key");
  const auto old = entries.front().key->text();
  AT_TRY(editor.rename({old}, name));
  return editor.text();
}

/// "ping" → "ping-2", no longer than names may be.
std::string free_name(const std::string& name, const std::set<std::string>& taken) {
  constexpr std::size_t kLongest = 64;
  auto stem = name;
  const auto dash = stem.find_last_not_of("0123456789");
  if (dash != std::string::npos && dash > 0 && dash + 1 < stem.size() && stem[dash] == '-') stem.resize(dash);
  for (std::size_t number = 2;; ++number) {
    const auto suffix = fmt::format("-{}", number);
    auto candidate = stem.substr(0, kLongest - suffix.size()) + suffix;
    if (!taken.contains(candidate)) return candidate;
  }
}

}  // namespace

void ItemEdits::paths_below(const Found& found, const ItemAddress& at, std::vector<std::vector<std::string>>& out) {
  if (found.item && !at.path.empty()) return out.push_back(at.path);
  std::set<std::string> names;
  for (const auto& spot : found.spots) {
    for (const auto& part : with_links(files_, at.package, spot)) {
      const auto* node = files_.node(part);
      if (node == nullptr) continue;
      for (const auto& entry : node->entries()) names.insert(entry.key->text());
    }
  }
  names.erase("link");
  for (const auto& name : names) {
    auto below = at;
    below.path.push_back(name);
    if (const auto child = locate(files_, below, find_); child && !child->spots.empty())
      paths_below(*child, below, out);
  }
}

Status ItemEdits::copy(const ItemAddress& at, ItemAddress to, bool take_away) {
  if (to.section.empty()) to.section = at.section;
  if (to.package.empty()) to.package = at.package;
  const bool stays = take_away && to.package == at.package;
  // Series of checks carry their name alone, so it stands once in a package.
  if (at.section != "collectors" || stays) return put_copy(at, std::move(to), take_away);
  const ItemAddress whole{to.package, to.section, {}};
  std::vector<std::vector<std::string>> items;
  if (const auto there = locate(files_, whole, find_)) paths_below(*there, whole, items);
  std::set<std::string> taken;
  for (const auto& path : items) taken.insert(path.back());
  AT_TRY(put_copy(at, to, take_away));
  AT_TRY(const auto copied, existing(to));
  items.clear();
  paths_below(copied, to, items);
  for (const auto& path : items) {
    if (taken.insert(path.back()).second) continue;
    const auto name = free_name(path.back(), taken);
    AT_TRY(rename({to.package, to.section, path}, name));
    notes_.push_back(
        fmt::format("collector {} is called {} there: its name stands once in a package", fmt::join(path, "/"), name));
    taken.insert(name);
  }
  return {};
}

Status ItemEdits::put_copy(const ItemAddress& at, ItemAddress to, bool take_away) {
  AT_TRY(const auto found, existing(at));
  if (to.section != at.section || to.path.size() != at.path.size()) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{} cannot become {}: only the same kind of thing is put there", words(at), words(to)));
  }
  const bool same_package = to.package == at.package;
  if (same_package && to.path == at.path) {
    return take_away ? Status{} : fail(ErrorCode::kAlreadyExists, words(to) + " is there already");
  }
  if (take_away && same_package && !at.path.empty() &&
      std::equal(at.path.begin(), at.path.end() - 1, to.path.begin())) {
    return rename(at, to.path.back());
  }
  AT_TRY(const auto target, locate(files_, to, find_));
  if (!target.spots.empty()) {
    return fail(ErrorCode::kAlreadyExists, files_.node(target.spots.front())->place(),
                fmt::format("{} is there already", words(to)));
  }
  // A linked file belongs to its package, and to one place: a copy has its content instead.
  const bool expand = !take_away || !same_package;
  AT_TRY(copy_spots(found.spots, at.package, to, expand));
  return take_away ? remove(at) : Status{};
}

bool ItemEdits::links_below(const std::string& package, const Spot& spot) {
  const auto* node = files_.node(spot);
  if (!node) return false;
  if (with_links(files_, package, spot).size() > 1) return true;
  constexpr std::size_t kMostLevels = 8;  // of groups and items: deeper keys are fields
  if (spot.path.size() > kMostLevels) return false;
  for (const auto& entry : node->entries()) {
    auto child = spot;
    child.path.push_back(entry.key->text());
    if (entry.value->is_mapping() && links_below(package, child)) return true;
  }
  return false;
}

Status ItemEdits::copy_spots(const std::vector<Spot>& sources, const std::string& package, const ItemAddress& to,
                             bool expand) {
  std::vector<Spot> opened;
  bool linked = false;
  for (const auto& source : sources) {
    const auto all = with_links(files_, package, source);
    opened.insert(opened.end(), all.begin(), all.end());
    linked = linked || (expand && links_below(package, source));
  }
  AT_TRY(const auto target, locate(files_, to, find_));
  if (target.item) {
    return linked && opened.size() > sources.size() ? copy_item_with_links(opened, to) : copy_raw(sources.front(), to);
  }
  if (sources.size() == 1 && !linked) return copy_raw(sources.front(), to);

  Operation group{.what = Operation::What::kCreate, .at = to};
  AT_TRY(create(group));
  std::vector<std::pair<std::string, std::vector<Spot>>> children;
  for (const auto& spot : expand ? opened : sources) {
    const auto* node = files_.node(spot);
    if (!node) continue;
    for (const auto& entry : node->entries()) {
      const auto& key = entry.key->text();
      if (key == "link") continue;
      auto child = spot;
      child.path.push_back(key);
      const auto known = std::find_if(children.begin(), children.end(), [&](const auto& c) { return c.first == key; });
      if (known == children.end()) {
        children.push_back({key, {std::move(child)}});
      } else {
        known->second.push_back(std::move(child));
      }
    }
  }
  for (const auto& [key, spots] : children) {
    auto below = to;
    below.path.push_back(key);
    AT_TRY(copy_spots(spots, package, below, expand));
  }
  return {};
}

Status ItemEdits::copy_raw(const Spot& source, const ItemAddress& to) {
  AT_TRY(const auto target, locate(files_, to, find_));
  const auto* node = files_.node(source);
  const bool listed = !target.listed.empty() && target.listed.back();
  auto value = config::value_of(*node);
  if (listed) value.set(key_field(*target.section), to.path.back());
  AT_TRY(const auto* from, files_.editor(source.file));
  AT_TRY(auto entry, from->entry_text(source.path));
  AT_TRY(const auto gap, gap_for(to, target, ""));
  const auto put = [&]() -> Status {
    auto text = entry;
    if (listed) {
      AT_TRY(auto item, config::YamlEditor::open(std::move(text), ""));
      AT_TRY(item.set({"0", key_field(*target.section)}, to.path.back()));
      text = item.text();
    } else if (!to.path.empty()) {
      AT_TRY(text, renamed(std::move(text), to.path.back()));
    }
    return insert(to, target, gap, std::move(text));
  };
  const auto done = put();
  if (done || (done.error().code != ErrorCode::kInvalidArgument && done.error().code != ErrorCode::kUnprocessable)) {
    return done;
  }
  // Its text leans on something else in its file, such as an anchor: then its value goes, without comments.
  const auto step = (*files_.editor(gap.spot.file))->step();
  return insert(to, target, gap,
                config::write_block(listed ? YamlValue::list({value})
                                           : YamlValue::map({{to.path.empty() ? to.section : to.path.back(), value}}),
                                    step));
}

Status ItemEdits::copy_item_with_links(const std::vector<Spot>& sources, const ItemAddress& to) {
  AT_TRY(copy_raw(sources.front(), to));
  AT_TRY(const auto copied, existing(to));
  const auto& spot = copied.spots.front();
  AT_TRY(auto* editor, files_.editor(spot.file));
  auto link = spot.path;
  link.push_back("link");
  AT_TRY(editor->remove(link));
  std::set<std::string> present;
  for (const auto& entry : files_.node(spot)->entries()) present.insert(entry.key->text());
  for (auto source = sources.begin() + 1; source != sources.end(); ++source) {
    AT_TRY(const auto* from, files_.editor(source->file));
    std::vector<std::string> keys;
    for (const auto& entry : files_.node(*source)->entries()) keys.push_back(entry.key->text());
    for (const auto& key : keys) {
      if (key == "link" || !present.insert(key).second) continue;
      auto path = source->path;
      path.push_back(key);
      AT_TRY(const auto entry, from->entry_text(path));
      AT_TRY(editor->insert_text(spot.path, entry));
    }
  }
  return {};
}

}  // namespace atalaya::packages
