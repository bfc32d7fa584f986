#include "packages/tree_view.h"

#include <algorithm>
#include <utility>

namespace atalaya::packages {
namespace {

/// Builds the nodes of one section, links to files followed.
class TreeBuilder {
 public:
  TreeBuilder(const PackageTree& tree, const schema::Section& section) : tree_(tree), section_(section) {}

  void add(const SectionPart& part, SectionTree& out) {
    using enum schema::Shape;
    if (section_.shape == kDocument) {
      out.nodes.push_back({section_.name, section_.title, true, false, {}});
      ++out.count;
    } else if (section_.shape == kList) {
      for (const auto* item : part.value->items()) {
        const auto* key = item->get(section_.indexes.back().name);
        if (key == nullptr) continue;
        out.nodes.push_back({key->text(), "", true, false, {}});
        ++out.count;
      }
    } else {
      level({part.document, part.value}, 0, out.nodes, out.count);
    }
  }

 private:
  void level(Linked at, std::size_t depth, std::vector<TreeNode>& out, std::size_t& count) {
    if (!at.node->is_mapping()) return;
    const auto followed = tree_.follow(std::move(at), ignored_);
    if (!followed) return;
    const bool innermost = depth + 1 == section_.indexes.size();
    for (const auto& entry : followed->node->entries()) {
      const auto& name = entry.key->text();
      if (innermost) {
        const auto* title = entry.value->get("title");
        out.push_back({name, title != nullptr ? title->text() : "", true, false, {}});
        ++count;
        continue;
      }
      // A group may go on in another file.
      auto found = std::find_if(out.begin(), out.end(), [&](const auto& one) { return one.name == name; });
      if (found == out.end()) found = out.insert(out.end(), {name, "", false, false, {}});
      level({followed->document, entry.value}, depth + 1, found->children, count);
    }
  }

  const PackageTree& tree_;
  const schema::Section& section_;
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

TreeView tree_view(const PackageTree& tree, const schema::SchemaSet& schemas, const std::vector<PackageError>& errors) {
  TreeView out;
  for (const auto* section : schemas.sections()) {
    if (!tree.has_section(section->name)) continue;
    SectionTree one{section->name, section->title, 0, {}};
    TreeBuilder builder(tree, *section);
    for (const auto& part : tree.parts()) {
      if (part.section == section->name) builder.add(part, one);
    }
    for (const auto& error : errors) {
      if (error.section != section->name || error.package != tree.name()) continue;
      mark(one.nodes, error.path.empty() ? std::vector{section->name} : error.path);
    }
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace atalaya::packages
