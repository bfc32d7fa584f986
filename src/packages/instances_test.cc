// Specifications and their instances.
#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "packages/world_test_lines.h"

namespace atalaya::packages {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;

constexpr std::string_view kDatabase = R"(parameters:
  host: {type: host, required: true}
  port: {type: port, default: 3306}
  hot: {type: number, default: 50}
  kind: {type: enumeration, values: [small, large], default: small}
collectors:
  checks:
    ${kind}-port: {tcp: {address: '${host}:${port}'}}
rules:
  load:
    hot: {title: '$${x} on ${host}', gauge: {expr: 'load{host="${host}"}', above: {warning: '${hot}'}}}
)";

std::string database() { return head("db", "1.2.0") + std::string(kDatabase); }
std::string uses(const std::string& instances) { return head("p") + "instances:\n  db:\n" + instances; }

TEST(Instances, AreThePackageWithTheirValuesUnderANameOfTheirOwn) {
  const auto world = world_of({{"db/package.yaml", database()},
                               {"p/package.yaml", uses("    one: {with: {host: db1.example.org, port: 3307, hot: 70}}\n"
                                                       "    two: {title: Second, with: {host: db2, kind: large}}\n")}});
  EXPECT_THAT(error_lines(world), IsEmpty());
  EXPECT_THAT(ids_of(world, "db@one"), ElementsAre("collectors db@one/checks/small-port", "rules db@one/load/hot"));
  EXPECT_THAT(ids_of(world, "db@two"), ElementsAre("collectors db@two/checks/large-port", "rules db@two/load/hot"));
  EXPECT_EQ(warning_of(world, "db@one/load/hot"), 70);
  EXPECT_EQ(warning_of(world, "db@two/load/hot"), 50);
  const auto& one = *running(world, "db@one");
  EXPECT_EQ(one.collectors.front().fields.at("address").as_string(), "db1.example.org:3307");
  EXPECT_EQ(one.rules.front().title, "${x} on db1.example.org");
  EXPECT_EQ(one.rules.front().expr(), "load{host=\"db1.example.org\"}");
  EXPECT_EQ(world.slots().at("db@two").declared_in, "p");
  EXPECT_EQ(world.slots().at("db@two").instance->name, "two");
}

TEST(Instances, TheSpecificationAloneYieldsNothing) {
  const auto world = world_of({{"db/package.yaml", database()}});
  EXPECT_THAT(error_lines(world), IsEmpty());
  EXPECT_TRUE(running(world, "db")->specification);
  EXPECT_THAT(running(world, "db")->rules, IsEmpty());
  EXPECT_THAT(running(world, "db")->collectors, IsEmpty());
}

/// A specification whose parameter `s`, told so, is of a type with a pattern, and used once.
std::string patterned(const std::string& parameter) {
  return head("db") + "types: {own: {type: text, pattern: '[A-Z]{2}'}}\nparameters: {s: " + parameter +
         "}\nschemas: {cards: {indexes: {name: {type: name}}, fields: {o: {type: own}}}}\ncards: {x: {o: '${s}'}}\n";
}

TEST(Instances, AMadeUpSampleThatDoesNotFitIsToldWithTheExampleThatMendsIt) {
  EXPECT_THAT(error_lines({{"db/package.yaml", patterned("{type: own, required: true}")}}),
              ElementsAre("db/package.yaml:6:16: \"x\" is no own (it must match [A-Z]{2}; the specification is tried "
                          "with a made-up value for the parameter \"s\": give s an example: that fits)"));
  EXPECT_THAT(error_lines({{"db/package.yaml", patterned("{type: own, required: true, example: AB}")}}), IsEmpty());
}

TEST(Instances, AnExampleIsTakenAsItsTypeIsWritten) {
  const auto with = [](const std::string& example) {
    return FolderTexts{
        {"db/package.yaml",
         head("db") + "parameters: {n: {type: integer, required: true, example: " + example +
             "}}\nrules: {a: {b: {gauge: {expr: up, above: {warning: '${n}'}, hysteresis: '${n}'}}}}\n"}};
  };
  EXPECT_THAT(error_lines(with("5")), IsEmpty());
  EXPECT_THAT(error_lines(with("-5")), ElementsAre(HasSubstr("hysteresis")));
}

