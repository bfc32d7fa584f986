// Instants of a chunk as bytes (docs/formats/chunk.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atalaya::tsdb {

/// Appends the encoding that is the shortest for these instants: Unix milliseconds, strictly
/// ascending, at least one.
void encode_times(std::span<const std::int64_t> times, std::string& out);

/// Writes `count` instants to `out`. corruption when `bytes` do not hold exactly that many, or they do
/// not ascend. Bytes may come from anywhere.
Status decode_times(std::string_view bytes, std::size_t count, std::int64_t* out);

}  // namespace atalaya::tsdb
