// A run of samples of one series, compressed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/sample.h"

namespace atalaya::tsdb {

/// Times as differences of differences. Values, when all are decimals of at most six places, as
/// differences of whole numbers, else as XOR with the one before (Pelkonen et al., "Gorilla",
/// VLDB 2015). Immutable.
struct Chunk {
  Time first;
  Time last;
  std::uint32_t count = 0;
  std::string bytes;
};
using ChunkPtr = std::shared_ptr<const Chunk>;

/// Of at least one sample, ascending in time.
ChunkPtr encode_chunk(std::span<const Sample> samples);
/// Appends `count` samples to `out`. corruption when the bytes do not hold that many, or go on after
/// them; `out` is then of no use. Bytes may come from anywhere.
Status decode_chunk(std::string_view bytes, std::size_t count, std::vector<Sample>& out);
/// Of a chunk made here, which always decodes.
void decode_chunk(const Chunk& chunk, std::vector<Sample>& out);

/// The least e from 0 to 6 such that v is exactly m / 10^e with |m| ≤ 2^53, and that m; -1 if there
/// is none.
int decimal_exponent(double value, std::int64_t& mantissa);
double from_decimal(std::int64_t mantissa, int exponent);

}  // namespace atalaya::tsdb