TEST(Instances, AMistakeOfTheSpecificationShowsBeforeAnybodyUsesIt) {
  EXPECT_THAT(error_lines({{"db/package.yaml", head("db") + "parameters: {host: {type: host}}\nrules:\n  a:\n    b: "
                                                            "{binary: {expr: 'up{h=\"${hst}\"}'}, tittle: x}\n"}}),
              Contains("db/package.yaml:6:24: there is no parameter \"hst\" (did you mean \"host\"?)"));
  EXPECT_THAT(error_lines({{"db/package.yaml", head("db") + "parameters: {host: {type: hots}}\n"}}),
              Contains(HasSubstr("db/package.yaml:3:27: ")));
}

TEST(Instances, ValuesAreCheckedAndToldAtTheirPlace) {
  const auto told = [](const std::string& with) {
    return error_lines({{"db/package.yaml", database()}, {"p/package.yaml", uses("    one: {with: " + with + "}\n")}});
  };
  EXPECT_THAT(told("{port: 1}"), ElementsAre("p/package.yaml:5:5: instance db@one: the parameter \"host\" of db is not "
                                             "given (add it below with:, e.g. with: {host: …})"));
  EXPECT_THAT(
      told("{host: x, prot: 1}"),
      ElementsAre("p/package.yaml:5:33: instance db@one: db has no parameter \"prot\" (did you mean \"port\"?)"));
  EXPECT_THAT(told("{host: x, port: 99999}"), ElementsAre(HasSubstr("p/package.yaml:5:33: instance db@one: ")));
  EXPECT_THAT(told("{host: x, hot: warm}"), ElementsAre(HasSubstr("p/package.yaml:5:32: instance db@one: ")));
  EXPECT_THAT(told("{host: x, kind: huge, port: no}"),
              ElementsAre(HasSubstr("p/package.yaml:5:33: "), HasSubstr("p/package.yaml:5:45: ")));
}

TEST(Instances, WhatAValueBreaksIsToldWithTheInstance) {
  const auto world =
      world_of({{"db/package.yaml",
                 head("db") + "parameters: {level: {type: number, default: 1}}\nrules: {a: {b: {gauge: {expr: x, "
                              "above: {warning: '${level}', critical: 5}}}}}\n"},
                {"p/package.yaml", uses("    good: {}\n    bad: {with: {level: 9}}\n")}});
  EXPECT_THAT(error_lines(world),
              ElementsAre(HasSubstr("instance db@bad: gauge.above.critical: critical (5) is reached "
                                    "before warning (9)")));
}

TEST(Instances, AWrongValueIsToldWhereItWasGiven) {
  const auto world = world_of(
      {{"db/package.yaml", head("db") + "parameters: {q: {type: text, required: true}}\n"
                                        "rules: {a: {b: {gauge: {expr: 'up{x=\"${q}\"}', above: {warning: 1}}}}}\n"},
       {"p/package.yaml", head("p") + "instances:\n  db:\n    one: {with: {q: 'a\"'}}\n"}});
  EXPECT_THAT(error_lines(world),
              ElementsAre(testing::AllOf(HasSubstr("p/package.yaml:5:21: instance db@one: gauge.expr: "),
                                         HasSubstr("(used at db/package.yaml:4:"))));
}

TEST(Instances, OfAPackageThatIsNoSpecificationAreTold) {
  EXPECT_THAT(
      error_lines({{"db/package.yaml", database()}, {"p/package.yaml", head("p") + "instances: {bd: {one: {}}}\n"}}),
      ElementsAre(HasSubstr("p/package.yaml:3:18: \"bd\" is no specification (did you mean \"db\"?)")));
  EXPECT_THAT(error_lines({{"q/package.yaml", package_with_rule("q", "hot", 5)},
                           {"p/package.yaml", head("p") + "instances: {q: {one: {}}}\n"}}),
              ElementsAre("p/package.yaml:3:17: q is no specification: it has no parameters (a specification is a "
                          "package with parameters:)"));
  EXPECT_THAT(error_lines({{"db/package.yaml", database()},
                           {"host/package.yaml", head("host")},
                           {"p/package.yaml", head("p") + "instances: {host: {one: {}}}\n"}}),
              ElementsAre("p/package.yaml:3:20: host is no specification: it has no parameters (known are: db)"));
}

