// Runs unit tests of rule files on a clock of their own.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "rules/groups/group.h"
#include "rules/groups/unit_test_file.h"

namespace atalaya::rules {

/// What became of one test. Each text is for people and names its place.
struct UnitTestResult {
  std::vector<std::string> failures;
  std::vector<std::string> skipped;  ///< what needs native histograms
};

/// The groups are evaluated at the start and every `evaluation_interval` after it, in the order of
/// `group_eval_order`, up to the last time that the test names. Deterministic.
UnitTestResult run_unit_test(const UnitTest& test, const UnitTestFile& file, const std::vector<GroupSpec>& groups);

}  // namespace atalaya::rules
