// What PromQL's functions are called, for those who say what was meant.
#pragma once

#include <string>
#include <vector>

namespace atalaya::promql {

/// Of all of them, sorted.
std::vector<std::string> function_names();

}  // namespace atalaya::promql