TEST(Instances, TwoOfOneNameAreTold) {
  EXPECT_THAT(
      error_lines({{"db/package.yaml", database()},
                   {"p/package.yaml", uses("    one: {with: {host: x}}\n")},
                   {"q/package.yaml", head("q") + "instances: {db: {one: {with: {host: y}}}}\n"}}),
      ElementsAre("q/package.yaml:3:18: there is another instance db@one, at p/package.yaml:5:5 (give one of them "
                  "another name)"));
}

TEST(Instances, OneIsKeptByWhoHadIt) {
  FolderTexts texts{{"db/package.yaml", database()}, {"p/package.yaml", uses("    one: {with: {host: x}}\n")}};
  auto world = world_of(texts);
  const auto* before = running(world, "db@one");
  texts["a/package.yaml"] = head("a") + "instances: {db: {one: {with: {host: y}}}}\n";
  const auto errors = ElementsAre(
      "a/package.yaml:3:18: there is another instance db@one, at p/package.yaml:5:5 (give one of them another name)");
  change(world, texts, {"a"});
  EXPECT_THAT(error_lines(world), errors);
  EXPECT_EQ(running(world, "db@one"), before);

  World started(
      {.tenant = default_tenant(), .base = base_sources(), .run = {}, .check_channels = {}, .check_items = {}});
  auto files = files_of(texts);
  files.last_good = [&](const std::string& package) {
    return package == "a" ? std::vector<SourceFile>{} : files.read(package);
  };
  started.take(started.plan(std::nullopt, files));
  EXPECT_THAT(error_lines(started), errors) << "also after a start";
}

TEST(Instances, OneIsRemovedAsOne) {
  FolderTexts texts{{"db/package.yaml", database()},
                    {"p/package.yaml", uses("    one: {with: {host: x}}\n    two: {with: {host: y}}\n")}};
  auto world = world_of(texts);
  ASSERT_NE(running(world, "db@one"), nullptr);
  texts["p/package.yaml"] = uses("    two: {with: {host: y}}\n");
  auto plan = world.plan(std::set<std::string>{"p"}, files_of(texts));
  EXPECT_THAT(plan.removed, ElementsAre("db@one"));
  world.take(std::move(plan));
  EXPECT_FALSE(world.slots().contains("db@one"));
  EXPECT_NE(running(world, "db@two"), nullptr);
  texts.erase("p/package.yaml");
  change(world, texts, {"p"});
  EXPECT_FALSE(world.slots().contains("db@two"));
}

TEST(Instances, FollowTheirSpecification) {
  FolderTexts texts{{"db/package.yaml", database()}, {"p/package.yaml", uses("    one: {with: {host: x}}\n")}};
  auto world = world_of(texts);
  auto& text = texts["db/package.yaml"];
  text.replace(text.find("default: 50"), 11, "default: 60");
  change(world, texts, {"db"});
  EXPECT_EQ(warning_of(world, "db@one/load/hot"), 60);
}

TEST(Instances, ASpecificationThatNoLongerSuitsItsInstancesIsAnError) {
  FolderTexts texts{{"db/package.yaml", database()}, {"p/package.yaml", uses("    one: {with: {host: x, hot: 7}}\n")}};
  auto world = world_of(texts);
  auto& text = texts["db/package.yaml"];
  text.replace(text.find("hot: {type: number"), 18, "hut: {type: number");
  text.replace(text.find("${hot}"), 6, "${hut}");
  auto plan = world.plan(std::set<std::string>{"db"}, files_of(texts));
  ASSERT_EQ(plan.errors.size(), 1u);
  EXPECT_EQ(plan.errors.front().place, (Place{"p/package.yaml", 5, 32}));
  world.take(std::move(plan));
  EXPECT_EQ(warning_of(world, "db@one/load/hot"), 7);
}

