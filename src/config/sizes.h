// Numbers of bytes as people write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atalaya::config {

/// `512`, `64kB`, `8MB`, `1GB`, `1TB` (powers of 1000) and `64KiB`, `8MiB`, `1GiB`, `1TiB` (of 1024).
Result<std::uint64_t> parse_bytes(std::string_view text);
/// In the largest binary unit that divides it: `8MiB`, `1000`.
std::string format_bytes(std::uint64_t bytes);

}  // namespace atalaya::config
