// Runs test/scripts/rules/*.test, and tests the language itself.

#include "rules/script.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "model/sample.h"
#include "rules/script_words.h"

namespace atalaya::rules {
namespace {

namespace fs = std::filesystem;

fs::path scripts() { return fs::path(AT_SOURCE_DIR) / "test/scripts/rules"; }

std::vector<std::string> script_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(scripts())) {
    if (entry.path().extension() == ".test") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class RuleScript : public testing::TestWithParam<std::string> {};

void run_file(const std::string& name, const ScriptOptions& options) {
  std::ifstream in(scripts() / (name + ".test"));
  ASSERT_TRUE(in);
  std::ostringstream text;
  text << in.rdbuf();
  for (const auto& fault : run_script(text.str(), options).faults)
    ADD_FAILURE() << name << ".test:" << fault.line << ": " << fault.message;
}

TEST_P(RuleScript, GivesExactlyTheExpectedVerdicts) { run_file(GetParam(), {}); }
TEST_P(RuleScript, GivesThemAlsoWhenARestartComesAfterAFlush) { run_file(GetParam(), {.restarts_after_flush = true}); }

INSTANTIATE_TEST_SUITE_P(Scripts, RuleScript, testing::ValuesIn(script_names()),
                         [](const auto& script) { return script.param; });

TEST(RuleScripts, AreFound) { EXPECT_GE(script_names().size(), 25u); }

/// A package of two rules.
Result<std::vector<RuleSpec>> two_rules(const std::string& package, const std::map<std::string, std::string>& with) {
  if (package != "p") return fail(ErrorCode::kNotFound, "no package " + package);
  RuleSpec hot;
  hot.id = "p/heat/hot";
  hot.name = "hot";
  hot.threshold = GaugeSpec{.expr = "temp", .warning = 20, .critical = with.contains("top") ? 40.0 : 30.0};
  hot.for_duration = std::chrono::minutes{1};
  hot.annotations["summary"] = "too hot";
  RuleSpec errors;
  errors.id = "p/lines/errors";
  errors.name = "errors";
  errors.threshold = TailableSpec{.match = "{file=\"/a\"}", .pattern = "ERROR"};
  return std::vector{hot, errors};
}

ScriptResult run(const std::string& text) {
  return run_script(text, {.package = two_rules, .annotations = [](const Verdict& v) { return v.annotations; }});
}
std::string fault_of(const std::string& text) {
  const auto result = run(text);
  return result.faults.empty() ? "" : result.faults.front().message;
}

TEST(RuleScriptLanguage, StatesOfAPackagesRulesAreExpectedAtTimes) {
  const auto result = run(R"(package p
load every 15s
  temp{room="a",floor="1"} 25x8 35x8
  temp{room="b"} 5x20
at 45s: quiet; log {file="/a"} "fine"; quiet
at 1m: firing warning hot{room="a"} value=25 summary="hot" text="above"; quiet hot{room="b"}
at 3m15s: firing critical hot{room="a",floor="1"} value=35
)");
  ASSERT_TRUE(result.faults.empty()) << result.faults.front().message;
  EXPECT_EQ(result.firing, std::set<std::string>{"p/heat/hot"});
  EXPECT_EQ(result.quiet, (std::set<std::string>{"p/heat/hot", "p/lines/errors"}));
}

TEST(RuleScriptLanguage, WhatIsNotSoIsAFaultWithItsLine) {
  const auto result = run("package p\nload every 15s\n  temp 25x8\n\nat 1m: firing critical hot\nat 2m: quiet");
  ASSERT_EQ(result.faults.size(), 1u);
  EXPECT_EQ(result.faults[0].line, 5);
  EXPECT_NE(result.faults[0].message.find("warning hot"), std::string::npos) << result.faults[0].message;
  const std::string warm = "package p\nload every 15s\n  temp 25x8\nat 1m: ";
  EXPECT_NE(fault_of(warm + "quiet"), "");
  EXPECT_NE(fault_of(warm + "firing warning hot value=24"), "");
  EXPECT_NE(fault_of(warm + "firing warning hot summary=\"cold\""), "");
  EXPECT_NE(fault_of(warm + "firing warning hot{room=\"x\"}"), "");
  EXPECT_EQ(fault_of(warm + "firing warning hot"), "");
}

TEST(RuleScriptLanguage, ARuleWithoutDataIsNotProvedQuiet) {
  EXPECT_NE(fault_of("package p\nat 1m: quiet hot").find("nothing to judge"), std::string::npos);
  EXPECT_NE(fault_of("package p\nat 1m: quiet cold").find("no rule"), std::string::npos);
  EXPECT_TRUE(run("package p\nat 1m: quiet").quiet.empty());
}

TEST(RuleScriptLanguage, RulesAreChosenAndParametersReachThePackage) {
  EXPECT_EQ(fault_of("package p top=40\nrules heat/*\nload every 15s\n  temp 35x8\nat 2m: firing warning hot"), "");
  EXPECT_NE(fault_of("package p\nrules lines/*\nload every 15s\n  temp 35x8\nat 2m: firing warning hot"), "");
  EXPECT_NE(fault_of("package p\nrules cold"), "");
  EXPECT_NE(fault_of("package q"), "");
}

TEST(RuleScriptLanguage, NonsenseIsAFaultAndNeverMore) {
  for (const auto* text : {"nonsense",
                           "  temp 1",
                           "at",
                           "at 5m",
                           "at x: quiet",
                           "from 1 to 2",
                           "from 0s to 1m every 0s: quiet",
                           "load",
                           "load every 0s",
                           "load every 1s\n  temp",
                           "load every 1s\n  temp{a!=\"b\"} 1",
                           "load every 1s\n  temp x",
                           "load every 1s\n  temp 1x99999999999",
                           "rule",
                           "rule a = gauge",
                           "rule a = other `x`",
                           "rule a = gauge `x(`",
                           "rule a = gauge `x` above critical=x",
                           "rule a b = gauge `x` above",
                           "package",
                           "package p x",
                           "at 0s: sample",
                           "at 0s: sample x y",
                           "at 0s: log {",
                           "at 0s: expect",
                           "at 0s: firing",
                           "at 0s: change x",
                           "at 0s: ignore {",
                           "at 0s: forget",
                           "at 0s: limit x",
                           "at 5s: quiet\nat 1s: quiet",
                           "rule a = gauge `x` nonsense=1"})
    EXPECT_NE(fault_of(text), "") << text;
}

TEST(RuleScriptLanguage, SeriesAreWrittenShort) {
  const auto values = [](const std::vector<std::string>& words) {
    std::string out;
    const auto parsed = parse_values(words, 0);
    if (!parsed) return to_string(parsed.error());
    for (const auto& value : *parsed)
      out += !value ? "_ " : is_stale(*value) ? "stale " : std::to_string(std::lround(*value)) + " ";
    return out;
  };
  EXPECT_EQ(values({"1+2x3", "_", "9-3x2"}), "1 3 5 7 _ 9 6 3 ");
  EXPECT_EQ(values({"4x2", "_x2", "stale", "-1", "1e3+1e3x1"}), "4 4 4 _ _ stale -1 1000 2000 ");
  EXPECT_TRUE(std::isinf(**parse_values({"inf"}, 0)->begin()));
  for (const auto* wrong : {"x", "1+x3", "1x", "1+2", "_3", "1x-1", "1+2x3y"})
    EXPECT_NE(values({wrong}).find("write 5"), std::string::npos) << wrong;
}

}  // namespace
}  // namespace atalaya::rules
