// The rule tests that lie beside a package: <package>/tests/*.test, in the language of
// docs/formats/rule-test.md.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"
#include "packages/tree.h"
#include "rules/rule.h"

namespace atalaya::packages {

struct RuleTestReport {
  struct Fault {
    std::string file;  ///< as it was found
    int line = 0;
    std::string message;
  };
  std::size_t scripts = 0;
  std::vector<Fault> faults;
  std::vector<std::string> rules;         ///< ids of the package's rules, as "host/disk/filling"
  std::vector<std::string> never_firing;  ///< those of which no test saw an alert
  std::vector<std::string> never_quiet;   ///< those that no test saw judge something and be quiet

  bool good() const { return faults.empty() && never_firing.empty() && never_quiet.empty(); }
};

/// The rules of a package, of a specification with these values for its parameters.
using RulesOf = std::function<Result<std::vector<rules::RuleSpec>>(
    const std::string& package, const std::map<std::string, std::string>& parameters)>;

/// By folders beside one another under `root`; `base`: the YAML files of the base package, empty where it is one of
/// them.
RulesOf rules_below(io::FileSystem& files, std::string root, std::vector<SourceFile> base = {});

/// Runs every test of the package in `folder`. An error only where the folder cannot be read.
Result<RuleTestReport> run_rule_tests(io::FileSystem& files, const std::string& folder, const RulesOf& rules_of);

/// For people: a line for each fault, then what no test covers.
std::string to_string(const RuleTestReport& report);

}  // namespace atalaya::packages
