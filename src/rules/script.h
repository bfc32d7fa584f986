// Rule tests: rules, samples and lines at times, and what must come of them. The language is in
// docs/formats/rule-test.md.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rules/rule.h"
#include "rules/verdict.h"

namespace atalaya::rules {

struct ScriptOptions {
  /// Rules of a package, for `package NAME PARAMETER=VALUE …`. Empty: scripts may not say so.
  std::function<Result<std::vector<RuleSpec>>(const std::string& package,
                                              const std::map<std::string, std::string>& parameters)>
      package = {};
  /// Annotations as the alert would have them.
  std::function<std::map<std::string, std::string>(const Verdict&)> annotations = {};
  /// A restart finds all series in blocks, where they have no ids (storage::SelectedSeries::id), and not in a log.
  bool restarts_after_flush = false;
};

struct ScriptFault {
  int line = 0;
  std::string message;
};

/// What a script said and saw.
struct ScriptResult {
  std::vector<ScriptFault> faults;  ///< of the first line that did not hold; empty: everything did
  /// Ids of the package's rules that were said to fire, and did.
  std::set<std::string> firing;
  /// Ids of those that were said to be quiet while they had something to judge, and were.
  std::set<std::string> quiet;
};

/// Runs one script against an engine of its own, on a clock of its own that ticks once a second.
ScriptResult run_script(std::string_view text, const ScriptOptions& options = {});

}  // namespace atalaya::rules
