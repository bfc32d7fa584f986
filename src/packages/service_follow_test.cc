// References follow the items that they name; what refers to what is taken away is named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "io/memory_file_system.h"
#include "packages/service.h"
#include "packages/world_test_lines.h"

namespace atalaya::packages {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const TenantId kTenant = default_tenant();

const std::string kRule = "{gauge: {expr: temp, above: {warning: 5}}";

class ReferencesFollow : public testing::Test {
 protected:
  void start(FolderTexts texts) {
    for (const auto& file : base_sources()) texts["base/" + file.name] = file.text;
    for (const auto& [file, text] : texts) {
      const auto path = "/data/packages/default/" + file;
      ASSERT_TRUE(files_.create_directories(io::parent_path(path)));
      ASSERT_TRUE(io::write_file_atomically(files_, path, text));
    }
    service_ = std::make_unique<Service>(
        files_, items_, clock_,
        Service::Options{.root = "/data/packages", .last_good = "/data/good", .history = "/data/history"});
    ASSERT_TRUE(service_->load_all());
    expect_all_hold();
  }
  void expect_all_hold() {
    for (const auto& state : service_->list(kTenant)) {
      for (const auto& error : state.errors) ADD_FAILURE() << to_string(error);
    }
  }
  std::string text(const std::string& file) {
    return io::read_file(files_, "/data/packages/default/" + file).value_or("");
  }
  ChangeResult run(std::vector<Operation> operations, bool preview = false) {
    auto done = service_->change(kTenant, {.operations = std::move(operations), .author = "ana", .preview = preview});
    if (done) return std::move(*done);
    ADD_FAILURE() << to_string(done.error());
    return {};
  }
  ChangeResult rename(const std::string& package, const std::string& section, const std::vector<std::string>& path,
                      const std::string& name, bool preview = false) {
    Operation one{.what = Operation::What::kRename, .at = {package, section, path}};
    one.text = name;
    return run({one}, preview);
  }
  ChangeResult remove(const std::string& package, const std::string& section, const std::vector<std::string>& path) {
    return run({{.what = Operation::What::kRemove, .at = {package, section, path}}});
  }
  static std::vector<std::string> lines(const ChangeResult& result) {
    std::vector<std::string> out;
    for (const auto& error : result.errors) out.push_back(to_string(error));
    return out;
  }

