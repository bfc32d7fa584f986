// What the agent of a host is told to measure, and whether that fits into a message to it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "packages/world.h"

namespace atalaya::packages {

/// The configuration as docs/formats/agent-protocol.md describes it.
std::string agent_configuration(const Slots& slots, std::string_view host, std::uint64_t revision);

/// An error where the plan makes the configuration of one of `hosts`, or of a host of any other name, longer
/// than `most_bytes` and longer than it was. It stands at the longest collector that the plan brings there.
std::optional<PackageError> too_long_for_agents(const World& world, const Plan& plan, std::vector<std::string> hosts,
                                                std::size_t most_bytes);

}  // namespace atalaya::packages
