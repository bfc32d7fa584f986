#include "packages/tree_view.h"

#include <algorithm>
#include <map>
#include <utility>

namespace atalaya::packages {
namespace {

/// Where an item begins, and the way to its node.
using Starts = std::map<std::pair<std::string, std::uint32_t>, std::pair<std::size_t, std::vector<std::string>>>;

/// Builds the nodes of one section, links to files followed.
class TreeBuilder {
 public:
  TreeBuilder(const PackageTree& tree, const schema::Section& section, std::size_t number, Starts& starts)
      : tree_(tree), section_(section), number_(number), starts_(starts) {}

  void add(const SectionPart& part, SectionTree& out) {
    using enum schema::Shape;
    if (section_.shape == kDocument) {
      out.nodes.push_back({section_.name, section_.title, true, false, {}});
      note(part.place, {section_.name});
      ++out.count;
    } else if (section_.shape == kList) {
      for (const auto* item : part.value->items()) {
        const auto* key = item->get(section_.indexes.back().name);
        if (key == nullptr) continue;
        out.nodes.push_back({key->text(), "", true, false, {}});
        note(item->place(), {key->text()});
        ++out.count;
      }
    } else {
      level({part.document, part.value}, {}, out.nodes, out.count);
    }
  }

 private:
  void level(Linked at, const std::vector<std::string>& path, std::vector<TreeNode>& out, std::size_t& count) {
    if (!at.node->is_mapping()) return;
    const auto followed = tree_.follow(std::move(at), ignored_);
    if (!followed) return;
    const bool innermost = path.size() + 1 == section_.indexes.size();
    for (const auto& entry : followed->node->entries()) {
      auto next = path;
      next.push_back(entry.key->text());
      if (innermost) {
        const auto* title = entry.value->get("title");
        out.push_back({entry.key->text(), title != nullptr ? title->text() : "", true, false, {}});
        note(entry.key->place(), std::move(next));
        ++count;
        continue;
      }
      // A group may go on in another file.
      auto found = std::find_if(out.begin(), out.end(), [&](const auto& one) { return one.name == next.back(); });
      if (found == out.end()) found = out.insert(out.end(), {next.back(), "", false, false, {}});
      level({followed->document, entry.value}, next, found->children, count);
    }
  }

  void note(const Place& place, std::vector<std::string> path) {
    starts_[{place.file, place.line}] = {number_, std::move(path)};
  }

  const PackageTree& tree_;
  const schema::Section& section_;
  const std::size_t number_;
  Starts& starts_;
  config::Errors ignored_;
};

void mark(std::vector<TreeNode>& nodes, const std::vector<std::string>& path, std::size_t depth = 0) {
  for (auto& node : nodes) {
    if (node.name != path[depth]) continue;
    node.has_error = true;
    if (depth + 1 < path.size()) mark(node.children, path, depth + 1);
    return;
  }
}

}  // namespace

TreeView tree_view(const PackageTree& tree, const schema::SchemaSet& schemas, const std::vector<Error>& errors) {
  TreeView out;
  Starts starts;
  for (const auto* section : schemas.sections()) {
    if (!tree.has_section(section->name)) continue;
    SectionTree one{section->name, section->title, 0, {}};
    TreeBuilder builder(tree, *section, out.size(), starts);
    for (const auto& part : tree.parts()) {
      if (part.section == section->name) builder.add(part, one);
    }
    out.push_back(std::move(one));
  }
  for (const auto& error : errors) {
    if (!error.place || starts.empty()) continue;
    auto at = starts.upper_bound({error.place->file, error.place->line});
    if (at == starts.begin() || std::prev(at)->first.first != error.place->file) continue;
    const auto& [section, path] = std::prev(at)->second;
    mark(out[section].nodes, path);
  }
  return out;
}

}  // namespace atalaya::packages
