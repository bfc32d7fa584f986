// Silences as rows (docs/formats/control-database.md).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "alerts/silence.h"
#include "db/database.h"

namespace atalaya::alerts {

std::string write_matchers(const Matchers& matchers);
/// Of what `write_matchers` wrote; corruption for anything else.
Result<Matchers> read_matchers(const std::string& text);

Result<std::optional<Silence>> load_silence(db::Session& session, const TenantId& tenant, const std::string& id);
/// In order of their ids.
Result<std::vector<Silence>> load_silences(db::Session& session, const TenantId& tenant);
/// Those that run at that time, in order of their ids.
Result<std::vector<Silence>> load_active_silences(db::Session& session, const TenantId& tenant, Time now);
Status store_silence(db::Session& session, const TenantId& tenant, const Silence& silence);

/// Ids of those that match.
std::vector<std::string> hidden_by(const std::vector<Silence>& active, const Labels& seen);

}  // namespace atalaya::alerts
