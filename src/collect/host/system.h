// What a machine says about its distribution.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace atalaya::collect::host {

/// os-release(5) under node_os_info's label names; empty when there is none.
std::vector<std::pair<std::string, std::string>> os_release(const std::string& root);

}  // namespace atalaya::collect::host
