// Targets on their way from an agent to its server: answers to calls of the kinds `targets` and `metadata`, as JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "collect/scrape/scraper.h"

namespace atalaya::collect::scrape {

/// docs/formats/agent-protocol.md, "Calls".
std::string targets_text(const TargetsView& view);
/// invalid_argument for what is no such text. Fields that are not known are passed over.
Result<TargetsView> read_targets_text(std::string_view text);

/// The same of what the targets say of their metrics: the answer to a call of kind `metadata`.
std::string metadata_text(const std::vector<TargetMetadata>& all);
Result<std::vector<TargetMetadata>> read_metadata_text(std::string_view text);

}  // namespace atalaya::collect::scrape
