#include "app/package_text.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atalaya::app {
namespace {

using testing::HasSubstr;
using testing::Not;

boost::json::object parse(const char* text) { return boost::json::parse(text).as_object(); }

TEST(PackageText, ColumnsAreAsWideAsTheirWidestCellAndNumbersStandRight) {
  EXPECT_EQ(table_text({"NAME", "ITEMS>", "TITLE"}, {{"host", "65", "Máquinas"}, {"añil", "7", ""}}),
            "NAME  ITEMS  TITLE\n"
            "host     65  Máquinas\n"
            "añil      7\n");
  const std::string expression(60, 'x');
  EXPECT_EQ(table_text({"A", "B"}, {{"a", "b"}, {expression, "c"}}), "A  B\na  b\n" + expression + "  c\n");
}

TEST(PackageText, TheListNamesSpecificationsInstancesAndWhatIsWrong) {
  const auto text = package_list_text(parse(R"({"packages":[
    {"name":"ping","version":"1.0.0","title":"Pings","state":"ok","errors":[],"items":13,"specification":true},
    {"name":"ping@db1","version":"1.0.0","title":"Pings","state":"ok","errors":[],"items":5,"specification":false,
     "instance_of":{"package":"ping","name":"db1","declared_in":"site"}},
    {"name":"site","version":"","title":"","state":"broken","items":0,"specification":false,
     "errors":[{"file":"site/package.yaml","line":4,"column":3,"message":"no such rule","remedy":"did you mean x?"}]}]})"));
  EXPECT_EQ(text,
            "NAME      VERSION  STATE          ITEMS  TITLE\n"
            "ping      1.0.0    specification     13  Pings\n"
            "ping@db1  1.0.0    ok                 5  Pings (declared in site)\n"
            "site               broken             0\n"
            "\n"
            "site/package.yaml:4:3: no such rule (did you mean x?)\n");
}

TEST(PackageText, ASectionWhoseProgramFailsIsSaidInTheListAndOfThePackage) {
  const auto answer =
      parse(R"({"packages":[{"name":"cmdb","version":"1.0.0","title":"","state":"ok","items":2,"processed":[
    {"section":"sites","state":"failed","entities":0,"error":"scripts/s.py ended with 1: no route"},
    {"section":"racks","state":"ok","entities":1,"error":""}]}]})");
  EXPECT_EQ(package_list_text(answer),
            "NAME  VERSION  STATE    ITEMS  TITLE\n"
            "cmdb  1.0.0    failing      2\n"
            "\n"
            "cmdb, section sites: its program failed: scripts/s.py ended with 1: no route\n");
  const auto shown = package_text(answer.at("packages").as_array().front().as_object());
  EXPECT_THAT(shown, HasSubstr("state       failing\n"));
  EXPECT_THAT(shown, HasSubstr("processed   racks: 1 entity\n"));
  EXPECT_THAT(shown,
              testing::EndsWith("\ncmdb, section sites: its program failed: scripts/s.py ended with 1: no route\n"));
}

TEST(PackageText, AnInstanceIsShownWithItsValues) {
  const auto text = package_text(parse(R"({"name":"ping@gw","version":"1.0.0","title":"Pings","state":"ok",
    "instance_of":{"package":"ping","name":"gw","declared_in":"site","values":{"host":"127.0.0.1","count":3}}})"));
  EXPECT_THAT(text, HasSubstr("instance of    ping, declared in site\n"));
  EXPECT_THAT(text, HasSubstr("value          host: 127.0.0.1\n"));
  EXPECT_THAT(text, HasSubstr("value          count: 3\n"));
}

TEST(PackageText, AnItemSaysOfEachValueWhereItComesFrom) {
  const auto text = item_text(parse(R"({"id":"host/disk/filling","title":"Filling","file":"host/disks.yaml","line":8,
    "fields":[
     {"field":"for","value":"0s","from":{"how":"default","package":"base"}},
     {"field":"gauge.below.warning","value":"0.2","from":{"how":"override","package":"site",
      "file":"/srv/site/packages/default/site/package.yaml","line":5,"column":9}},
     {"field":"title","value":"Filling","from":{"how":"parameter","package":"ping@db1",
      "file":"/srv/packages/default/ping/package.yaml","line":2,"column":1}}],
    "overridden_by":["site"],"errors":[]})"));
  EXPECT_EQ(text,
            "host/disk/filling  Filling\n"
            "host/disks.yaml:8\n"
            "\n"
            "FIELD                VALUE    FROM\n"
            "for                  0s       default\n"
            "gauge.below.warning  0.2      override  site/package.yaml:5:9\n"
            "title                Filling  parameter  ping/package.yaml:2:1\n"
            "\n"
            "overridden by site\n");
}

