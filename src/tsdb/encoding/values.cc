#include "tsdb/encoding/values.h"

#include <algorithm>
#include <bit>

#include "base/bytes.h"
#include "base/check.h"

namespace atalaya::tsdb {
namespace {

enum Kind : std::uint8_t { kConstant, kXor };

}  // namespace

void encode_values(std::span<const double> values, std::string& out) {
  AT_CHECK(!values.empty());
  ByteWriter writer(out);
  const auto first = std::bit_cast<std::uint64_t>(values[0]);
  const bool constant =
      std::ranges::all_of(values, [first](double v) { return std::bit_cast<std::uint64_t>(v) == first; });
  writer.u8(constant ? kConstant : kXor);
  writer.u64(first);
  if (constant) return;
  for (std::size_t i = 1; i < values.size(); ++i) {
    writer.varint(
        __builtin_bswap64(std::bit_cast<std::uint64_t>(values[i]) ^ std::bit_cast<std::uint64_t>(values[i - 1])));
  }
}

Status decode_values(std::string_view bytes, std::size_t count, double* out) {
  ByteReader reader(bytes);
  const auto kind = reader.u8();
  if (kind > kXor || count == 0) return fail(ErrorCode::kCorruption, "values: unknown encoding");
  auto bits = reader.u64();
  for (std::size_t i = 0; i < count; ++i) {
    if (kind == kXor && i > 0) bits ^= __builtin_bswap64(reader.varint());
    out[i] = std::bit_cast<double>(bits);
  }
  if (!reader.ok() || !reader.at_end()) return fail(ErrorCode::kCorruption, "values do not fill their bytes");
  return {};
}

}  // namespace atalaya::tsdb
