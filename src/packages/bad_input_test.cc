// Nothing that stands in a file makes more of it than errors with places.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "io/file_system.h"
#include "packages/check.h"
#include "packages/disk.h"
#include "packages/world_test_lines.h"

namespace atalaya::packages {
namespace {

namespace fs = std::filesystem;

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::StartsWith;

TEST(BadInput, AllMistakesAreToldAtOnceEachWithItsPlaceAndWhatToDo) {
  const FolderTexts texts{{"p/package.yaml", head("p") + "requires: {absent: '*'}\n"
                                                         "colectors: {}\n"
                                                         "rules:\n"
                                                         "  a:\n"
                                                         "    one: {guage: {expr: up}}\n"
                                                         "    two: {gauge: {expr: up, above: {warning: hot}}}\n"
                                                         "    three: {binary: {expr: up}, depends_on: a/fuor}\n"
                                                         "    four: {binary: {expr: 'up +'}}\n"
                                                         "    link: sub/none.yaml\n"},
                          {"p/more.yaml", head("p", "2.0.0") + "collectors: {c: {d: {tcp: {address: 'x:99999'}}}}\n"}};
  const auto world = world_of(texts);
  const auto& slot = world.slots().at("p");
  EXPECT_EQ(running(world, "p"), nullptr);
  for (const auto& error : slot.errors) {
    EXPECT_TRUE(error.place && error.place->line > 0 && error.place->column > 0) << error.message;
  }
  EXPECT_THAT(
      error_lines(world),
      AllOf(Contains(StartsWith("p/package.yaml:2:10: version 1.0.0 here, 2.0.0 in another")),
            Contains(StartsWith("p/more.yaml:3:37: \"x:99999\" is no address")),
            Contains("p/package.yaml:4:1: a package file has no key \"colectors\" (did you mean \"collectors\"?)"),
            Contains("p/package.yaml:11:11: there is no file \"sub/none.yaml\" in package p (known are: "
                     "more.yaml)"),
            Contains(StartsWith("p/package.yaml:3:12: package absent is required and absent"))));
}

TEST(BadInput, AWrongTypeSchemaOrParameterHidesNoOtherMistake) {
  const std::string text =
      head("p") +
      "types:\n"
      "  vlan: {type: integr}\n"
      "  good: {type: text, pattern: '[A-Z]+'}\n"
      "schemas:\n"
      "  racks: {indexes: {name: {type: name}}, fields: {v: {type: vlan}}}\n"
      "  cups: {indexes: {name: {type: name}}, fields: {g: {type: good}, r: {type: reference to racks}}}\n"
      "parameters:\n"
      "  bad: {type: integr}\n"
      "  fine: {type: integer, default: 5}\n"
      "racks: {a: {v: 1, w: 2}}\n"
      "cups: {c: {g: low}, d: {r: a}}\n"
      "rules:\n"
      "  a:\n"
      "    one: {gauge: {expr: 'up(', above: {warning: 1}}}\n"
      "    two: {gauge: {expr: up, above: {warning: '${fine}'}}, fr: 1m}\n"
      "    unjudged: {gauge: {expr: up, above: {warning: '${bad}'}}, fr: 1m}\n"
      "    three: {gauge: {expr: up, above: {warning: 1}}, for: soon}\n";
  EXPECT_THAT(error_lines({{"p/package.yaml", text}}, "p"),
              ElementsAre(AllOf(HasSubstr(":4:"), HasSubstr("there is no type \"integr\" (did you mean \"integer\"?)")),
                          AllOf(HasSubstr(":7:"), HasSubstr("\"vlan\" does not hold itself")),
                          AllOf(HasSubstr(":10:"), HasSubstr("there is no type \"integr\"")),
                          AllOf(HasSubstr(":13:"), HasSubstr("\"low\" is no good")), HasSubstr(":16:"),
                          AllOf(HasSubstr(":17:"), HasSubstr("no key \"fr\"")),
                          AllOf(HasSubstr(":19:"), HasSubstr("\"for\" must be a duration"))));
}

TEST(BadInput, AReferenceToNothingIsToldBesideOtherMistakesOfItsItem) {
  EXPECT_THAT(
      error_lines(
          {{"p/package.yaml",
            head("p") + "rules:\n  a:\n    one: {binary: {expr: up}, for: soon, depends_on: [a/oen, nix/b/c]}\n"}}),
      ElementsAre(HasSubstr("\"for\" must be a duration"),
                  HasSubstr("there is no item \"p/a/oen\" (did you mean \"p/a/one\"?)"),
                  HasSubstr("there is no item \"nix/b/c\"")));
}

TEST(BadInput, WhatAGroupOfRulesAsksForIsToldBesideItsOtherMistakes) {
  EXPECT_THAT(
      error_lines({{"p/package.yaml", head("p") + "groups:\n"
                                                  "- name: g\n"
                                                  "  interval: soon\n"
                                                  "  rules:\n"
                                                  "  - {record: a:b, expr: up, for: 1m}\n"
                                                  "  - {record: a, expr: 'up(', lables: {}}\n"}}),
      ElementsAre(HasSubstr(":5:13: "), AllOf(HasSubstr(":7:"), HasSubstr("invalid field 'for' in recording rule")),
                  HasSubstr(":8:"), HasSubstr(":8:")));
}

TEST(BadInput, ARulesReferencesAndAnnotationsAreToldBesideItsOtherMistakes) {
  EXPECT_THAT(
      error_lines({{"p/package.yaml", head("p") + "rules:\n"
                                                  "  a:\n"
                                                  "    b:\n"
                                                  "      gauge: {expr: up, above: {warning: 1}}\n"
                                                  "      depends_on: [nix/b/c]\n"
                                                  "      fro: 1m\n"
                                                  "      for: soon\n"
                                                  "      labels: x\n"
                                                  "      annotations: {a: '{{ nofunc 1 }}'}\n"}}),
      testing::UnorderedElementsAre(HasSubstr(":7:20: there is no item \"nix/b/c\""), HasSubstr(":8:7: "),
                                    HasSubstr(":9:12: "), HasSubstr(":10:15: "), HasSubstr(":11:28: annotations.a: ")));
}

TEST(BadInput, AnIndexOfAWrongTypeIsOneMistake) {
  EXPECT_THAT(error_lines({{"p/package.yaml", head("p") + "schemas: {racks: {indexes: {name: {type: nam}}}}\n"}}),
              ElementsAre(HasSubstr("there is no type \"nam\"")));
}

TEST(BadInput, ASpecificationsMistakeIsToldOnceHoweverManyInstancesItHas) {
  const auto specification = [](const std::string& value) {
    return head("opt") + "parameters: {n: {type: integer, default: " + value + "}}\n";
  };
  FolderTexts texts{{"opt/package.yaml", specification("1")},
                    {"p/package.yaml", head("p") + "instances: {opt: {z: {}, sec: {}}}\n"}};
  auto world = world_of(texts);
  EXPECT_THAT(error_lines(world), IsEmpty());
  texts["opt/package.yaml"] = specification("x");
  change(world, texts, {"opt"});
  EXPECT_THAT(error_lines(world), ElementsAre(HasSubstr("opt/package.yaml:3:")));
}

TEST(BadInput, ALevelThatWasLeftOutIsOneMistake) {
  EXPECT_THAT(
      error_lines({{"p/package.yaml",
                    head("p") + "rpc: {hello: {title: Hello, help: x, script: \"#!/bin/sh\\n\", role: viewer}}\n"}}),
      ElementsAre(AllOf(StartsWith("p/package.yaml:3:"),
                        HasSubstr("the keys of a procedure stand here in place of names"),
                        HasSubstr("a level is missing: rpc: {group: {hello: {title: …}}}"))));
  EXPECT_THAT(
      error_lines({{"p/package.yaml", head("p") + "rules: {filling: {gauge: {expr: up, above: {warning: 1}}}}\n"}}),
      ElementsAre(HasSubstr("rules: {group: {filling: {gauge: …}}}")));
  // Names may be those of fields.
  EXPECT_THAT(error_lines({{"p/package.yaml", head("p") + "rules: {a: {title: {binary: {expr: up}}}}\n"}}), IsEmpty());
}

TEST(BadInput, ATopologyAroundAnItemThatIsNotThereIsTold) {
  const auto of = [](const std::string& root) {
    return error_lines(
        {{"p/package.yaml",
          head("p") +
              "rules: {a: {b: {binary: {expr: up}}}}\ndashboards: {a: {d: {widgets: [{at: {x: 0, y: 0, w: 1, h: 1}, "
              "topology: {root: " +
              root + "}}]}}}\n"}});
  };
  EXPECT_THAT(of("nix/a/b"), ElementsAre(HasSubstr("there is no item \"nix/a/b\"")));
  EXPECT_THAT(of("p/a/bb"), ElementsAre(HasSubstr("did you mean \"p/a/b\"?")));
  EXPECT_THAT(of("p/a/b"), IsEmpty());
  EXPECT_THAT(of("web1"), IsEmpty());
}

TEST(BadInput, AKeyWrittenTwiceIsTold) {
  EXPECT_THAT(error_lines({{"p/package.yaml", head("p") + "rules:\n  a: {}\n  b: {}\n  a: {}\n"}}),
              ElementsAre(AllOf(StartsWith("p/package.yaml:6:3: "), HasSubstr("\"a\""), HasSubstr("("))));
  EXPECT_THAT(error_lines({{"p/package.yaml", head("p") + "rules: {}\nrules: {}\n"}}),
              ElementsAre(StartsWith("p/package.yaml:4:1: ")));
}

TEST(BadInput, AnAliasBombIsAnError) {
  std::string bomb = head("p") + "x0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += fmt::format("x{0}: &a{0} [", i);
    for (int j = 0; j < 10; ++j) bomb += fmt::format("{}*a{}", j == 0 ? "" : ", ", i - 1);
    bomb += "]\n";
  }
  const auto told = error_lines({{"p/package.yaml", bomb}, {"q/package.yaml", head("q")}});
  ASSERT_EQ(told.size(), 1u);
  EXPECT_THAT(told.front(), MatchesRegex("p/package\\.yaml:[0-9]+:[0-9]+: .*\\(.+\\)"));
}

TEST(BadInput, AnAliasBombOfMappingsInALinkedFileIsAnError) {
  std::string bomb = "a0: &a0 {x: {binary: {expr: up}}}\n";
  for (int i = 1; i < 40; ++i) bomb += fmt::format("a{0}: &a{0} {{l: *a{1}, r: *a{1}}}\n", i, i - 1);
  const auto told =
      error_lines({{"p/package.yaml", head("p") + "rules: {link: sub/bomb.yaml}\n"}, {"p/sub/bomb.yaml", bomb}});
  ASSERT_THAT(told, testing::Not(IsEmpty()));
  EXPECT_THAT(told.front(), StartsWith("p/sub/bomb.yaml:"));
}

TEST(BadInput, NestingWithoutEndIsAnError) {
  std::string deep = head("p") + "rules: ";
  for (int i = 0; i < 100'000; ++i) deep += "[";
  EXPECT_THAT(error_lines({{"p/package.yaml", deep}}), ElementsAre(StartsWith("p/package.yaml:3:")));
  std::string maps = head("p") + "rules: ";
  for (int i = 0; i < 100'000; ++i) maps += "{a: ";
  EXPECT_THAT(error_lines({{"p/package.yaml", maps}}), ElementsAre(StartsWith("p/package.yaml:3:")));
}

TEST(BadInput, PathsThatLeadOutOfThePackageAreTold) {
  const auto files = [](const std::string& text) {
    return error_lines({{"p/package.yaml", head("p") + text}, {"secret.sh", "x"}, {"q/x.sh", "x"}}, "p");
  };
  EXPECT_THAT(files("pages: {a: {b: {template: ../q/x.sh}}}\n"), ElementsAre(StartsWith("p/package.yaml:3:27: ")));
  EXPECT_THAT(files("rpc: {a: {b: {script: {file: ../q/x.sh}}}}\n"), ElementsAre(StartsWith("p/package.yaml:3:")));
  EXPECT_THAT(files("collectors: {a: {b: {script: {run: {file: /etc/passwd}}}}}\n"),
              ElementsAre(StartsWith("p/package.yaml:3:")));
  EXPECT_THAT(files("types: {t: {type: text, script: ../q/x.sh}}\n"), ElementsAre(StartsWith("p/package.yaml:3:")));
  EXPECT_THAT(files("rules: {link: ../q/package.yaml}\n"), ElementsAre(StartsWith("p/package.yaml:3:15: ")));
}

TEST(BadInput, AProgramOrTemplateThatIsNotThereIsTold) {
  EXPECT_THAT(error_lines({{"p/package.yaml", head("p") + "rpc: {a: {b: {script: {file: scripts/none.sh}}}}\n"}}),
              ElementsAre(StartsWith("p/package.yaml:3:23: ")));
  EXPECT_THAT(error_lines({{"p/package.yaml", head("p") + "collectors: {a: {b: {script: {run: {file: none.sh}}}}}\n"}}),
              ElementsAre(StartsWith("p/package.yaml:3:")));
}

/// A folder on the disk that is removed in the end.
class OnDisk : public testing::Test {
 protected:
  OnDisk() : path_(fs::path(testing::TempDir()) / fmt::format("packages-{}", ::getpid())) {
    fs::remove_all(path_);
    fs::create_directories(path_ / "p");
  }
  ~OnDisk() override { fs::remove_all(path_); }
  void write(const std::string& name, const std::string& text) {
    const auto files = io::real_file_system();
    ASSERT_TRUE(io::write_file_atomically(*files, path_ / "p" / name, text));
  }
  std::vector<std::string> told() {
    const auto files = io::real_file_system();
    std::vector<ShippedFile> shipped;
    static const auto kBase = base_sources();
    static const std::vector<std::string> kPaths = [] {
      std::vector<std::string> out;
      for (const auto& file : kBase) out.push_back("base/" + file.name);
      return out;
    }();
    for (std::size_t i = 0; i < kBase.size(); ++i) shipped.push_back({kPaths[i], kBase[i].text});
    const auto world = world_with_folders(
        *files, {path_ / "p"}, shipped,
        {.tenant = default_tenant(), .base = {}, .run = {}, .check_channels = {}, .check_items = {}});
    auto lines = error_lines(world, "p");
    for (auto& line : lines) line = line.substr(std::min(line.size(), path_.string().size() + 1));
    return lines;
  }
  fs::path path_;
};

TEST_F(OnDisk, AFileBeyondTheBoundIsToldAndNotRead) {
  write("package.yaml", head("p"));
  write("large.yaml", head("p") + std::string(1 << 20, '#'));
  EXPECT_THAT(told(),
              ElementsAre(AllOf(StartsWith("p/large.yaml: "), HasSubstr("a package's file holds at most 1 MiB"))));
}

TEST_F(OnDisk, AFileOfAHundredMegabytesIsToldAndNotRead) {
  write("package.yaml", head("p"));
  write("huge.yaml", "");
  fs::resize_file(path_ / "p" / "huge.yaml", 100'000'000);
  write("pages.html", "");
  fs::resize_file(path_ / "p" / "pages.html", 100'000'000);
  EXPECT_THAT(told(), ElementsAre(AllOf(StartsWith("p/huge.yaml: "), HasSubstr("split it"))));
}

TEST_F(OnDisk, AProgramBeyondTheBoundIsTold) {
  write("package.yaml", head("p") + "rpc: {a: {b: {script: {file: x.sh}}}}\n");
  write("x.sh", "");
  fs::resize_file(path_ / "p" / "x.sh", 100'000'000);
  EXPECT_THAT(told(), ElementsAre(StartsWith("p/package.yaml:3:")));
}

// Determinism: where things stand does not count, only what they are.

constexpr int kPackages = 6;

/// Six packages that require, import, override, link to and make instances of one another.
std::map<std::string, std::vector<std::string>> sections_of_packages() {
  std::map<std::string, std::vector<std::string>> out;
  for (int i = 0; i < kPackages; ++i) {
    const auto name = fmt::format("p{}", i);
    auto& sections = out[name];
    for (int j = 0; j < 4; ++j) {
      sections.push_back(fmt::format("rules:\n  g{}:\n    r{}: {{gauge: {{expr: x{}, above: {{warning: {}}}}}}}\n",
                                     j % 2, j, j, i + j));
    }
    sections.push_back(fmt::format("collectors: {{c: {{check{}: {{tcp: {{address: 'h:{}'}}}}}}}}\n", i, i + 1));
    sections.push_back("silences: {s: {matchers: 'a=\"b\"', ends_at: '2030-01-01T00:00:00Z'}}\n");
    if (i > 0) {
      sections.push_back(fmt::format("rules: {{copies: {{c: {{link: p{}/g0/r0, title: copy}}}}}}\n", i - 1));
      sections.push_back(fmt::format("override: {{p{}: {{rules: {{g1: {{r1: {{title: by p{}}}}}}}}}}}\n", i - 1, i));
      sections.push_back(fmt::format("requires: {{p{}: '>=1'}}\n", i - 1));
    }
    if (i == 3) sections.push_back("rules: {bad: {one: {guage: {}}, two: {binary: {}}}}\n");
    if (i == 4) sections.push_back("instances: {spec: {a: {with: {x: 1}}, b: {with: {x: nonsense}}}}\n");
  }
  out["spec"] = {"parameters: {x: {type: integer, default: 1}}\n",
                 "rules: {a: {b: {gauge: {expr: y, above: {warning: '${x}'}}}}}\n"};
  return out;
}

/// What runs, and messages without places.
std::vector<std::string> summary(const World& world) {
  std::vector<std::string> out;
  for (const auto& [name, slot] : world.slots()) {
    out.push_back(name + (slot.running ? " runs" : " does not run"));
    if (slot.running) {
      auto rules = slot.running->rules;
      std::sort(rules.begin(), rules.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
      for (const auto& rule : rules) {
        out.push_back(fmt::format("{} {} {} {}", rule.id, rule.title, rule.expr(),
                                  *std::get<rules::GaugeSpec>(rule.threshold).warning));
      }
      for (const auto& item : slot.running->items)
        out.push_back(fmt::format("{} {} {}", item.section, item.id, item.content));
    }
    std::vector<std::string> messages;
    for (const auto* errors : {&slot.errors, &slot.world_errors}) {
      for (const auto& error : *errors) messages.push_back(error.message);
    }
    std::sort(messages.begin(), messages.end());
    out.insert(out.end(), messages.begin(), messages.end());
  }
  return out;
}

/// Lines that are in one of the two alone.
std::vector<std::string> difference(const std::vector<std::string>& one, const std::vector<std::string>& other) {
  std::vector<std::string> out;
  for (const auto& line : one) {
    if (std::find(other.begin(), other.end(), line) == other.end()) out.push_back("- " + line);
  }
  for (const auto& line : other) {
    if (std::find(one.begin(), one.end(), line) == one.end()) out.push_back("+ " + line);
  }
  if (out.empty() && one != other) out.push_back("the same lines, more often or in another order");
  return out;
}

TEST(Determinism, NamesAndNumberOfFilesAndTheOrderOfReadingDoNotCount) {
  const auto sections = sections_of_packages();
  std::mt19937_64 random(20'250'601);
  std::vector<std::string> expected;
  for (int round = 0; round < 25; ++round) {
    FolderTexts texts;
    for (const auto& [package, parts] : sections) {
      std::map<std::string, std::vector<std::string>> files;
      for (const auto& part : parts) {
        // Two parts with a key in common cannot stand in one file.
        const auto key = part.substr(0, part.find(':'));
        for (;;) {
          auto& file = files[fmt::format("f{}.yaml", random() % (round == 0 ? 100'000 : parts.size()))];
          if (std::any_of(file.begin(), file.end(), [&](const auto& one) { return one.starts_with(key + ":"); }))
            continue;
          file.push_back(part);
          break;
        }
      }
      for (auto& [file, own] : files) {
        std::shuffle(own.begin(), own.end(), random);
        auto& text = texts[package + "/" + file] = head(package);
        for (const auto& part : own) text += part;
      }
    }
    const auto whole = summary(world_of(texts));
    if (round == 0) expected = whole;
    ASSERT_THAT(difference(expected, whole), IsEmpty()) << "round " << round;
    // One after the other, in any order, comes to the same in the end.
    std::vector<std::string> names;
    for (const auto& [package, parts] : sections) names.push_back(package);
    std::shuffle(names.begin(), names.end(), random);
    auto world = world_of({});
    FolderTexts growing;
    for (const auto& name : names) {
      for (const auto& [file, text] : texts) {
        if (file.starts_with(name + "/")) growing[file] = text;
      }
      change(world, growing, {name});
    }
    ASSERT_THAT(difference(expected, summary(world)), IsEmpty()) << "round " << round;
  }
}

}  // namespace
}  // namespace atalaya::packages
