// Scripts in promqltest's notation: samples are loaded, expressions evaluated, results compared.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atalaya::promql {

/// Of one script. Each text names its place: `FILE:LINE: …`.
struct ScriptReport {
  std::size_t passed = 0;
  std::vector<std::string> failures;  ///< one for each evaluation that failed, and each command that is none
  std::vector<std::string> skipped;   ///< one for each that needs native histograms
  bool understood = true;             ///< every command
};

/// Every script begins with an empty store. Each evaluation at an instant is repeated as the middle of
/// a range, and with all its selectors pinned to that instant at other ones: the answer must not change.
/// What is not understood of a script fails with its place; the rest goes on.
ScriptReport run_script(std::string_view file, std::string_view text);

}  // namespace atalaya::promql
