// `….block.damaged.lost`, beside a block that was set aside: who lost something by it. docs/formats/block.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "io/file_system.h"

namespace atalaya::tsdb {

constexpr std::string_view kLostTenants = ".lost";

/// Beside the file that was set aside.
Status write_lost_tenants(io::FileSystem& files, const std::string& set_aside, const std::vector<TenantId>& lost);
/// Empty where nobody knows, because the file is absent or does not read: then it may be everybody.
std::vector<TenantId> read_lost_tenants(io::FileSystem& files, const std::string& set_aside);

}  // namespace atalaya::tsdb
