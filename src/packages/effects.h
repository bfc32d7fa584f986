// What a change will do, in words: "2 rules change", "1 collector starts on 14 hosts".
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "packages/world.h"

namespace atalaya::packages {

/// Compares what runs with what the plan would run. `count_hosts` may be empty. Sentences by section.
std::vector<std::string> effects_of(const World& world, const Plan& plan,
                                    const std::function<std::size_t(const HostSelector&)>& count_hosts);

}  // namespace atalaya::packages
