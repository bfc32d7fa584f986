#include "packages/tree_view.h"

#include <gtest/gtest.h>

#include "packages/testing.h"

namespace atalaya::packages {
namespace {

TreeView view_of(const std::map<std::string, std::string>& texts) {
  const auto world = world_of(texts);
  config::Errors ignored;
  const auto tree = PackageTree::read("p", files_of(texts).read("p"), ignored);
  return tree_view(tree, *world.schemas_of("p"), world.slots().at("p").told);
}

TEST(PackageTreeView, GroupsGoOnInOtherFilesAndItemsHaveTitles) {
  const auto tree =
      view_of({{"p/a.yaml", "package: p\nversion: 1\nrules:\n  disk:\n    full: {title: Full, binary: {expr: x}}\n"},
               {"p/b.yaml", "package: p\nversion: 1\nrules: {disk: {slow: {binary: {expr: y}}}, link: c.yaml}\n"},
               {"p/c.yaml", "net: {down: {binary: {expr: z}}}\n"}});
  ASSERT_EQ(tree.size(), 1u);
  EXPECT_EQ(tree[0].count, 3u);
  ASSERT_EQ(tree[0].nodes.size(), 2u);
  EXPECT_EQ(tree[0].nodes[0].name, "disk");
  ASSERT_EQ(tree[0].nodes[0].children.size(), 2u);
  EXPECT_EQ(tree[0].nodes[0].children[0].title, "Full");
  EXPECT_TRUE(tree[0].nodes[1].children[0].is_item);
}

TEST(PackageTreeView, AnErrorMarksTheItemItStandsInAndItsGroups) {
  const auto tree = view_of({{"p/package.yaml",
                              "package: p\nversion: 1\nrules:\n  disk:\n    full:\n      binary: {expr: x}\n"
                              "    slow:\n      title: t\n      binary: {expr: 'x +'}\n"}});
  ASSERT_EQ(tree.size(), 1u);
  EXPECT_TRUE(tree[0].nodes[0].has_error);
  EXPECT_FALSE(tree[0].nodes[0].children[0].has_error);
  EXPECT_TRUE(tree[0].nodes[0].children[1].has_error);
}

TEST(PackageTreeView, ListsAndDocumentsAreItemsToo) {
  const auto tree = view_of({{"p/package.yaml",
                              "package: p\nversion: 1\ngroups:\n  - name: g\n    rules: [{alert: A, expr: up}]\n"
                              "alertmanager:\n  route: {receiver: r}\n  receivers: [{name: r}]\n"}});
  ASSERT_EQ(tree.size(), 2u);
  std::size_t items = 0;
  for (const auto& section : tree) items += section.count;
  EXPECT_EQ(items, 2u);
}

}  // namespace
}  // namespace atalaya::packages
