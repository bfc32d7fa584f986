#include "packages/edit_workspace.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace atalaya::packages {
namespace {

/// Begins with `package:` or `version:`, comments aside.
bool looks_like_part(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size() - 1) + 1;
    const auto line = text.substr(0, end);
    const auto first = line.find_first_not_of(" \t\r\n");
    if (first != std::string_view::npos && line[first] != '#' && line[0] != '%' && !line.starts_with("---")) {
      const auto word = line.substr(std::min(line.find_first_not_of("{ \"'"), line.size()));
      return word.starts_with("package") || word.starts_with("version");
    }
    text.remove_prefix(end);
  }
  return false;
}

}  // namespace

const std::string* Workspace::text(const std::string& file) const {
  if (const auto entry = entries_.find(file); entry != entries_.end()) {
    if (entry->second.editor) return &entry->second.editor->text();
    return entry->second.text ? &*entry->second.text : nullptr;
  }
  const auto given = files_.find(file);
  return given == files_.end() ? nullptr : &given->second;
}

std::vector<std::string> Workspace::files_of(const std::string& package) const {
  const auto prefix = package + '/';
  std::vector<std::string> out;
  for (auto it = files_.lower_bound(prefix); it != files_.end() && it->first.starts_with(prefix); ++it) {
    if (exists(it->first)) out.push_back(it->first);
  }
  for (auto it = entries_.lower_bound(prefix); it != entries_.end() && it->first.starts_with(prefix); ++it) {
    if (!files_.contains(it->first) && exists(it->first)) out.push_back(it->first);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> Workspace::parts_of(const std::string& package) const {
  std::vector<std::string> out;
  for (auto& file : files_of(package)) {
    const auto name = std::string_view(file).substr(package.size() + 1);
    if (!name.ends_with(".yaml") || name.starts_with('.') || name.find('/') != std::string_view::npos) continue;
    if (looks_like_part(*text(file))) out.push_back(std::move(file));
  }
  const auto first = std::find(out.begin(), out.end(), package + "/package.yaml");
  if (first != out.end()) std::rotate(out.begin(), first, first + 1);
  return out;
}

Result<config::YamlEditor*> Workspace::editor(const std::string& file) {
  const auto* now = text(file);
  if (!now) return fail(ErrorCode::kNotFound, fmt::format("there is no file {}", file));
  auto& entry = entries_[file];
  if (entry.error) return std::unexpected(*entry.error);
  if (!entry.editor) {
    auto opened = config::YamlEditor::open(*now, file);
    if (!opened) {
      entry.error = opened.error();
      if (!entry.text) entry.text = *now;
      return std::unexpected(std::move(opened).error());
    }
    entry.editor = std::move(*opened);
    entry.text.reset();
  }
  return &*entry.editor;
}

const config::Node* Workspace::node(const Spot& spot) {
  const auto opened = editor(spot.file);
  if (!opened) return nullptr;
  const auto* node = &(*opened)->document().root();
  for (const auto& part : spot.path) {
    if (node->is_sequence()) {
      std::size_t index = 0;
      const auto end = part.data() + part.size();
      const bool number = std::from_chars(part.data(), end, index).ptr == end;
      node = number && index < node->items().size() ? node->items()[index] : nullptr;
    } else {
      node = node->get(part);
    }
    if (!node) return nullptr;
  }
  return node;
}

void Workspace::write(const std::string& file, std::string text) {
  Entry entry;
  entry.text = std::move(text);
  entries_[file] = std::move(entry);
}

void Workspace::remove(const std::string& file) { entries_[file] = Entry{}; }

std::vector<FileChange> Workspace::changes() const {
  std::vector<FileChange> out;
  for (const auto& [file, entry] : entries_) {
    const auto given = files_.find(file);
    const auto* now = text(file);
    if (given == files_.end() ? !now : now && *now == given->second) continue;
    FileChange change{file, std::nullopt, std::nullopt};
    if (given != files_.end()) change.before = given->second;
    if (now) change.after = *now;
    out.push_back(std::move(change));
  }
  return out;
}

const std::string& key_field(const schema::Section& section) {
  static const std::string name = "name";
  return section.indexes.empty() ? name : section.indexes.back().name;
}

std::string words(const ItemAddress& at) {
  if (at.path.empty()) return fmt::format("section \"{}\" of package {}", at.section, at.package);
  return fmt::format("{} {}/{}", at.section, at.package, fmt::join(at.path, "/"));
}

std::vector<std::string> linked_files(const config::Node& node) {
  std::vector<std::string> out;
  const auto* link = node.get("link");
  if (!link) return out;
  const auto take = [&](const config::Node& name) {
    if (name.is_scalar() && (name.text().ends_with(".yaml") || name.text().ends_with(".yml")))
      out.push_back(name.text());
  };
  take(*link);
  for (const auto* item : link->items()) take(*item);
  return out;
}

std::vector<Spot> with_links(Workspace& files, const std::string& package, const Spot& spot) {
  constexpr std::size_t kMostLinks = 256;
  std::vector<Spot> out{spot};
  for (std::size_t i = 0; i < out.size() && out.size() < kMostLinks; ++i) {
    const auto* node = files.node(out[i]);
    if (!node) continue;
    for (const auto& name : linked_files(*node)) {
      Spot linked{package + '/' + name, {}};
      const auto known = [&](const Spot& other) { return other.file == linked.file && other.path.empty(); };
      if (!is_package_path(name) || !files.exists(linked.file) || std::any_of(out.begin(), out.end(), known)) continue;
      out.push_back(std::move(linked));
    }
  }
  return out;
}

namespace {

/// Goes down an address level by level, through all places where each level is written.
class Search {
 public:
  Search(Workspace& files, const ItemAddress& at, const FindSection& find) : files_(files), at_(at), find_(find) {}

  Result<Found> run() {
    if (files_.files_of(at_.package).empty()) {
      return fail(ErrorCode::kNotFound, fmt::format("there is no package \"{}\"", at_.package));
    }
    AT_TRY(enter(at_.section));
    for (const auto& part : files_.parts_of(at_.package)) {
      const auto opened = files_.editor(part);
      if (!opened) {
        unreadable_ = opened.error();
        continue;
      }
      here_.push_back({part, {}});
    }
    step_into(at_.section, here_);
    found_.section_there = !here_.empty();
    for (const auto& part : at_.path) AT_TRY(next(part));
    found_.spots = here_;
    // What could not be read may hold it.
    if (here_.empty() && unreadable_) return std::unexpected(*unreadable_);
    found_.item = level_ == levels();
    return std::move(found_);
  }

 private:
  Status enter(const std::string& name) {
    found_.section = find_(name);
    level_ = 0;
    if (found_.section) return {};
    return fail(ErrorCode::kNotFound, fmt::format("there is no kind of section \"{}\"", name));
  }

  std::size_t levels() const {
    switch (found_.section->shape) {
      case schema::Shape::kList: return 1;
      case schema::Shape::kDocument: return 0;
      case schema::Shape::kTree: break;
    }
    return found_.section->indexes.size();
  }

  std::vector<Spot> opened(const std::vector<Spot>& spots) {
    std::vector<Spot> out;
    for (const auto& spot : spots) {
      for (auto& each : with_links(files_, at_.package, spot)) {
        if (const auto readable = files_.editor(each.file); !readable) unreadable_ = readable.error();
        out.push_back(std::move(each));
      }
    }
    return out;
  }

  void step_into(const std::string& key, const std::vector<Spot>& holders) {
    std::vector<Spot> below;
    for (const auto& holder : holders) {
      const auto* node = files_.node(holder);
      if (!node || !node->get(key)) continue;
      below.push_back(holder);
      below.back().path.push_back(key);
    }
    here_ = std::move(below);
  }

  Status next(const std::string& part) {
    if (part.empty() || part == "link" || part == "<<") {
      return fail(ErrorCode::kInvalidArgument, fmt::format("{}: \"{}\" cannot be a name", words(at_), part));
    }
    if (level_ == levels() && std::find(found_.section->contains.begin(), found_.section->contains.end(), part) ==
                                  found_.section->contains.end()) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("{}: items of \"{}\" have {} name{}", words(at_),
                                                           found_.section->name, levels(), levels() == 1 ? "" : "s"));
    }
    const bool contained = level_ == levels();
    found_.listed.push_back(!contained && found_.section->shape == schema::Shape::kList);
    const auto holders = opened(here_);
    if (!holders.empty()) found_.holders = holders;
    if (contained) {
      AT_TRY(enter(part));
      step_into(part, holders);
    } else if (found_.section->shape == schema::Shape::kList) {
      step_to_item(part, holders);
      ++level_;
    } else {
      step_into(part, holders);
      ++level_;
    }
    if (!here_.empty()) ++found_.depth;
    return {};
  }

  void step_to_item(const std::string& name, const std::vector<Spot>& holders) {
    std::vector<Spot> below;
    for (const auto& holder : holders) {
      const auto* node = files_.node(holder);
      for (std::size_t i = 0; node && i < node->items().size(); ++i) {
        const auto* key = node->items()[i]->get(key_field(*found_.section));
        if (!key || !key->is_scalar() || key->text() != name) continue;
        below.push_back(holder);
        below.back().path.push_back(std::to_string(i));
        break;
      }
    }
    here_ = std::move(below);
  }

  Workspace& files_;
  const ItemAddress& at_;
  const FindSection& find_;
  Found found_;
  std::vector<Spot> here_;
  std::size_t level_ = 0;
  std::optional<Error> unreadable_;
};

}  // namespace

Result<Found> locate(Workspace& files, const ItemAddress& at, const FindSection& find) {
  return Search(files, at, find).run();
}

}  // namespace atalaya::packages