TEST(Instances, OneThatDoesNotHoldIsToldUntilItDoes) {
  FolderTexts texts{{"db/package.yaml", database()},
                    {"p/package.yaml", uses("    one: {with: {host: x, hot: 7}}\n")},
                    {"q/package.yaml", head("q")}};
  auto world = world_of(texts);
  texts["p/package.yaml"] = uses("    one: {with: {host: x, hot: seven}}\n");
  change(world, texts, {"p"});
  ASSERT_THAT(error_lines(world, "p"), ElementsAre(HasSubstr("instance db@one: ")));
  texts["q/package.yaml"] = package_with_rule("q", "hot", 1);
  change(world, texts, {"q"});
  EXPECT_THAT(error_lines(world, "p"), ElementsAre(HasSubstr("instance db@one: ")));
  EXPECT_EQ(warning_of(world, "db@one/load/hot"), 7);
  texts["p/package.yaml"] = uses("    one: {with: {host: x, hot: 8}}\n");
  change(world, texts, {"p"});
  EXPECT_THAT(error_lines(world), IsEmpty());
  EXPECT_EQ(warning_of(world, "db@one/load/hot"), 8);
}

constexpr std::string_view kCluster = R"(parameters:
  hosts: {type: list of host, default: [a, b]}
  main: {type: host, required: true}
instances:
  db:
    main: {with: {host: '${main}', port: 4000}}
    spare: {with: {host: 'spare.${main}'}}
)";

TEST(Instances, ASpecificationMayMakeInstancesOfOthers) {
  const auto world = world_of({{"db/package.yaml", database()},
                               {"cluster/package.yaml", head("cluster") + std::string(kCluster)},
                               {"p/package.yaml", head("p") + "instances: {cluster: {x: {with: {main: m1}}}}\n"}});
  EXPECT_THAT(error_lines(world), IsEmpty());
  ASSERT_NE(running(world, "db@x.main"), nullptr);
  EXPECT_EQ(running(world, "db@x.main")->collectors.front().fields.at("address").as_string(), "m1:4000");
  ASSERT_NE(running(world, "db@x.spare"), nullptr);
  EXPECT_EQ(running(world, "db@x.spare")->collectors.front().fields.at("address").as_string(), "spare.m1:3306");
  EXPECT_EQ(world.slots().at("db@x.main").declared_in, "p");
}

TEST(Instances, NestedOnesGoWithTheOuterOne) {
  FolderTexts texts{{"db/package.yaml", database()},
                    {"cluster/package.yaml", head("cluster") + std::string(kCluster)},
                    {"p/package.yaml", head("p") + "instances: {cluster: {x: {with: {main: m1}}}}\n"}};
  auto world = world_of(texts);
  texts["p/package.yaml"] = head("p");
  change(world, texts, {"p"});
  for (const auto* name : {"cluster@x", "db@x.main", "db@x.spare"}) EXPECT_FALSE(world.slots().contains(name)) << name;
}

TEST(Instances, ACircleOfSpecificationsIsTold) {
  EXPECT_THAT(
      error_lines(
          {{"a/package.yaml", head("a") + "parameters: {x: {type: text, default: y}}\ninstances: {b: {i: {}}}\n"},
           {"b/package.yaml", head("b") + "parameters: {x: {type: text, default: y}}\ninstances: {a: {i: {}}}\n"},
           {"p/package.yaml", head("p") + "instances: {a: {i: {}}}\n"}}),
      Contains(HasSubstr("makes an instance of itself (take one of the instances out of the circle)")));
}

TEST(Instances, OnlyOneOrAllOfThemAreOverridden) {
  const FolderTexts texts{{"db/package.yaml", database()},
                          {"p/package.yaml", uses("    one: {with: {host: x}}\n    two: {with: {host: y}}\n")}};
  auto all = texts;
  all["q/package.yaml"] = head("q") + "override: {db: {rules: {load: {hot: {gauge: {above: {warning: 60}}}}}}}\n";
  const auto both = world_of(all);
  EXPECT_THAT(error_lines(both), IsEmpty());
  EXPECT_EQ(warning_of(both, "db@one/load/hot"), 60);
  EXPECT_EQ(warning_of(both, "db@two/load/hot"), 60);
  auto one = texts;
  one["q/package.yaml"] = head("q") + "override: {db@one: {rules: {load: {hot: {gauge: {above: {warning: 60}}}}}}}\n";
  auto world = world_of(texts);
  change(world, one, {"q"});
  EXPECT_THAT(error_lines(world), IsEmpty());
  EXPECT_EQ(warning_of(world, "db@one/load/hot"), 60);
  EXPECT_EQ(warning_of(world, "db@two/load/hot"), 50);
}

