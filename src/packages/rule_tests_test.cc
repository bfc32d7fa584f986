// The rule tests of the packages that ship, and that they are complete.
#include "packages/rule_tests.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "packages/testing.h"

namespace atalaya::packages {
namespace {

namespace fs = std::filesystem;

const std::string kShipped = std::string(AT_SOURCE_DIR) + "/packages";

std::vector<std::string> shipped_packages() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kShipped))
    if (entry.is_directory()) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

class ShippedPackage : public testing::TestWithParam<std::string> {};

TEST_P(ShippedPackage, HoldsItsRuleTestsAndEveryRuleIsSeenFiringAndQuiet) {
  const auto files = io::real_file_system();
  const auto report = run_rule_tests(*files, kShipped + "/" + GetParam(), rules_below(*files, kShipped));
  ASSERT_TRUE(report) << to_string(report.error());
  EXPECT_TRUE(report->good()) << to_string(*report);
}

INSTANTIATE_TEST_SUITE_P(Packages, ShippedPackage, testing::ValuesIn(shipped_packages()),
                         [](const auto& package) { return package.param; });

TEST(ShippedPackages, TheHostIsJudgedByManyRules) {
  const auto files = io::real_file_system();
  const auto rules = rules_below(*files, kShipped)("host", {});
  ASSERT_TRUE(rules) << to_string(rules.error());
  EXPECT_GE(rules->size(), 40u);
}

/// A package of one rule and the tests that are written into it.
class RuleTests : public testing::Test {
 protected:
  RuleTests() {
    std::string pattern = testing::TempDir() + "/rule_tests_XXXXXX";
    root_ = ::mkdtemp(pattern.data());
    write("package.yaml",
          "package: p\nversion: 1.0.0\nparameters:\n  top: {type: number, default: 20}\nrules:\n  heat:\n    hot:\n"
          "      gauge: {expr: temp, above: {critical: '${top}'}}\n"
          "      annotations: {summary: 'it is {{ $value }} in {{ $labels.room }}'}\n");
  }
  ~RuleTests() override { fs::remove_all(root_); }
  void write(const std::string& path, const std::string& text) {
    const auto file = root_ + "/p/" + path;
    fs::create_directories(fs::path(file).parent_path());
    std::ofstream(file) << text;
  }
  RuleTestReport run() {
    const auto report = run_rule_tests(*files_, root_ + "/p", rules_below(*files_, root_, base_sources()));
    EXPECT_TRUE(report);
    return report.value_or(RuleTestReport{});
  }

  std::string root_;
  const std::unique_ptr<io::FileSystem> files_ = io::real_file_system();
};

const std::vector<std::string> kHot{"p/heat/hot"};

TEST_F(RuleTests, ARuleWithoutTestsIsNamed) {
  const auto report = run();
  EXPECT_EQ(report.scripts, 0u);
  EXPECT_TRUE(report.faults.empty()) << to_string(report);
  EXPECT_EQ(report.never_firing, kHot);
  EXPECT_EQ(report.never_quiet, kHot);
  EXPECT_NE(to_string(report).find("rule p/heat/hot: no test sees it fire"), std::string::npos);
}

TEST_F(RuleTests, FiringAndQuietWithDataAreBothNeeded) {
  write("tests/hot.test", "package p\nat 0s: sample temp{room=\"a\"} 25; firing critical hot summary=\"25 in a\"\n");
  auto report = run();
  EXPECT_TRUE(report.never_firing.empty());
  EXPECT_EQ(report.never_quiet, kHot);
  EXPECT_FALSE(report.good());
  write("tests/mild.test", "package p top=30\nat 0s: sample temp 25; quiet hot\n");
  report = run();
  EXPECT_TRUE(report.good()) << to_string(report);
  EXPECT_EQ(report.scripts, 2u);
}

TEST_F(RuleTests, AFaultIsToldWithFileAndLine) {
  write("tests/hot.test", "package p\n\nat 0s: sample temp 25; quiet hot\n");
  const auto report = run();
  ASSERT_EQ(report.faults.size(), 1u);
  EXPECT_EQ(report.faults[0].line, 3);
  EXPECT_TRUE(report.faults[0].file.ends_with("p/tests/hot.test"));
}

}  // namespace
}  // namespace atalaya::packages