TEST(PackageText, AChangeTellsItsEffectsItsFilesAndHowToTakeItBack) {
  const auto answer = parse(R"({"commit":12,"effects":["2 rules change"],"files":[
    {"file":"host/a.yaml","before":"x","after":"y"},{"file":"host/b.yaml","after":"y"},
    {"file":"host/c.yaml","before":"x"}]})");
  EXPECT_EQ(change_text(answer, false),
            "2 rules change\n"
            "host/a.yaml: changed\nhost/b.yaml: new\nhost/c.yaml: removed\n"
            "Commit 12; `atalaya package revert 12` takes it back.\n");
  EXPECT_THAT(change_text(answer, true), HasSubstr("nothing was changed"));
  EXPECT_EQ(commit_text(answer), "Commit 12; `atalaya package revert 12` takes it back.\n");
  EXPECT_EQ(plan_text(answer), "2 rules change\nhost/a.yaml: changed\nhost/b.yaml: new\nhost/c.yaml: removed\n")
      << "a question that follows is none of a preview";
  EXPECT_EQ(change_text(parse(R"({"files":[],"effects":[]})"), false), "Nothing differs.\n");
}

TEST(PackageText, ARefusalTellsEveryErrorOrTheOneThatThereIs) {
  EXPECT_EQ(refusal_text(parse(R"({"status":"error","error":"first","errors":[
              {"message":"first","file":"a.yaml","line":1,"column":2,"remedy":"do it"},{"message":"second"}]})"),
                         422),
            "a.yaml:1:2: first (do it)\nsecond\n");
  EXPECT_EQ(refusal_text(parse(R"({"error":"there is no package x","remedy":"look"})"), 404),
            "atalaya: there is no package x (look)\n");
  EXPECT_EQ(refusal_text({}, 502), "atalaya: the server answered 502\n");
}

TEST(PackageText, WhatAServerSendsDoesNotSteerTheTerminal) {
  const auto text = package_list_text(parse(
      R"({"packages":[{"name":"a\u001b[2J\u009b2Jb","version":"1","title":"x\ny","state":"ok","items":1,"errors":[]}]})"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, Not(HasSubstr("\xc2\x9b")));
  EXPECT_THAT(text, HasSubstr("x y"));
}

TEST(PackageText, TheTreeOfASectionIsItsItemsByTheirPaths) {
  const auto tree = parse(R"({"sections":[
    {"name":"rules","nodes":[{"name":"disk","item":false,"children":[
      {"name":"full","item":true,"title":"Full"},{"name":"odd","item":true,"error":true}]}]},
    {"name":"pages","nodes":[{"name":"x","item":true}]}]})");
  EXPECT_EQ(*package_tree_text(tree, "rules"), "rules\ndisk/full  Full\ndisk/odd         broken\n");
  EXPECT_THAT(*package_tree_text(tree, ""), HasSubstr("pages\nx\n"));
}

TEST(PackageText, ASectionThatHoldsNothingIsSaidWithThoseThatDo) {
  const auto tree = parse(R"({"sections":[{"name":"rules","nodes":[]},{"name":"pages","nodes":[]}]})");
  const auto misspelt = package_tree_text(tree, "ruls");
  ASSERT_FALSE(misspelt);
  EXPECT_EQ(misspelt.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(misspelt.error().remedy, HasSubstr("did you mean \"rules\"?"));
  const auto empty = package_tree_text(parse(R"({"sections":[]})"), "");
  ASSERT_TRUE(empty);
  EXPECT_THAT(*empty, testing::EndsWith("\n"));
}

TEST(PackageText, RuleTestsAreFaultsWithTheirPlacesAndACount) {
  packages::RuleTestReport report;
  report.scripts = 2;
  report.rules = {"a/b/c", "a/b/d"};
  report.faults = {{"a/tests/x.test", 3, "firing c expected, seen nothing"}};
  report.never_firing = {"a/b/d"};
  EXPECT_EQ(rule_tests_text("a", report, false),
            "a/tests/x.test:3: firing c expected, seen nothing\n"
            "note: a/b/d: no test sees it fire\n"
            "a: 2 test files, 2 rules, 1 fault\n");
  EXPECT_THAT(rule_tests_text("a", report, true), Not(HasSubstr("note")));
  EXPECT_EQ(rule_tests_json("a", report)["faults"].as_array().size(), 1U);
}

}  // namespace
}  // namespace atalaya::app
