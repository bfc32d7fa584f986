// Packages among each other.
#include "packages/world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "packages/world_test_lines.h"

namespace atalaya::packages {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST(Requires, APackageThatIsThereInTheRightVersionIsEnough) {
  EXPECT_THAT(error_lines({{"p/package.yaml", head("p") + "requires: {q: '>=1.0 <2', base: '*'}\n"},
                           {"q/package.yaml", head("q", "1.7")},
                           {"base/package.yaml", base_sources().front().text}},
                          "p"),
              IsEmpty());
}

TEST(Requires, AnAbsentPackageIsToldWithTheOneThatWasMeant) {
  const auto world =
      world_of({{"p/package.yaml", head("p") + "requires:\n  hots: '>=1'\nrules: {a: {b: {binary: {expr: up}}}}\n"},
                {"host/package.yaml", head("host")}});
  EXPECT_THAT(error_lines(world), ElementsAre("p/package.yaml:4:3: package hots is required and absent (did you mean "
                                              "\"host\"?)"));
  EXPECT_EQ(running(world, "p"), nullptr);
  EXPECT_NE(running(world, "host"), nullptr);
}

TEST(Requires, AWrongVersionIsToldWithTheOneThatIsHere) {
  EXPECT_THAT(
      error_lines(
          {{"p/package.yaml", head("p") + "requires: {q: '>=1.0 <2'}\n"}, {"q/package.yaml", head("q", "2.0")}}),
      ElementsAre("p/package.yaml:3:12: package q >=1.0 <2 is required; here is 2.0 (install another version, or "
                  "widen the range)"));
  EXPECT_THAT(error_lines({{"p/package.yaml", head("p") + "requires: {q: newest}\n"}, {"q/package.yaml", head("q")}}),
              ElementsAre(HasSubstr("p/package.yaml:3:15: ")));
}

TEST(Imports, TheSectionOfAnotherPackageNamesIt) {
  const FolderTexts texts{
      {"a/package.yaml", head("a") + "lions: {north: {leo: {age: 3}}}\n"},
      {"b/package.yaml", head("b") + "imports: [c]\nnobodys: {x: 1}\nlions: {north: {leo: {}}}\n"},
      {"c/package.yaml", head("c")},
      {"zoo/package.yaml",
       head("zoo") + "schemas:\n  lions:\n    item: lion\n    indexes: {group: {type: name}, name: {type: name}}\n"
                     "    fields: {age: {type: integer}}\n"}};
  EXPECT_THAT(error_lines(texts, "a"),
              ElementsAre("a/package.yaml:3:1: a package file has no key \"lions\" (write imports: [zoo])"));
  EXPECT_THAT(error_lines(texts, "b"), testing::Contains(HasSubstr("(add zoo to imports:)")));
}

TEST(Requires, ACircleOfTwoAndOfThreeIsToldToEachOfThem) {
  const auto two = error_lines(
      {{"a/package.yaml", head("a") + "requires: {b: '*'}\n"}, {"b/package.yaml", head("b") + "requires: {a: '*'}\n"}});
  EXPECT_THAT(two,
              ElementsAre("a/package.yaml:3:12: a requires b, which leads back to a (take one of the steps of this "
                          "circle away)",
                          HasSubstr("b/package.yaml:3:12: b requires a, which leads back to b")));
  const auto three = error_lines({{"a/package.yaml", head("a") + "requires: {b: '*'}\n"},
                                  {"b/package.yaml", head("b") + "requires: {c: '*'}\n"},
                                  {"c/package.yaml", head("c") + "requires: {a: '*'}\n"},
                                  {"d/package.yaml", head("d") + "requires: {a: '*'}\n"}});
  EXPECT_THAT(three, ElementsAre(HasSubstr("a requires b, which leads back to a"), HasSubstr("b requires c, which"),
                                 HasSubstr("c requires a, which"),
                                 "d/package.yaml:3:12: package a is required and is broken (mend it first: its own "
                                 "errors say what is wrong)"));
  EXPECT_THAT(error_lines({{"a/package.yaml", head("a") + "requires: {a: '*'}\n"}}),
              ElementsAre(HasSubstr("a requires a, which leads back to a")));
}

TEST(Requires, AnUpgradeOutOfTheRangeIsRefusedAndWhatRanGoesOn) {
  FolderTexts texts{{"p/package.yaml", head("p") + "requires: {q: <2}\nrules: {a: {b: {binary: {expr: up}}}}\n"},
                    {"q/package.yaml", head("q", "1.0")}};
  auto world = world_of(texts);
  texts["q/package.yaml"] = head("q", "2.0");
  const auto plan = world.plan(std::set<std::string>{"q"}, files_of(texts));
  ASSERT_EQ(plan.errors.size(), 1u);
  EXPECT_EQ(plan.errors.front().place, (Place{"p/package.yaml", 3, 12}));
  world.take(plan);
  EXPECT_NE(running(world, "p"), nullptr);
}

TEST(Requires, APackageThatIsBrokenIsMissingAsMuchAsAnAbsentOne) {
  FolderTexts texts{{"a/package.yaml", package_with_rule("a", "hot", 5) + "requires: {b: '*'}\n"},
                    {"b/package.yaml", package_with_rule("b", "warm", 5) + "requires: {c: '*'}\n"},
                    {"c/package.yaml", head("c") + "ruls: {}\n"}};
  auto world = world_of(texts);
  EXPECT_THAT(error_lines(world, "a"),
              ElementsAre(HasSubstr("a/package.yaml:6:12: package b is required and is broken")));
  EXPECT_THAT(error_lines(world, "b"),
              ElementsAre(HasSubstr("b/package.yaml:6:12: package c is required and is broken")));
  EXPECT_EQ(running(world, "a"), nullptr);
  texts["c/package.yaml"] = head("c");
  change(world, texts, {"c"});
  EXPECT_THAT(error_lines(world), IsEmpty());
  EXPECT_EQ(warning_of(world, "a/a/hot"), 5);
  texts["c/package.yaml"] = head("c") + "ruls: {}\n";
  change(world, texts, {"c"});
  EXPECT_THAT(error_lines(world, "b"), IsEmpty()) << "c runs as it did before";
  EXPECT_EQ(warning_of(world, "b/a/warm"), 5);
}

TEST(Requires, ARangeThatIsNoneHidesNothing) {
  EXPECT_THAT(error_lines({{"p/package.yaml", head("p") + "requires: {x: 'abc'}\n"}}),
              ElementsAre(HasSubstr("p/package.yaml:3:15: "),
                          HasSubstr("p/package.yaml:3:12: package x is required and absent")));
}

TEST(Requires, ACircleOfBrokenPackagesIsToldAlongWithTheRest) {
  const FolderTexts texts{{"a/package.yaml", head("a") + "requires: {b: '*'}\nruls: {}\n"},
                          {"b/package.yaml", head("b") + "requires: {a: '*'}\nruls: {}\n"}};
  EXPECT_THAT(error_lines(texts, "a"),
              ElementsAre(HasSubstr("\"ruls\""), HasSubstr("a requires b, which leads back to a")));
  EXPECT_THAT(error_lines(texts, "b"),
              ElementsAre(HasSubstr("\"ruls\""), HasSubstr("b requires a, which leads back to b")));
}

const std::string kColours =
    "types:\n  shade: {type: enumeration, values: [light, dark]}\nschemas:\n  lamps:\n    item: lamp\n    indexes: "
    "{name: {type: name}}\n    fields: {shade: {type: shade, required: true}}\n";

TEST(Imports, TypesAndSectionsOfAnotherPackageMayBeUsed) {
  const auto world = world_of(
      {{"lib/package.yaml", head("lib") + kColours},
       {"p/package.yaml", head("p") + "imports: [lib]\nlamps: {hall: {shade: dark}}\nparameters: {}\n"},
       {"q/package.yaml", head("q") + "imports: lib\nschemas:\n  shops:\n    item: shop\n    indexes: {name: "
                                      "{type: name}}\n    fields: {front: {type: shade}}\nshops: {one: {front: "
                                      "light}}\n"}});
  EXPECT_THAT(error_lines(world), IsEmpty());
  EXPECT_THAT(ids_of(world, "q"), ElementsAre("schemas q/shops", "shops q/one"));
}

TEST(Imports, WithoutAnImportAnothersTypesAndSectionsAreNotThere) {
  EXPECT_THAT(error_lines({{"lib/package.yaml", head("lib") + kColours},
                           {"p/package.yaml", head("p") + "lamps: {hall: {shade: dark}}\n"}}),
              ElementsAre(HasSubstr("p/package.yaml:3:1: a package file has no key \"lamps\"")));
  EXPECT_THAT(error_lines({{"lib/package.yaml", head("lib") + kColours},
                           {"p/package.yaml", head("p") + "types:\n  tint: {type: shade}\n"}}),
              ElementsAre(HasSubstr("p/package.yaml:4:16: ")));
}

TEST(Imports, AnItemOfAnImportedSectionIsCheckedByItsSchema) {
  EXPECT_THAT(error_lines({{"lib/package.yaml", head("lib") + kColours},
                           {"p/package.yaml", head("p") + "imports: [lib]\nlamps: {hall: {shade: drak}}\n"}}),
              ElementsAre(HasSubstr("p/package.yaml:4:23: ")));
}

TEST(Imports, AnAbsentPackageIsTold) {
  EXPECT_THAT(error_lines({{"p/package.yaml", head("p") + "imports: [lob]\n"}, {"lib/package.yaml", head("lib")}}),
              ElementsAre("p/package.yaml:3:11: there is no package \"lob\" (did you mean \"lib\"?)"));
}

TEST(Imports, ACircleIsTold) {
  EXPECT_THAT(
      error_lines({{"a/package.yaml", head("a") + "imports: [b]\n"}, {"b/package.yaml", head("b") + "imports: [a]\n"}}),
      ElementsAre(HasSubstr("a imports b, which leads back to a"), HasSubstr("b imports a, which leads back")));
}

TEST(Imports, AChangedSchemaJudgesTheItemsOfOthersAnew) {
  FolderTexts texts{{"lib/package.yaml", head("lib") + kColours},
                    {"p/package.yaml", head("p") + "imports: [lib]\nlamps: {hall: {shade: dark}}\n"}};
  auto world = world_of(texts);
  ASSERT_THAT(error_lines(world), IsEmpty());
  texts["lib/package.yaml"] = head("lib") + "types:\n  shade: {type: enumeration, values: [light]}\n" +
                              kColours.substr(kColours.find("schemas:"));
  const auto plan = world.plan(std::set<std::string>{"lib"}, files_of(texts));
  ASSERT_EQ(plan.errors.size(), 1u);
  EXPECT_EQ(plan.errors.front().place, (Place{"p/package.yaml", 4, 23}));
}

std::string override_of(const std::string& by, const std::string& target, const std::string& what,
                        const std::string& more = "") {
  return head(by) + more + "override:\n  " + target + ": " + what + "\n";
}

TEST(Overrides, ASingleFieldOfAnothersItemChangesAndTheRestStays) {
  FolderTexts texts{{"p/package.yaml", package_with_rule("p", "hot", 5)},
                    {"q/package.yaml", override_of("q", "p", "{rules: {a: {hot: {gauge: {above: {warning: 8}}}}}}")}};
  auto world = world_of(texts);
  EXPECT_THAT(error_lines(world), IsEmpty());
  EXPECT_EQ(warning_of(world, "p/a/hot"), 8);
  EXPECT_EQ(running(world, "p")->rules.front().expr(), "temp");
  texts["q/package.yaml"] = override_of("q", "p", "{rules: {a: {hot: {gauge: {above: {warning: 9}}}}}}");
  change(world, texts, {"q"});
  EXPECT_EQ(warning_of(world, "p/a/hot"), 9);
  texts.erase("q/package.yaml");
  change(world, texts, {"q"});
  EXPECT_EQ(warning_of(world, "p/a/hot"), 5);
}

TEST(Overrides, AnItemThatIsNotThereIsAMistakeOfWhoOverridesIt) {
  const auto world = world_of({{"p/package.yaml", package_with_rule("p", "hot", 5)},
                               {"q/package.yaml", override_of("q", "p", "{rules: {a: {hto: {title: x}}}}")}});
  EXPECT_THAT(error_lines(world, "p"), IsEmpty());
  EXPECT_THAT(error_lines(world, "q"), ElementsAre("q/package.yaml:4:19: there is no rule \"p/a/hto\" to override (did "
                                                   "you mean \"p/a/hot\"?)"));
  EXPECT_EQ(warning_of(world, "p/a/hot"), 5);
}

TEST(Overrides, MistakesInThemAreToldAlongWithAllOthersOfTheirPackage) {
  const FolderTexts texts{
      {"p/package.yaml", package_with_rule("p", "hot", 5) + "    cool: {for: 1m, binary: {expr: up}}\n"},
      {"q/package.yaml", head("q") + "rules: {a: {mine: {fro: 1m, binary: {expr: up}}}}\n"
                                     "override:\n"
                                     "  p:\n"
                                     "    rules:\n"
                                     "      a:\n"
                                     "        hto: {for: 1m}\n"
                                     "        hot: {fro: 2m, gauge: {above: {warning: soon}}}\n"
                                     "        cool: {fro: 2m}\n"
                                     "  pp: {rules: {}}\n"}};
  const auto world = world_of(texts);
  EXPECT_THAT(error_lines(world, "p"), IsEmpty());
  EXPECT_EQ(warning_of(world, "p/a/hot"), 5);
  EXPECT_THAT(
      error_lines(world, "q"),
      ElementsAre(HasSubstr("q/package.yaml:3:20: rule \"q/a/mine\" has no key \"fro\" (did you mean \"for\"?)"),
                  HasSubstr("q/package.yaml:8:9: there is no rule \"p/a/hto\" to override"),
                  HasSubstr("q/package.yaml:9:15: rule \"p/a/hot\" has no key \"fro\" (did you mean \"for\"?)"),
                  HasSubstr("q/package.yaml:9:49: \"warning\" must be a number"),
                  HasSubstr("q/package.yaml:10:16: rule \"p/a/cool\" has no key \"fro\" (did you mean \"for\"?)"),
                  HasSubstr("q/package.yaml:11:7: there is no package \"pp\" to override")));
}

TEST(Overrides, AnAbsentPackageOrSectionIsTold) {
  EXPECT_THAT(
      error_lines({{"host/package.yaml", head("host")}, {"q/package.yaml", override_of("q", "hots", "{rules: {}}")}}),
      ElementsAre("q/package.yaml:4:9: there is no package \"hots\" to override (did you mean \"host\"?)"));
  EXPECT_THAT(error_lines({{"p/package.yaml", head("p")}, {"q/package.yaml", override_of("q", "p", "{ruls: {}}")}}),
              ElementsAre("q/package.yaml:4:7: there is no section \"ruls\" (did you mean \"rules\"?)"));
  EXPECT_THAT(error_lines({{"q/package.yaml", override_of("q", "q", "{rules: {}}")}}),
              ElementsAre("q/package.yaml:4:6: a package does not override itself (change the item where it stands)"));
}

TEST(Overrides, AValueOfAWrongTypeIsAMistakeOfWhoWroteItAndTheTargetGoesOnWithoutIt) {
  const auto world =
      world_of({{"p/package.yaml", package_with_rule("p", "hot", 5)},
                {"q/package.yaml", override_of("q", "p", "{rules: {a: {hot: {gauge: {above: {warning: soon}}}}}}")}});
  EXPECT_THAT(error_lines(world, "p"), IsEmpty());
  EXPECT_THAT(error_lines(world, "q"), ElementsAre(HasSubstr("q/package.yaml:4:50: ")));
  EXPECT_EQ(warning_of(world, "p/a/hot"), 5);
}

TEST(Overrides, OneThatNoLongerHoldsGoesOnAsItRanBefore) {
  FolderTexts texts{{"o/package.yaml", package_with_rule("o", "mild", 5)},
                    {"p/package.yaml", package_with_rule("p", "hot", 5)},
                    {"q/package.yaml", override_of("q", "p", "{rules: {a: {hot: {gauge: {above: {warning: 8}}}}}}")},
                    {"r/package.yaml", package_with_rule("r", "warm", 5)}};
  auto world = world_of(texts);
  texts["q/package.yaml"] = override_of("q", "p", "{rules: {a: {hot: {gauge: {above: {warning: soon}}}}}}") +
                            "  o: {rules: {a: {mild: {gauge: {above: {warning: 1}}}}}}\n" +
                            "  r: {rules: {a: {warm: {gauge: {above: {warning: 1}}}}}}\n";
  change(world, texts, {"q"});
  EXPECT_THAT(error_lines(world), ElementsAre(HasSubstr("q/package.yaml:4:50: ")));
  EXPECT_EQ(warning_of(world, "p/a/hot"), 8);
  EXPECT_EQ(warning_of(world, "o/a/mild"), 5);
  EXPECT_EQ(warning_of(world, "r/a/warm"), 5);
  texts["r/package.yaml"] = package_with_rule("r", "warm", 6);
  change(world, texts, {"r"});
  EXPECT_THAT(error_lines(world), ElementsAre(HasSubstr("q/package.yaml:4:50: ")));
  EXPECT_EQ(warning_of(world, "p/a/hot"), 8);
  EXPECT_EQ(warning_of(world, "r/a/warm"), 6);
  texts["q/package.yaml"].replace(texts["q/package.yaml"].find("soon"), 4, "9");
  change(world, texts, {"q"});
  EXPECT_THAT(error_lines(world), IsEmpty());
  EXPECT_EQ(warning_of(world, "p/a/hot"), 9);
  EXPECT_EQ(warning_of(world, "o/a/mild"), 1);
  EXPECT_EQ(warning_of(world, "r/a/warm"), 1);
}

TEST(Overrides, AWrongOneHasNoEffectOnAnyOfItsTargets) {
  const auto world =
      world_of({{"o/package.yaml", package_with_rule("o", "mild", 5)},
                {"p/package.yaml", package_with_rule("p", "hot", 5)},
                {"q/package.yaml", override_of("q", "p", "{rules: {a: {hot: {gauge: {above: {warning: soon}}}}}}") +
                                       "  o: {rules: {a: {mild: {gauge: {above: {warning: 1}}}}}}\n"}});
  EXPECT_THAT(error_lines(world), ElementsAre(HasSubstr("q/package.yaml:4:50: ")));
  EXPECT_EQ(warning_of(world, "o/a/mild"), 5);
}

TEST(Overrides, OfTwoPackagesOnOneFieldTheOneThatRequiresTheOtherWins) {
  const auto first = override_of("first", "p", "{rules: {a: {hot: {gauge: {above: {warning: 6}}}}}}");
  const auto other = "{rules: {a: {hot: {gauge: {above: {warning: 7}}}}}}";
  const auto told = world_of({{"p/package.yaml", package_with_rule("p", "hot", 5)},
                              {"first/package.yaml", first},
                              {"second/package.yaml", override_of("second", "p", other)}});
  EXPECT_THAT(error_lines(told),
              ElementsAre("second/package.yaml:4:50: package first overrides "
                          "rules/a/hot/gauge/above/warning of p too, at first/package.yaml:4:50 (let "
                          "one of the two require the other: it wins)"));
  for (const std::string by : {"a_second", "second"}) {
    const auto world = world_of({{"p/package.yaml", package_with_rule("p", "hot", 5)},
                                 {"first/package.yaml", first},
                                 {by + "/package.yaml", override_of(by, "p", other, "requires: {first: '*'}\n")}});
    EXPECT_THAT(error_lines(world), IsEmpty());
    EXPECT_EQ(warning_of(world, "p/a/hot"), 7) << by;
  }
}

TEST(Overrides, ABrokenPackagesOverrideTakesAFieldFromNobody) {
  const auto field = "{rules: {a: {hot: {gauge: {above: {warning: 6}}}}}}";
  const auto world = world_of({{"p/package.yaml", package_with_rule("p", "hot", 5)},
                               {"a_broken/package.yaml", override_of("a_broken", "p", field, "ruls: {}\n")},
                               {"sound/package.yaml", override_of("sound", "p", field)}});
  EXPECT_NE(running(world, "sound"), nullptr);
  EXPECT_EQ(warning_of(world, "p/a/hot"), 6);
  for (const auto& line : error_lines(world)) EXPECT_TRUE(line.starts_with("a_broken/")) << line;
}

TEST(Overrides, TwoPackagesOnTwoFieldsBothCount) {
  const auto world =
      world_of({{"p/package.yaml", package_with_rule("p", "hot", 5)},
                {"q/package.yaml", override_of("q", "p", "{rules: {a: {hot: {gauge: {above: {warning: 6}}}}}}")},
                {"r/package.yaml", override_of("r", "p", "{rules: {a: {hot: {title: Hot}}}}")}});
  EXPECT_THAT(error_lines(world), IsEmpty());
  EXPECT_EQ(warning_of(world, "p/a/hot"), 6);
  EXPECT_EQ(running(world, "p")->rules.front().title, "Hot");
}

TEST(Fallbacks, AnAbsentPackageIsTold) {
  EXPECT_THAT(error_lines({{"p/package.yaml", head("p") + "fallbacks: [q]\n"}}),
              ElementsAre(HasSubstr("p/package.yaml:3:13: there is no package \"q\"")));
}

TEST(References, AnItemOfAnotherPackageMayBeNamed) {
  FolderTexts texts{{"p/package.yaml", head("p") + "rules: {a: {b: {binary: {expr: up}, depends_on: q/a/hot}}}\n"},
                    {"q/package.yaml", package_with_rule("q", "hot", 5)}};
  auto world = world_of(texts);
  EXPECT_THAT(error_lines(world), IsEmpty());
  EXPECT_THAT(running(world, "p")->find("rules", "p/a/b")->links, ElementsAre("q/a/hot"));
}

TEST(References, WhatAnotherPackageLosesIsToldWhereItIsNamed) {
  FolderTexts texts{{"p/package.yaml", head("p") + "rules: {a: {b: {binary: {expr: up}, depends_on: q/a/hot}}}\n"},
                    {"q/package.yaml", package_with_rule("q", "hot", 5)}};
  auto world = world_of(texts);
  texts["q/package.yaml"] = package_with_rule("q", "chilling", 5);
  const auto plan = world.plan(std::set<std::string>{"q"}, files_of(texts));
  ASSERT_EQ(plan.errors.size(), 1u);
  EXPECT_EQ(to_string(plan.errors.front()),
            "p/package.yaml:3:49: there is no item \"q/a/hot\" (name an item that exists, as package/group/name)");
}

TEST(References, WhatIsMisspeltIsToldWithWhatWasMeant) {
  const auto refers = [](const std::string& id) {
    return head("p") + "rules: {a: {b: {binary: {expr: up}, depends_on: " + id + "}}}\n";
  };
  const auto remedy = [&](const std::string& id) {
    return error_lines({{"p/package.yaml", refers(id)}, {"qqqq/package.yaml", package_with_rule("qqqq", "hottest", 5)}},
                       "p");
  };
  EXPECT_THAT(remedy("qqqq/a/hotest"), ElementsAre(testing::HasSubstr("(did you mean \"qqqq/a/hottest\"?)")));
  EXPECT_THAT(remedy("qqq/a/hottest"), ElementsAre(testing::HasSubstr("(did you mean \"qqqq/a/hottest\"?)")));
}

TEST(BrokenPackages, NeverStopAGoodOneAndGetWellAgain) {
  FolderTexts texts{{"a/package.yaml", "package: a\nversion: 1.0.0\nrules: [\n"},
                    {"b/package.yaml", head("b") + "ruels: {}\n"},
                    {"c/package.yaml", package_with_rule("c", "hot", 5)},
                    {"d/package.yaml", "\xff\xfe"},
                    {"e/notes.txt", "no YAML at all"}};
  auto world = world_of(texts);
  for (const auto* broken : {"a", "b", "d"}) {
    EXPECT_TRUE(world.slots().at(broken).broken()) << broken;
    EXPECT_EQ(running(world, broken), nullptr) << broken;
  }
  EXPECT_EQ(warning_of(world, "c/a/hot"), 5);
  texts["b/package.yaml"] = package_with_rule("b", "warm", 4);
  change(world, texts, {"b"});
  EXPECT_THAT(error_lines(world, "b"), IsEmpty());
  EXPECT_EQ(warning_of(world, "b/a/warm"), 4);
}

TEST(BrokenPackages, GoOnAsTheyRanUntilTheyHoldAgain) {
  FolderTexts texts{{"p/package.yaml", package_with_rule("p", "hot", 5)}};
  auto world = world_of(texts);
  texts["p/package.yaml"] = package_with_rule("p", "hot", 6) + "oops: 1\n";
  change(world, texts, {"p"});
  EXPECT_TRUE(world.slots().at("p").broken());
  EXPECT_EQ(warning_of(world, "p/a/hot"), 5);
  texts["p/package.yaml"] = package_with_rule("p", "hot", 7);
  change(world, texts, {"p"});
  EXPECT_FALSE(world.slots().at("p").broken());
  EXPECT_EQ(warning_of(world, "p/a/hot"), 7);
}

TEST(BrokenPackages, WhatFailedAmongTheOthersComesUpWhenTheOthersHold) {
  FolderTexts texts{{"p/package.yaml", package_with_rule("p", "hot", 5) + "requires: {q: '*'}\n"}};
  auto world = world_of(texts);
  ASSERT_EQ(running(world, "p"), nullptr);
  texts["q/package.yaml"] = head("q");
  change(world, texts, {"q"});
  EXPECT_THAT(error_lines(world), IsEmpty());
  EXPECT_EQ(warning_of(world, "p/a/hot"), 5);
}

TEST(Base, WhereTheTenantsOwnIsBrokenTheShippedOneHolds) {
  FolderTexts texts{
      {"p/package.yaml", package_with_rule("p", "hot", 5)},
      {"base/package.yaml", head("base") + "types: {name: {type: nonsense}}\nschemas: {rules: {fields: 3}}\n"}};
  auto world = world_of(texts);
  EXPECT_THAT(error_lines(world, "p"), IsEmpty());
  EXPECT_EQ(warning_of(world, "p/a/hot"), 5);
  EXPECT_TRUE(world.slots().at("base").broken());
  for (const auto& error : world.slots().at("base").errors) {
    ASSERT_TRUE(error.place) << error.message;
    EXPECT_EQ(error.place->file, "base/package.yaml");
  }
}

TEST(Base, AFieldMoreInItsFilesIsAFieldMoreForEverybody) {
  FolderTexts texts{{"p/package.yaml", head("p") + "rules: {a: {b: {binary: {expr: up}, runbook: 'https://x/'}}}\n"}};
  for (const auto& file : base_sources()) texts["base/" + file.name] = file.text;
  EXPECT_THAT(error_lines(texts, "p"), ElementsAre(HasSubstr("has no key \"runbook\"")));
  auto& rules = texts["base/sections/rules.yaml"];
  const std::string title = "\n  title:";
  rules.insert(rules.find(title), "\n  runbook: {type: url, help: What to do.}");
  EXPECT_THAT(error_lines(texts), IsEmpty());
}

}  // namespace
}  // namespace atalaya::packages
