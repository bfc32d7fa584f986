// Errors name the item that they lie in.
#include "packages/locate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "packages/world_test_lines.h"

namespace atalaya::packages {
namespace {

using testing::ElementsAre;

/// "line package section/path field" of each error that a package is told.
std::vector<std::string> items_of_errors(const World& world, const std::string& package = "p") {
  std::vector<std::string> out;
  for (const auto& error : world.slots().at(package).told) {
    out.push_back(fmt::format("{} {} {}/{} {}", error.place ? error.place->line : 0, error.package, error.section,
                              fmt::join(error.path, "/"), error.field));
  }
  return out;
}
std::vector<std::string> items_of_errors(const FolderTexts& texts, const std::string& package = "p") {
  return items_of_errors(world_of(texts), package);
}

TEST(ErrorsInItems, AWrongValueNamesItsItemAndField) {
  EXPECT_THAT(items_of_errors(
                  {{"p/package.yaml", head("p") + "rules:\n  disk:\n    full:\n      gauge:\n        expr: 'x +'\n"
                                                  "        above: {warning: much}\n    slow:\n      binary: {}\n"}}),
              ElementsAre("7 p rules/disk/full gauge.expr", "8 p rules/disk/full gauge.above.warning",
                          "10 p rules/disk/slow binary"));
}

TEST(ErrorsInItems, WhatIsWrongBesideTheItemsNamesTheWayInItsFile) {
  EXPECT_THAT(
      items_of_errors({{"p/package.yaml", head("p") + "rules: {a: {b: {binary: {expr: up}}, 'no name!': {}}, c: 1}\n"
                                                      "requires: {nobody: '*'}\nruels: {}\n"}}),
      ElementsAre("3 p rules/a/no name! ", "3  / rules.c", "5  / ruels", "4  / requires.nobody"));
  EXPECT_THAT(items_of_errors({{"p/package.yaml",
                                "package: p\nversion: x\nimports: [nobody]\n"
                                "fallbacks: [{}]\nrequires: {nobody: new}\n"}}),
              ElementsAre("2  / version", "4  / fallbacks.0", "5  / requires.nobody", "3  / imports.0",
                          "5  / requires.nobody"));
  EXPECT_THAT(items_of_errors({{"p/package.yaml", "package: p\n"}}), ElementsAre("1  / version"));
}

TEST(ErrorsInItems, AnOverrideNamesTheItemThatItChanges) {
  const auto with = [](const std::string& text) {
    return FolderTexts{{"p/package.yaml", head("p") + "override:\n  other:\n" + text},
                       {"other/package.yaml", head("other") + "rules: {a: {b: {binary: {expr: up}}}}\n"}};
  };
  EXPECT_THAT(items_of_errors(with("    rules: {a: {b: {fro: 5m}}}\n")),
              ElementsAre("5 other rules/a/b override.other.rules.a.b.fro"));
  EXPECT_THAT(items_of_errors(with("    rules: {a: {b: {for: x}, c: {for: 5m}}, d: 1}\n    ruls: {}\n")),
              ElementsAre("5 other rules/a/b override.other.rules.a.b.for", "5  / override.other.rules.a.c",
                          "5  / override.other.rules.d", "6  / override.other.ruls"));
}

TEST(ErrorsInItems, AKeyThatStandsTwiceNamesItsOwnPlace) {
  const auto of = [](const std::string& text) { return items_of_errors({{"p/package.yaml", head("p") + text}}); };
  EXPECT_THAT(of("rules:\n  h:\n    b: {binary: {expr: up}, fro: 1}\n  h: {}\n"),
              ElementsAre("5 p rules/h/b fro", "6  / rules.h"));
  EXPECT_THAT(of("rules:\n  g:\n    a: {binary: {expr: up}}\n    b: {binary: {expr: up}}\n    a: {}\n"),
              ElementsAre("7 p rules/g/a "));
  EXPECT_THAT(of("rules:\n  g:\n    a: {binary: {expr: up}, labels: {a: b, a: c}}\n"),
              ElementsAre("5 p rules/g/a labels.a"));
  EXPECT_THAT(of("rules: {}\nrequires: {}\nrules: {}\n"), ElementsAre("5  / rules"));
}

TEST(ErrorsInItems, AKeyThatIsNoTextNamesWhatHoldsIt) {
  const auto of = [](const std::string& text) { return items_of_errors({{"p/package.yaml", head("p") + text}}); };
  EXPECT_THAT(of("rules:\n  g:\n    a:\n      binary: {expr: up}\n      fro: 5m\n    ? [c, d]\n    : 1\n"),
              ElementsAre("7 p rules/g/a fro", "8  / rules.g"));
  EXPECT_THAT(of("rules:\n  g:\n    a:\n      binary: {expr: up}\n      labels:\n        ? [c, d]\n        : 1\n"),
              ElementsAre("8 p rules/g/a labels"));
}

TEST(ErrorsInItems, InALinkedFileTooAKeyThatStandsTwiceNamesItsOwnPlace) {
  EXPECT_THAT(items_of_errors({{"p/package.yaml", head("p") + "rules: {g: {link: rules.yaml}}\n"},
                               {"p/rules.yaml",
                                "a: {binary: {expr: up}, fro: 1}\nb: {binary: {expr: up}}\n"
                                "b: {}\nc: {binary: {expr: up, expr: down}}\n"}}),
              ElementsAre("1 p rules/g/a fro", "3  / b", "4 p rules/g/c binary.expr"));
}

TEST(ErrorsInItems, LinkedFilesListsAndDocumentsAreItemsToo) {
  EXPECT_THAT(items_of_errors({{"p/package.yaml", head("p") + "rules: {link: rules.yaml}\n"},
                               {"p/rules.yaml", "a:\n  b: {binary: {expr: '('}}\n"}}),
              ElementsAre("2 p rules/a/b binary.expr"));
  EXPECT_THAT(items_of_errors(
                  {{"p/package.yaml", head("p") + "groups:\n  - name: g\n    rules: [{alert: A, expr: 'x +'}]\n"
                                                  "alertmanager:\n  route: {receiver: r}\n  receivers: [{name: r}]\n"
                                                  "  nonsense: 1\n"}}),
              ElementsAre("5 p groups/g rules.0.expr", "9 p alertmanager/ nonsense"));
}

TEST(ErrorsInItems, AMistakeAtTheEndOfABlockIsThatFields) {
  EXPECT_THAT(items_of_errors(
                  {{"p/package.yaml",
                    head("p") + "rules:\n  a:\n    b:\n      gauge:\n        expr: |\n          up +\n        above: "
                                "{warning: 1}\n    c:\n      binary:\n        expr: |-\n          sum(\n    d: "
                                "{binary: {expr: up}}\n"}}),
              ElementsAre("8 p rules/a/b gauge.expr", "13 p rules/a/c binary.expr"));
  EXPECT_THAT(items_of_errors({{"p/package.yaml",
                                head("p") + "groups:\n  - name: g\n    rules:\n      - alert: A\n        expr: |\n"
                                            "          up +\n        for: 1m\n      - {record: b, expr: up}\n"}}),
              ElementsAre("8 p groups/g rules.0.expr"));
}

TEST(ErrorsInItems, AnotherPackagesItemIsNamedWithItsPackage) {
  const auto with = [](const std::string& values) {
    return FolderTexts{
        {"p/package.yaml", head("p") + "instances: {spec: {one: {" + values + "}}}\n"},
        {"spec/package.yaml",
         head("spec") + "parameters: {expr: {type: text}}\nrules: {a: {b: {binary: {expr: '${expr}'}}}}\n"}};
  };
  EXPECT_THAT(items_of_errors(with("")), ElementsAre(testing::StartsWith("4 spec rules/a/b binary")));
  EXPECT_THAT(items_of_errors(with("with: {expr: '('}")), ElementsAre("3 p instances/spec/one with.expr"));
}

TEST(ErrorsInItems, AValueOfAnInstanceIsAFieldOfTheInstance) {
  EXPECT_THAT(items_of_errors({{"p/package.yaml", head("p") + "instances: {spec: {one: {with: {port: many}}}}\n"},
                               {"spec/package.yaml", head("spec") + "parameters: {port: {type: port}}\n"}}),
              ElementsAre("3 p instances/spec/one with.port"));
}

TEST(ErrorsInItems, AMistakeInAPagesTextIsThePages) {
  EXPECT_THAT(items_of_errors({{"p/package.yaml", head("p") + "pages: {all: {disks: {template: pages/disks.html}}}\n"},
                               {"p/pages/disks.html", "<p>\n{{ if }}{{ end }}</p>\n"}}),
              ElementsAre("2 p pages/all/disks template"));
}

TEST(ErrorsInItems, TheErrorsOfARefusedChangeAreNamedByItsOwnTexts) {
  auto world = world_of({{"p/package.yaml", head("p") + "rules: {a: {b: {binary: {expr: up}}}}\n"}});
  const auto plan =
      world.plan(std::set<std::string>{"p"},
                 files_of({{"p/package.yaml", head("p") + "# moved\nrules: {a: {c: {binary: {expr: '('}}}}\n"}}));
  ASSERT_EQ(plan.errors.size(), 1u);
  EXPECT_THAT(plan.errors.front().path, ElementsAre("a", "c"));
  EXPECT_EQ(plan.errors.front().field, "binary.expr");
}

}  // namespace
}  // namespace atalaya::packages
