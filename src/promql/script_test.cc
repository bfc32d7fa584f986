#include "promql/script.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace atalaya::promql {
namespace {

std::vector<std::string> scripts_in(const std::filesystem::path& folder) {
  std::vector<std::string> out;
  if (!std::filesystem::is_directory(folder)) return out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".test") out.push_back(entry.path().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string text_of(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

/// Runs them all; what fails is a failure of the test.
ScriptReport run_all(const std::vector<std::string>& paths) {
  ScriptReport all;
  for (const auto& path : paths) {
    const auto report = run_script(path, text_of(path));
    EXPECT_GT(report.passed, 0u) << path;
    all.passed += report.passed;
    for (const auto& failure : report.failures) ADD_FAILURE() << failure;
    all.skipped.insert(all.skipped.end(), report.skipped.begin(), report.skipped.end());
  }
  return all;
}

TEST(PromqlScripts, OwnScriptsPassWithoutSkips) {
  const auto scripts = scripts_in(std::filesystem::path(AT_SOURCE_DIR) / "test/scripts/promql");
  ASSERT_FALSE(scripts.empty());
  const auto report = run_all(scripts);
  EXPECT_TRUE(report.skipped.empty()) << report.skipped.front();
  fmt::print("{} evaluations\n", report.passed);
}

TEST(PromqlScripts, PrometheusScriptsPassButForNativeHistograms) {
  const char* wanted = std::getenv("ATALAYA_REFERENCE_DATA");
  const auto folder =
      (wanted ? std::filesystem::path(wanted) : std::filesystem::path(AT_SOURCE_DIR) / "../shared/data") / "promqltest";
  const auto scripts = scripts_in(folder);
  if (scripts.empty()) GTEST_SKIP() << "no reference data in " << folder.string();
  const auto report = run_all(scripts);
  for (const auto& why : report.skipped) fmt::print("skipped: {}\n", why);
  fmt::print("{} evaluations, {} skipped\n", report.passed, report.skipped.size());
}

TEST(PromqlScript, SaysWhatWasExpectedAndWhatCame) {
  const auto report = run_script("a.test",
                                 "load 1m\n  a{x=\"1\"} 1 2\n\n"
                                 "eval instant at 1m a\n  a{x=\"1\"} 3\n\n"
                                 "eval instant at 1m a +\n\n"
                                 "eval instant at 0 a\n  a{x=\"1\"} 1\n");
  EXPECT_EQ(report.passed, 1u);
  ASSERT_EQ(report.failures.size(), 2u);
  EXPECT_EQ(report.failures[0], "a.test:4: a: expected a{x=\"1\"} 3, got a{x=\"1\"} 2");
  EXPECT_TRUE(report.failures[1].starts_with("a.test:7: a +: unexpected error: ")) << report.failures[1];
}

TEST(PromqlScript, EachWayToBeWrongIsFound) {
  const auto fails = [](const std::string& eval) {
    const auto report = run_script("a.test", "load 1m\n  a{x=\"1\"} 1\n  a{x=\"2\"} 2\n\n" + eval);
    EXPECT_TRUE(report.understood) << eval;
    return report.failures.size() == 1 && report.passed == 0;
  };
  EXPECT_TRUE(fails("eval instant at 0 a\n  a{x=\"1\"} 1\n"));
  EXPECT_TRUE(fails("eval instant at 0 a\n  a{x=\"1\"} 1\n  a{x=\"3\"} 2\n"));
  EXPECT_TRUE(fails("eval instant at 0 sort(a)\n  expect ordered\n  a{x=\"2\"} 2\n  a{x=\"1\"} 1\n"));
  EXPECT_TRUE(fails("eval instant at 0 a\n  expect fail\n"));
  EXPECT_TRUE(fails("eval instant at 0 a +\n  expect fail msg: no such words\n"));
  EXPECT_TRUE(fails("eval instant at 0 1\n  2\n"));
  EXPECT_TRUE(fails("eval instant at 0 \"a\"\n  expect string \"b\"\n"));
  EXPECT_TRUE(fails("eval instant at 0 quantile(2, a)\n  expect no_warn\n  {} +Inf\n"));
  EXPECT_TRUE(fails("eval instant at 0 quantile(1, a)\n  expect warn\n  {} 2\n"));
  EXPECT_TRUE(fails("eval instant at 0 quantile(2, a)\n  expect warn msg: something else\n  {} +Inf\n"));
  EXPECT_TRUE(fails("eval range from 0 to 1m step 1m sum(a)\n  {} 3 _\n"));
  EXPECT_TRUE(fails("eval instant at 0 a[1m]\n  a{x=\"1\"} 1\n  a{x=\"2\"} 2\n"));
}

TEST(PromqlScript, WhatIsNotUnderstoodFailsWithItsLineAndTheRestGoesOn) {
  const std::pair<const char*, int> texts[] = {{"\nfrobnicate\n", 2},
                                               {"\neval instant\n", 2},
                                               {"\nload 1q\n", 2},
                                               {"\nload 1m\n  a{ 1\n", 3},
                                               {"\nload 1m\n  a 1\n  b 1+2\n", 4},
                                               {"\neval instant at 0 1\n  expect a miracle\n", 3},
                                               {"\neval instant at 0 a +\n  expect fail msg:\n", 3}};
  for (const auto& [text, line] : texts) {
    const auto report = run_script("a.test", text + std::string("\neval instant at 0 2\n  2\n"));
    EXPECT_FALSE(report.understood) << text;
    EXPECT_EQ(report.passed, 1u) << text;
    ASSERT_EQ(report.failures.size(), 1u) << text;
    EXPECT_TRUE(report.failures[0].starts_with(fmt::format("a.test:{}: ", line))) << report.failures[0];
  }
}

TEST(PromqlScript, ErrorsAreToldWithOrWithoutTheirPlace) {
  for (const auto* expected : {"msg: parse error: unclosed left parenthesis",
                               "msg: 1:6: parse error: unclosed left parenthesis", "regex: ^1:6: parse error: .*",
                               "regex: ^parse error", "regex:.*", "msg:parse error: unclosed left parenthesis"}) {
    const auto report = run_script("a.test", fmt::format("eval instant at 0 sum(a\n  expect fail {}\n", expected));
    EXPECT_EQ(report.passed, 1u) << expected;
  }
  const auto report = run_script("a.test",
                                 "eval instant at 0 sum(a\n  expect fail msg: 1:7: parse error: unclosed left "
                                 "parenthesis\n");
  EXPECT_EQ(report.failures.size(), 1u);
}

TEST(PromqlScript, WhatReadsNativeHistogramsIsSkipped) {
  const auto report = run_script("a.test",
                                 "load 1m\n  h {{schema:0 sum:1 count:1 buckets:[1]}}x3\n  a 1\n\n"
                                 "load_with_nhcb 1m\n  c_bucket{le=\"1\"} 3\n  c_bucket{le=\"+Inf\"} 4\n\n"
                                 "eval instant at 0 h\n  h {{schema:0 sum:1 count:1 buckets:[1]}}\n\n"
                                 "eval instant at 0 sum(h)\n\n"
                                 "eval instant at 0 histogram_quantile(0.5, c)\n\n"
                                 "eval instant at 0 histogram_fraction(0, 1, c_bucket)\n  {} 0.75\n\n"
                                 "eval instant at 0 a\n  a 1\n");
  EXPECT_EQ(report.skipped.size(), 3u);
  EXPECT_EQ(report.passed, 2u);
  EXPECT_TRUE(report.failures.empty()) << report.failures.front();
}

}  // namespace
}  // namespace atalaya::promql
