// A node with an agent.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/time.h"

namespace atalaya::registry {

enum class HostState : std::uint8_t {
  kNever,  ///< enrolled, but has not been heard of yet
  kUp,
  kDown,
};
/// `never`, `up`, `down`.
std::string_view name(HostState state);

/// Names are unique within a tenant: an agent that enrols under the name of an existing host is that
/// host (it got a new credential), see Hosts::enrolled.
struct Host {
  AgentId id;
  TenantId tenant;
  std::string name;     ///< the `instance` label of its series
  std::string version;  ///< of its agent
  std::map<std::string, std::string> facts;
  HostState state = HostState::kNever;
  Time created;
  std::optional<Time> first_seen;
  std::optional<Time> last_seen;
};

}  // namespace atalaya::registry