  io::MemoryFileSystem files_;
  ManualClock clock_{from_ms(1'700'000'000'000)};
  registry::Items items_;
  std::unique_ptr<Service> service_;
};

const std::string kTour =
    "package: tour\nversion: 1.0.0\n"
    "schemas:\n"
    "  racks: {indexes: {name: {type: name}}, fields: {watch: {type: list of reference to rules}, r: {type: reference "
    "to "
    "rules}}}\n"
    "racks:\n"
    "  r1: {watch: [cpu/busy, \"tour/cpu/busy\"]}  # the first row\n"
    "  r2:\n"
    "    # what it is about\n"
    "    watch:\n"
    "      - 'cpu/busy' # most of all\n"
    "      - cpu/idle\n"
    "    r: cpu/idle\n"
    "rules:\n"
    "  cpu:\n"
    "    busy: {gauge: {expr: temp, above: {warning: 5}}}\n"
    "    idle: {gauge: {expr: temp, above: {warning: 5}}, depends_on: tour/cpu/busy}\n";

TEST_F(ReferencesFollow, OfTheSamePackageWithNoOtherByteChanged) {
  start({{"tour/package.yaml", kTour}});
  const auto preview = rename("tour", "rules", {"cpu", "busy"}, "busier", true);
  EXPECT_THAT(lines(preview), IsEmpty());
  ASSERT_THAT(preview.files, SizeIs(1));
  EXPECT_EQ(text("tour/package.yaml"), kTour);
  const auto done = rename("tour", "rules", {"cpu", "busy"}, "busier");
  ASSERT_TRUE(done.commit) << testing::PrintToString(lines(done));
  EXPECT_EQ(done.files, preview.files);
  auto expected = kTour;
  for (std::size_t at = 0; (at = expected.find("busy", at)) != std::string::npos;) expected.replace(at, 4, "busier");
  EXPECT_EQ(text("tour/package.yaml"), expected);
  EXPECT_THAT(done.effects,
              testing::Contains("4 references follow: racks tour/r1, racks tour/r2, rules tour/cpu/idle"));
  expect_all_hold();
  ASSERT_TRUE(service_->revert(kTenant, *done.commit, "ana", "", false));
  EXPECT_EQ(text("tour/package.yaml"), kTour);
}

TEST_F(ReferencesFollow, OfOtherPackagesInOneCommitWithTheirOverridesAndLinks) {
  const std::string other =
      "package: site\nversion: 1.0.0\n"
      "override:\n  tour:\n    rules:\n      # less\n      cpu: {busy: {for: 1m}, idle: {for: 2m}}  # both\n"
      "rules:\n"
      "  own:\n"
      "    a: {link: tour/cpu/busy, title: Mine} # a copy\n"
      "    b: " +
      kRule + ", depends_on: [tour/cpu/idle, site/own/a]}\n";
  const std::string third = "package: third\nversion: 1.0.0\nrules: {x: {y: {link: site/own/b}}}\n";
  start({{"tour/package.yaml", kTour}, {"site/package.yaml", other}, {"third/package.yaml", third}});
  const auto done = rename("tour", "rules", {"cpu"}, "processor");
  ASSERT_TRUE(done.commit) << testing::PrintToString(lines(done));
  ASSERT_THAT(done.files, SizeIs(2));
  auto expected = other;
  for (std::size_t at = 0; (at = expected.find("cpu", at)) != std::string::npos; at += 3) {
    expected.replace(at, 3, "processor");
  }
  EXPECT_EQ(text("site/package.yaml"), expected);
  EXPECT_EQ(text("third/package.yaml"), third);
  EXPECT_THAT(text("tour/package.yaml"),
              HasSubstr("r1: {watch: [processor/busy, \"tour/processor/busy\"]}  # the first row"));
  expect_all_hold();
  // One item of it, whose override alone gets another key.
  ASSERT_TRUE(rename("tour", "rules", {"processor", "busy"}, "full").commit);
  EXPECT_THAT(text("site/package.yaml"), HasSubstr("processor: {full: {for: 1m}, idle: {for: 2m}}  # both"));
  EXPECT_THAT(text("site/package.yaml"), HasSubstr("a: {link: tour/processor/full, title: Mine} # a copy"));
  expect_all_hold();
}

TEST_F(ReferencesFollow, ToAnotherGroupAndToAnotherPackage) {
  start({{"tour/package.yaml", kTour}, {"site/package.yaml", "package: site\nversion: 1.0.0\n"}});
  Operation move{.what = Operation::What::kMove, .at = {"tour", "rules", {"cpu", "busy"}}};
  move.to = {"tour", "rules", {"load", "busy"}};
  ASSERT_TRUE(run({move}).commit);
  EXPECT_THAT(text("tour/package.yaml"), HasSubstr("[load/busy, \"tour/load/busy\"]"));
  move.at.path = move.to.path;
  move.to.package = "site";
  const auto done = run({move});
  ASSERT_TRUE(done.commit) << testing::PrintToString(lines(done));
  EXPECT_THAT(text("tour/package.yaml"), HasSubstr("[site/load/busy, \"site/load/busy\"]"));
  EXPECT_THAT(text("tour/package.yaml"), HasSubstr("- 'site/load/busy' # most of all"));
  expect_all_hold();
}

TEST_F(ReferencesFollow, SeveralRenamesInOneChange) {
  start({{"tour/package.yaml", kTour}});
  Operation group{.what = Operation::What::kRename, .at = {"tour", "rules", {"cpu"}}};
  group.text = "tour";  // as the package: a short name would be taken for a whole one
  Operation item{.what = Operation::What::kRename, .at = {"tour", "rules", {"tour", "busy"}}};
  item.text = "full";
  const auto done = run({group, item});
  ASSERT_TRUE(done.commit) << testing::PrintToString(lines(done));
  EXPECT_THAT(text("tour/package.yaml"), HasSubstr("[tour/tour/full, \"tour/tour/full\"]"));
  expect_all_hold();
}

const std::string kDatabase =
    "package: db\nversion: 1.0.0\n"
    "parameters:\n  on: {type: reference to rules, default: tour/cpu/idle}\n"
    "rules:\n  a:\n"
    "    hot: {gauge: {expr: temp, above: {warning: 5}}, depends_on: '${on}'}\n"
    "    hotter: {gauge: {expr: temp, above: {warning: 9}}, depends_on: [a/hot, db/a/hot]}\n";

TEST_F(ReferencesFollow, OfSpecificationsAndTheirInstances) {
  const std::string site =
      "package: site\nversion: 1.0.0\n"
      "instances:\n  db:\n    one: {with: {on: tour/cpu/busy}} # by value\n"
      "override: {db@one: {rules: {a: {hot: {for: 1m}}}}, db: {rules: {a: {hotter: {for: 1m}}}}}\n"
      "rules: {x: {y: " +
      kRule + ", depends_on: [db@one/a/hot]}}}\n";
  start({{"tour/package.yaml", kTour}, {"db/package.yaml", kDatabase}, {"site/package.yaml", site}});
  auto done = rename("db", "rules", {"a", "hot"}, "warm");
  ASSERT_TRUE(done.commit) << testing::PrintToString(lines(done));
  EXPECT_THAT(text("db/package.yaml"), HasSubstr("depends_on: [a/warm, db/a/warm]"));
  EXPECT_THAT(text("site/package.yaml"), HasSubstr("depends_on: [db@one/a/warm]"));
  EXPECT_THAT(text("site/package.yaml"), HasSubstr("db@one: {rules: {a: {warm: {for: 1m}}}}"));
  expect_all_hold();
  // The instance itself.
  done = rename("site", "instances", {"db", "one"}, "main");
  ASSERT_TRUE(done.commit) << testing::PrintToString(lines(done));
  EXPECT_THAT(text("site/package.yaml"), HasSubstr("main: {with: {on: tour/cpu/busy}} # by value"));
  EXPECT_THAT(text("site/package.yaml"), HasSubstr("override: {db@main: {rules: {a: {warm: {for: 1m}}}}, db: "));
  EXPECT_THAT(text("site/package.yaml"), HasSubstr("depends_on: [db@main/a/warm]"));
  expect_all_hold();
  // What an instance gives as a value.
  done = rename("tour", "rules", {"cpu", "busy"}, "busier");
  ASSERT_TRUE(done.commit) << testing::PrintToString(lines(done));
  EXPECT_THAT(text("site/package.yaml"), HasSubstr("main: {with: {on: tour/cpu/busier}} # by value"));
  EXPECT_THAT(text("db/package.yaml"), HasSubstr("default: tour/cpu/idle"));
  expect_all_hold();
}

TEST_F(ReferencesFollow, ThroughAnchorsWhereEveryUseIsAReference) {
  const std::string tour =
      "package: tour\nversion: 1.0.0\n"
      "rules:\n  a:\n"
      "    x: {gauge: {expr: temp, above: {warning: 5}}}\n"
      "    y: {gauge: {expr: temp, above: {warning: 5}}, depends_on: &all a/x} # here\n"
      "    z: {gauge: {expr: temp, above: {warning: 5}}, depends_on: *all}\n";
  start({{"tour/package.yaml", tour}});
  const auto done = rename("tour", "rules", {"a", "x"}, "w");
  ASSERT_TRUE(done.commit) << testing::PrintToString(lines(done));
  EXPECT_THAT(text("tour/package.yaml"), HasSubstr("depends_on: &all a/w} # here"));
  EXPECT_THAT(text("tour/package.yaml"), HasSubstr("depends_on: a/w}\n"));
  expect_all_hold();
}

TEST_F(ReferencesFollow, NotWhereTheyCannotBeChangedInPlaceWhichIsToldAndNothingChanges) {
  const std::string tour =
      "package: tour\nversion: 1.0.0\n"
      "rules:\n  a:\n"
      "    x: {gauge: {expr: temp, above: {warning: 5}}}\n"
      "    y: {gauge: {expr: temp, above: {warning: 5}}, title: &all a/x, depends_on: *all}\n"
      "    z: {gauge: {expr: temp, above: {warning: 5}}, title: *all, depends_on: a/x}\n";
  const std::string database =
      "package: db\nversion: 1.0.0\nparameters:\n  on: {type: name, required: true, example: x}\n"
      "rules:\n  a:\n    hot: {gauge: {expr: temp, above: {warning: 5}}, depends_on: 'tour/a/${on}'}\n";
  const std::string site = "package: site\nversion: 1.0.0\ninstances: {db: {one: {with: {on: x}}}}\n";
  start({{"tour/package.yaml", tour}, {"db/package.yaml", database}, {"site/package.yaml", site}});
  const auto done = rename("tour", "rules", {"a", "x"}, "w");
  EXPECT_FALSE(done.commit);
  EXPECT_THAT(lines(done), testing::Contains(
                               "db/package.yaml:7:65: tour/a/x cannot be renamed: rules db/a/hot refers to it (take it "
                               "out of depends_on first, or name another one there; tour/a/w can be written there "
                               "afterwards)"));
  EXPECT_EQ(text("tour/package.yaml"), tour);
  EXPECT_EQ(text("site/package.yaml"), site);
}

TEST_F(ReferencesFollow, ACopyBringsTheImportOfItsSectionAlong) {
  const auto of = [](const std::string& name, const std::string& rest) {
    return "package: " + name + "\nversion: 1.0.0  # the first\n" + rest;
  };
  start({{"tour/package.yaml", kTour},
         {"a/package.yaml", of("a", "rules: {}\n")},
         {"b/package.yaml", of("b", "imports: host  # ours\n")},
         {"c/package.yaml", of("c", "imports: [host] # ours\n")},
         {"host/package.yaml", of("host", "")}});
  const auto paste = [&](const std::string& to) {
    Operation copy{.what = Operation::What::kCopy, .at = {"tour", "racks", {"r3"}}};
    copy.to = {to, "racks", {"r3"}};
    const auto done = run({copy});
    EXPECT_TRUE(done.commit) << testing::PrintToString(lines(done));
    return done;
  };
  Operation make{.what = Operation::What::kCreate, .at = {"tour", "racks", {"r3"}}};
  make.value = config::YamlValue::map({{"watch", config::YamlValue::list()}});
  ASSERT_TRUE(run({make}).commit);
  EXPECT_THAT(paste("a").effects, testing::Contains("a imports tour, whose section racks is"));
  EXPECT_THAT(text("a/package.yaml"), testing::StartsWith(of("a", "imports: [tour]\nrules: {}\n")));
  paste("b");
  EXPECT_THAT(text("b/package.yaml"), HasSubstr("imports:  # ours\n  - host\n  - tour\n"));
  paste("c");
  EXPECT_THAT(text("c/package.yaml"), HasSubstr("imports: [host, tour] # ours\n"));
  expect_all_hold();
}

TEST_F(ReferencesFollow, WhatIsRemovedNamesWhoRefersToIt) {
  const std::string site =
      "package: site\nversion: 1.0.0\nrequires: {tour: '*'}\n"
      "override: {tour: {rules: {cpu: {busy: {for: 1m}}}}}\n"
      "rules: {own: {a: {link: tour/cpu/busy}}}\n";
  start({{"tour/package.yaml", kTour}, {"site/package.yaml", site}});
  auto done = remove("tour", "rules", {"cpu", "busy"});
  EXPECT_THAT(
      lines(done),
      ElementsAre("site/package.yaml:4:33: tour/cpu/busy cannot be removed: package site overrides it (take the "
                  "override away first)",
                  "site/package.yaml:5:25: tour/cpu/busy cannot be removed: rules site/own/a refers to it "
                  "(write its fields there instead of link:, or link to another item, first)",
                  "tour/package.yaml:6:16: tour/cpu/busy cannot be removed: racks tour/r1 refers to it (take it "
                  "out of watch first)",
                  "tour/package.yaml:6:26: tour/cpu/busy cannot be removed: racks tour/r1 refers to it (take it "
                  "out of watch first)",
                  "tour/package.yaml:10:9: tour/cpu/busy cannot be removed: racks tour/r2 refers to it (take it "
                  "out of watch first)",
                  "tour/package.yaml:15:66: tour/cpu/busy cannot be removed: rules tour/cpu/idle refers to it "
                  "(take it out of depends_on first, or name another one there)"));
  EXPECT_EQ(text("tour/package.yaml"), kTour);
  done = run({{.what = Operation::What::kRemovePackage, .at = {"tour", "", {}}}});
  EXPECT_THAT(lines(done),
              ElementsAre("site/package.yaml:3:12: tour cannot be removed: site requires it (take that away first, or "
                          "remove site too)",
                          "site/package.yaml:4:18: tour cannot be removed: site overrides it (take that away first, or "
                          "remove site too)",
                          HasSubstr("site/package.yaml:5:25: tour cannot be removed: site refers to it")));
  // Both at once hold.
  EXPECT_TRUE(run({{.what = Operation::What::kRemovePackage, .at = {"tour", "", {}}},
                   {.what = Operation::What::kRemovePackage, .at = {"site", "", {}}}})
                  .commit);
}

TEST_F(ReferencesFollow, ABrokenPackageHoldsUpNoOther) {
  start({{"amb/package.yaml", "package: amb\nversion: 1.0.0\nrules: {a: {z: " + kRule + "}}}\n"},
         {"half/package.yaml",
          "package: half\nversion: 1.0.0\nrules: {a: {z: " + kRule + ", depends_on: [amb/a/z]}}}\n"}});
  auto mistyped = text("half/package.yaml");
  mistyped.replace(mistyped.find("expr:"), 5, "exprr:");
  ASSERT_TRUE(io::write_file_atomically(files_, "/data/packages/default/half/package.yaml", mistyped));
  service_->scan();
  EXPECT_THAT(lines(rename("amb", "rules", {"a", "z"}, "y")), IsEmpty());
  EXPECT_THAT(text("amb/package.yaml"), HasSubstr("{a: {y: "));
  EXPECT_THAT(lines(remove("amb", "rules", {"a", "y"})), IsEmpty());
}

TEST_F(ReferencesFollow, HundredsOfThemAtOnce) {
  constexpr int kMany = 500;
  std::string before = "package: many\nversion: 1.0.0\nrules:\n  a:\n    base: " + kRule + "}\n  b:\n";
  auto after = before;
  after.replace(after.find("base:"), 5, "root:");
  for (int i = 0; i < kMany; ++i) {
    const auto rule = "    r" + std::to_string(i) + ": " + kRule + ", depends_on: [";
    before += rule + "a/base]}\n";
    after += rule + "a/root]}\n";
  }
  start({{"many/package.yaml", before}});
  const auto done = rename("many", "rules", {"a", "base"}, "root");
  EXPECT_THAT(lines(done), IsEmpty());
  EXPECT_EQ(text("many/package.yaml"), after);
}

}  // namespace
}  // namespace atalaya::packages
