// Two packages on one field.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "packages/world_test_lines.h"

namespace atalaya::packages {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string warns(const std::string& by, int warning, const std::string& more = "") {
  return head(by) + more +
         fmt::format("override:\n  p: {{rules: {{a: {{hot: {{gauge: {{above: {{warning: {}}}}}}}}}}}}}\n", warning);
}

TEST(Conflicts, WhoOverrodeAFieldBeforeKeepsItWhateverTheNames) {
  for (const std::string newcomer : {"aa", "zz"}) {
    FolderTexts texts{{"p/package.yaml", package_with_rule("p", "hot", 5)}, {"mm/package.yaml", warns("mm", 7)}};
    auto world = world_of(texts);
    texts[newcomer + "/package.yaml"] = warns(newcomer, 8);
    const auto plan = world.plan(std::set<std::string>{newcomer}, files_of(texts));
    ASSERT_EQ(plan.errors.size(), 1u) << newcomer;
    EXPECT_EQ(plan.errors.front().place->file, newcomer + "/package.yaml") << "in the words of the file that was sent";
    change(world, texts, {newcomer});
    EXPECT_THAT(error_lines(world, "mm"), IsEmpty());
    EXPECT_THAT(error_lines(world, newcomer), ElementsAre(HasSubstr("package mm overrides rules/a/hot/gauge/above/"
                                                                    "warning of p too, at mm/package.yaml:4:50")));
    EXPECT_EQ(warning_of(world, "p/a/hot"), 7) << newcomer;
    EXPECT_EQ(running(world, newcomer), nullptr);
  }
}

TEST(Overrides, OfAnInstanceNameItsValuesAsItsItemsDo) {
  FolderTexts texts{
      {"db/package.yaml", head("db") + "parameters: {host: {type: host, required: true, example: x}}\n"
                                       "rules: {a: {hot: {gauge: {expr: temp, above: {warning: 5}}}}}\n"},
      {"p/package.yaml", head("p") + "instances: {db: {one: {with: {host: h1}}, two: {with: {host: h2}}}}\n"
                                     "override:\n"
                                     "  db: {rules: {a: {hot: {title: 'Hot ${host}'}}}}\n"
                                     "  db@two: {rules: {a: {hot: {labels: {of: '${instance} $${x}'}}}}}\n"}};
  auto world = world_of(texts);
  EXPECT_THAT(error_lines(world), IsEmpty());
  ASSERT_NE(running(world, "db@two"), nullptr);
  EXPECT_EQ(running(world, "db@one")->rules.front().title, "Hot h1");
  EXPECT_EQ(running(world, "db@two")->rules.front().title, "Hot h2");
  EXPECT_EQ(running(world, "db@two")->rules.front().labels.at("of"), "two ${x}");
  texts["p/package.yaml"] = head("p") + "override: {db: {rules: {a: {hot: {title: '${hots}'}}}}}\n";
  EXPECT_THAT(error_lines(texts), testing::Contains(HasSubstr("p/package.yaml:3:42: there is no parameter \"hots\"")));
}

TEST(Conflicts, AnOlderPackageThatTakesAnothersFieldIsTheNewcomer) {
  FolderTexts texts{{"p/package.yaml", package_with_rule("p", "hot", 5)},
                    {"zz/package.yaml", warns("zz", 7)},
                    {"aa/package.yaml", head("aa") + "override: {p: {rules: {a: {hot: {title: Hot}}}}}\n"}};
  auto world = world_of(texts);
  EXPECT_THAT(error_lines(world), IsEmpty());
  texts["aa/package.yaml"] = warns("aa", 8);
  change(world, texts, {"aa"});
  EXPECT_THAT(error_lines(world, "zz"), IsEmpty());
  EXPECT_THAT(error_lines(world, "aa"), testing::SizeIs(1));
  EXPECT_EQ(warning_of(world, "p/a/hot"), 7);
  EXPECT_EQ(running(world, "p")->rules.front().title, "Hot") << "it goes on as it ran";
}

TEST(Conflicts, AfterAStartTheFieldBelongsToWhoHadItBefore) {
  const FolderTexts texts{{"p/package.yaml", package_with_rule("p", "hot", 5)},
                          {"aa/package.yaml", warns("aa", 8)},
                          {"zz/package.yaml", warns("zz", 7)}};
  auto files = files_of(texts);
  files.last_good = [](const std::string& package) {
    if (package != "zz") return std::vector<SourceFile>{};
    return std::vector<SourceFile>{{"zz/package.yaml", "package.yaml", warns("zz", 6), std::nullopt}};
  };
  World world({.tenant = default_tenant(), .base = base_sources(), .run = {}, .check_channels = {}, .check_items = {}});
  world.take(world.plan(std::nullopt, files));
  EXPECT_THAT(error_lines(world, "zz"), IsEmpty());
  EXPECT_THAT(error_lines(world, "aa"), testing::SizeIs(1));
  EXPECT_EQ(warning_of(world, "p/a/hot"), 7);
}

TEST(Conflicts, WhatNamesNothingMeetsNobody) {
  const FolderTexts texts{
      {"p/package.yaml", package_with_rule("p", "hot", 5)},
      {"aa/package.yaml", head("aa") + "override: {p: {rules: {a: {hto: {for: 1m}}}}}\n"},
      {"zz/package.yaml", head("zz") + "override: {p: {rules: {a: {hto: {for: 1m}, hot: {fro: 1m}}}}}\nruls: {}\n"}};
  EXPECT_THAT(error_lines(texts, "zz"),
              testing::UnorderedElementsAre(HasSubstr("no key \"ruls\""), HasSubstr("there is no rule \"p/a/hto\""),
                                            HasSubstr("has no key \"fro\"")));
}

TEST(Conflicts, OfAPackageThatIsNotThereNobodyHasAField) {
  const FolderTexts texts{{"aa/package.yaml", warns("aa", 8)}, {"zz/package.yaml", warns("zz", 7)}};
  for (const auto* package : {"aa", "zz"}) {
    EXPECT_THAT(error_lines(texts, package), ElementsAre(HasSubstr("there is no package \"p\" to override")));
  }
}

TEST(Conflicts, WhatRunsOfABrokenPackageKeepsItsFields) {
  FolderTexts texts{{"p/package.yaml", package_with_rule("p", "hot", 5)}, {"zz/package.yaml", warns("zz", 7)}};
  auto world = world_of(texts);
  texts["zz/package.yaml"] = warns("zz", 9, "ruls: {}\n");
  change(world, texts, {"zz"});
  texts["aa/package.yaml"] = warns("aa", 8);
  change(world, texts, {"aa"});
  EXPECT_THAT(error_lines(world, "aa"), ElementsAre(HasSubstr("package zz overrides")));
  EXPECT_EQ(warning_of(world, "p/a/hot"), 7);
}

}  // namespace
}  // namespace atalaya::packages