TEST(Instances, AWrongOverrideOfOneIsAMistakeOfWhoWroteIt) {
  const auto world =
      world_of({{"db/package.yaml", database()},
                {"p/package.yaml", uses("    one: {with: {host: x}}\n")},
                {"q/package.yaml", head("q") + "override: {db@one: {rules: {load: {hto: {title: x}}}}}\n"}});
  EXPECT_THAT(error_lines(world, "p"), IsEmpty());
  EXPECT_THAT(error_lines(world, "q"),
              ElementsAre(HasSubstr("there is no rule \"db@one/load/hto\" to override (did you "
                                    "mean \"db@one/load/hot\"?)")));
  EXPECT_EQ(warning_of(world, "db@one/load/hot"), 50);
}

TEST(Instances, ItemsOfOneMayBeReferredTo) {
  EXPECT_THAT(
      error_lines({{"db/package.yaml", database()},
                   {"p/package.yaml", uses("    one: {with: {host: x}}\n") +
                                          "rules: {a: {b: {binary: {expr: up}, depends_on: db@one/load/hot}}}\n"}}),
      IsEmpty());
}

TEST(Instances, AListIsAValueButNoPartOfAText) {
  const std::string specification =
      head("s") +
      "parameters: {on: {type: list of text, default: [a, b]}}\ncollectors: {c: {x: {tcp: {address: 'h:1'}, on: ";
  const auto world = world_of({{"s/package.yaml", specification + "'${on}'}}}\n"},
                               {"p/package.yaml", head("p") + "instances: {s: {i: {with: {on: [c]}}, j: {}}}\n"}});
  EXPECT_THAT(error_lines(world), IsEmpty());
  EXPECT_THAT(running(world, "s@i")->collectors.front().on.patterns, ElementsAre("c"));
  EXPECT_THAT(running(world, "s@j")->collectors.front().on.patterns, ElementsAre("a", "b"));
  EXPECT_THAT(
      error_lines({{"s/package.yaml", specification + "'x-${on}'}}}\n"}}),
      ElementsAre("s/package.yaml:4:49: the parameter \"on\" holds several values and stands within a text (let "
                  "it be the whole value: ${on})"));
}

TEST(Instances, PagesShowParametersAsDataAndNotByDollarsAndNeverSecrets) {
  const auto spec = [](const std::string& html) {
    return FolderTexts{
        {"spec/package.yaml",
         head("spec") + "parameters: {host: {type: host, required: true}, key: {type: secret, required: true}}\n"
                        "pages: {all: {one: {template: pages/one.html}}}\n"},
        {"spec/pages/one.html", html},
        {"p/package.yaml", head("p") + "instances: {spec: {db: {with: {host: db1, key: hunter2}}}}\n"}};
  };
  const auto good = world_of(spec("<p>{{ .parameters.host }}</p>"));
  EXPECT_THAT(error_lines(good), testing::IsEmpty());
  ASSERT_NE(running(good, "spec@db"), nullptr);
  EXPECT_EQ(boost::json::serialize(running(good, "spec@db")->parameters), R"({"host":"db1","instance":"db"})");
  EXPECT_THAT(error_lines(world_of(spec("<p>\n${host} {{ if }}</p>")), "spec"),
              testing::ElementsAre("spec/pages/one.html:2:1: ${host} is not filled in in templates (write {{ "
                                   ".parameters.host }})",
                                   testing::HasSubstr("spec/pages/one.html:2:9: template: a block is not closed"),
                                   testing::HasSubstr("spec/pages/one.html:2:15: template: an expression is missing")));
}

}  // namespace
}  // namespace atalaya::packages
