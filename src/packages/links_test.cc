// `link:`, to files of the package and to items.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "packages/world_test_lines.h"

namespace atalaya::packages {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kCpu = "cpu: {gauge: {expr: load, above: {warning: 1}}}\n";
const std::string kDisk = "disk: {gauge: {expr: full, above: {warning: 2}}}\n";

TEST(LinksToFiles, ASectionAGroupAndAnItemMayEachStandInAFileOfTheirOwn) {
  const auto world = world_of({{"p/package.yaml", head("p") + "rules: {link: rules.yaml}\n"},
                               {"p/rules.yaml", "a: {link: groups/a.yaml}\n"},
                               {"p/groups/a.yaml", "cpu: {link: cpu.yaml}\n"},
                               {"p/cpu.yaml", "gauge: {expr: load, above: {warning: 1}}\n"}});
  EXPECT_THAT(error_lines(world), IsEmpty());
  EXPECT_EQ(warning_of(world, "p/a/cpu"), 1);
  EXPECT_EQ(running(world, "p")->rules.front().origin, (Place{"p/groups/a.yaml", 1, 1}));
}

TEST(LinksToFiles, SeveralFilesStandInOnePlaceAndKeysBesideTheLinkWin) {
  const auto world =
      world_of({{"p/package.yaml", head("p") + "rules:\n  a:\n    link: [cpu.yaml, disk.yaml]\n    disk: "
                                               "{gauge: {above: {warning: 7}}}\n"},
                {"p/cpu.yaml", kCpu},
                {"p/disk.yaml", kDisk}});
  EXPECT_THAT(error_lines(world), IsEmpty());
  EXPECT_EQ(warning_of(world, "p/a/cpu"), 1);
  EXPECT_EQ(warning_of(world, "p/a/disk"), 7);
}

TEST(LinksToFiles, AMistakeInALinkedFileIsToldThere) {
  EXPECT_THAT(error_lines({{"p/package.yaml", head("p") + "rules: {a: {link: cpu.yaml}}\n"},
                           {"p/cpu.yaml", "# words\ncpu: {guage: {expr: load}}\n"}}),
              ElementsAre("p/cpu.yaml:2:7: rule \"p/a/cpu\" has no key \"guage\" (did you mean \"gauge\"?)"));
}

TEST(LinksToFiles, AnEmptyFileAddsNothing) {
  const auto world = world_of({{"p/package.yaml", head("p") + "rules: {a: {link: [cpu.yaml, none.yaml]}}\n"},
                               {"p/cpu.yaml", kCpu},
                               {"p/none.yaml", "# nothing yet\n"}});
  EXPECT_THAT(error_lines(world), IsEmpty());
  EXPECT_EQ(warning_of(world, "p/a/cpu"), 1);
}

TEST(LinksToFiles, AnEmptyFileAloneIsNoPackage) {
  EXPECT_THAT(error_lines({{"p/p.yaml", "\n"}}), testing::Contains(HasSubstr("p/p.yaml:")));
  EXPECT_THAT(error_lines({{"p/package.yaml", "# nothing\n"}}), testing::Contains(HasSubstr("p/package.yaml:")));
}

TEST(LinksToFiles, AKeyThatTwoFilesHoldIsTold) {
  EXPECT_THAT(error_lines({{"p/package.yaml", head("p") + "rules: {a: {link: [cpu.yaml, more.yaml]}}\n"},
                           {"p/cpu.yaml", kCpu},
                           {"p/more.yaml", kDisk + kCpu}}),
              ElementsAre("p/more.yaml:2:1: \"cpu\" stands in another linked file too, at p/cpu.yaml:1:6 (give one of "
                          "them another name)"));
}

TEST(LinksToFiles, ACircleIsTold) {
  EXPECT_THAT(error_lines({{"p/package.yaml", head("p") + "rules: {a: {link: x.yaml}}\n"},
                           {"p/x.yaml", "link: y.yaml\n"},
                           {"p/y.yaml", "link: x.yaml\n"}}),
              ElementsAre("p/y.yaml:1:7: \"x.yaml\" links back to itself (remove one of the links)"));
  EXPECT_THAT(
      error_lines({{"p/package.yaml", head("p") + "rules: {a: {link: x.yaml}}\n"}, {"p/x.yaml", "link: x.yaml\n"}}),
      ElementsAre(HasSubstr("p/x.yaml:1:7: \"x.yaml\" links back to itself")));
}

TEST(LinksToFiles, AFileThatIsNotThereIsToldWithTheOneThatWasMeant) {
  EXPECT_THAT(error_lines({{"p/package.yaml", head("p") + "rules: {a: {link: rules/dsk.yaml}}\n"},
                           {"p/rules/disk.yaml", kDisk}}),
              ElementsAre("p/package.yaml:3:19: there is no file \"rules/dsk.yaml\" in package p (did you mean "
                          "\"rules/disk.yaml\"?)"));
}

TEST(LinksToFiles, NoneLeadsOutOfThePackage) {
  for (const std::string path : {"../q/package.yaml", "/etc/x.yaml", "rules/../../q/package.yaml"}) {
    EXPECT_THAT(error_lines({{"p/package.yaml", head("p") + "rules: {a: {link: " + path + "}}\n"},
                             {"q/package.yaml", head("q")}}),
                ElementsAre("p/package.yaml:3:19: \"" + path +
                            "\" leads out of the package (link to a file of this package, e.g. rules/disk.yaml)"));
  }
}

TEST(LinksToItems, NoneLeadsOutOfThePackage) {
  for (const std::string path : {"../../etc/passwd", "/etc/passwd"}) {
    EXPECT_THAT(error_lines({{"p/package.yaml", head("p") + "rules: {a: {b: {link: " + path + "}}}\n"}}),
                ElementsAre(HasSubstr("p/package.yaml:3:23: \"" + path + "\" leads out of the package")));
  }
}

TEST(LinksToFiles, AFileThatIsNoMappingIsTold) {
  EXPECT_THAT(
      error_lines({{"p/package.yaml", head("p") + "rules: {a: {link: sub/x.yaml}}\n"}, {"p/sub/x.yaml", "[a]\n"}}),
      ElementsAre(HasSubstr("p/sub/x.yaml:1:1: ")));
  EXPECT_THAT(
      error_lines({{"p/package.yaml", head("p") + "rules: {a: {link: sub/x.yaml}}\n"}, {"p/sub/x.yaml", "a: [\n"}}),
      ElementsAre(HasSubstr("p/sub/x.yaml:")));
}

TEST(LinksToItems, AnItemIsACopyOfAnotherWithItsOwnKeysOnTop) {
  const auto world = world_of(
      {{"p/package.yaml",
        package_with_rule("p", "hot", 5) + "    warm: {link: p/a/hot, title: Warm, gauge: {above: {warning: 3}}}\n"},
       {"q/package.yaml", head("q") + "rules: {b: {boiling: {link: p/a/hot, gauge: {above: {warning: 100}}}}}\n"}});
  EXPECT_THAT(error_lines(world), IsEmpty());
  EXPECT_EQ(warning_of(world, "p/a/hot"), 5);
  EXPECT_EQ(warning_of(world, "p/a/warm"), 3);
  EXPECT_EQ(warning_of(world, "q/b/boiling"), 100);
  EXPECT_EQ(running(world, "q")->rules.front().expr(), "temp");
}

TEST(LinksToItems, LinksOfLinksAreFollowedAcrossPackages) {
  const auto world = world_of({{"a/package.yaml", head("a") + "rules: {x: {one: {link: b/x/two}}}\n"},
                               {"b/package.yaml", head("b") + "rules: {x: {two: {link: c/a/three}}}\n"},
                               {"c/package.yaml", package_with_rule("c", "three", 3)}});
  EXPECT_THAT(error_lines(world), IsEmpty());
  EXPECT_EQ(warning_of(world, "a/x/one"), 3);
}

TEST(LinksToItems, ACircleIsToldInEveryPackageThatIsInIt) {
  const auto world = world_of({{"a/package.yaml", head("a") + "rules: {x: {one: {link: b/x/two}}}\n"},
                               {"b/package.yaml", head("b") + "rules: {x: {two: {link: a/x/one}}}\n"}});
  EXPECT_THAT(error_lines(world, "a"),
              ElementsAre(HasSubstr("this link leads back to itself (remove one of the links)")));
  EXPECT_THAT(error_lines(world, "b"),
              ElementsAre(HasSubstr("this link leads back to itself (remove one of the links)")));
  EXPECT_THAT(error_lines({{"p/package.yaml", head("p") + "rules: {x: {one: {link: p/x/one}}}\n"}}),
              ElementsAre("p/package.yaml:3:25: this link leads back to itself (remove one of the links)"));
}

TEST(LinksToItems, WhatIsNotThereIsToldAtTheLink) {
  const std::string at = "p/package.yaml:3:25: ";
  const auto told = [](const std::string& target) {
    return error_lines({{"p/package.yaml", head("p") + "rules: {x: {one: {link: " + target + "}}}\n"},
                        {"q/package.yaml", package_with_rule("q", "hot", 5)}});
  };
  EXPECT_THAT(told("r/a/hot"), ElementsAre(at + "there is no package \"r\" (an item is named as package/group/name)"));
  EXPECT_THAT(told("q/a/hto"), ElementsAre(at + "there is no rule \"q/a/hto\" (did you mean \"q/a/hot\"?)"));
  EXPECT_THAT(told("q/b/hot"), ElementsAre(at + "there is no rule \"q/b/hot\" (did you mean \"q/a/hot\"?)"));
  EXPECT_THAT(told("q/hot"), ElementsAre(at + "\"q/hot\" is no rule (an item is named as package/group/name)"));
  EXPECT_THAT(told("[q/a/hot]"), ElementsAre(HasSubstr("a link names a file of the package, or an item")));
}

TEST(LinksToItems, ACopyOfWhatComesLaterHoldsFromThenOn) {
  FolderTexts texts{{"p/package.yaml", head("p") + "rules: {x: {one: {link: q/a/hot}}}\n"},
                    {"r/package.yaml", head("r")}};
  auto world = world_of(texts);
  ASSERT_EQ(running(world, "p"), nullptr);
  texts["q/package.yaml"] = package_with_rule("q", "hot", 5);
  change(world, texts, {"q"});
  EXPECT_THAT(error_lines(world), IsEmpty());
  EXPECT_EQ(warning_of(world, "p/x/one"), 5);
}

TEST(LinksToItems, WhatOthersCopyIsNotRemovedUnderThem) {
  FolderTexts texts{{"p/package.yaml", head("p") + "rules: {x: {one: {link: q/a/hot}}}\n"},
                    {"q/package.yaml", package_with_rule("q", "hot", 5)}};
  const auto world = world_of(texts);
  texts["q/package.yaml"] = head("q");
  const auto plan = world.plan(std::set<std::string>{"q"}, files_of(texts));
  ASSERT_EQ(plan.errors.size(), 1u);
  EXPECT_EQ(plan.errors.front().place, (Place{"p/package.yaml", 3, 25}));
}

TEST(LinksToItems, ACopyFollowsWhatItIsACopyOf) {
  FolderTexts texts{{"p/package.yaml", head("p") + "rules: {x: {one: {link: q/a/hot}}}\n"},
                    {"q/package.yaml", package_with_rule("q", "hot", 5)}};
  auto world = world_of(texts);
  texts["q/package.yaml"] = package_with_rule("q", "hot", 9);
  change(world, texts, {"q"});
  EXPECT_EQ(warning_of(world, "q/a/hot"), 9);
  EXPECT_EQ(warning_of(world, "p/x/one"), 9);
}

}  // namespace
}  // namespace atalaya::packages
