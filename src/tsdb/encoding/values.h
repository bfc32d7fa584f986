// Values of a chunk as bytes (docs/formats/chunk.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atalaya::tsdb {

/// Appends the encoding that is the shortest for these values, at least one. Every bit of every value
/// comes back: NaN payloads (stale markers), −0, infinities, subnormals.
void encode_values(std::span<const double> values, std::string& out);

/// Writes `count` values to `out`. corruption when `bytes` do not hold exactly that many. Bytes may
/// come from anywhere.
Status decode_values(std::string_view bytes, std::size_t count, double* out);

}  // namespace atalaya::tsdb
