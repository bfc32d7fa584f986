#include "tsdb/encoding/times.h"

#include "base/bytes.h"
#include "base/check.h"

namespace atalaya::tsdb {
namespace {

enum Kind : std::uint8_t { kStep, kSteps };

std::uint64_t gap(std::int64_t from, std::int64_t to) {
  return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
}

bool steady(std::span<const std::int64_t> times) {
  for (std::size_t i = 2; i < times.size(); ++i) {
    if (gap(times[i - 1], times[i]) != gap(times[0], times[1])) return false;
  }
  return true;
}

}  // namespace

void encode_times(std::span<const std::int64_t> times, std::string& out) {
  AT_CHECK(!times.empty());
  ByteWriter writer(out);
  const std::uint64_t step = times.size() > 1 ? gap(times[0], times[1]) : 0;
  const bool constant = steady(times);
  writer.u8(constant ? kStep : kSteps);
  writer.svarint(times[0]);
  if (times.size() == 1) return;
  writer.varint(step);
  if (constant) return;
  for (std::size_t i = 2; i < times.size(); ++i) {
    writer.svarint(static_cast<std::int64_t>(gap(times[i - 1], times[i]) - gap(times[i - 2], times[i - 1])));
  }
}

Status decode_times(std::string_view bytes, std::size_t count, std::int64_t* out) {
  ByteReader reader(bytes);
  const auto kind = reader.u8();
  if (kind > kSteps || count == 0) return fail(ErrorCode::kCorruption, "instants: unknown encoding");
  out[0] = reader.svarint();
  std::uint64_t step = count > 1 ? reader.varint() : 0;
  for (std::size_t i = 1; i < count; ++i) {
    if (kind == kSteps && i > 1) step += static_cast<std::uint64_t>(reader.svarint());
    out[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(out[i - 1]) + step);
    if (out[i] <= out[i - 1]) return fail(ErrorCode::kCorruption, "instants do not ascend");
  }
  if (!reader.ok() || !reader.at_end()) return fail(ErrorCode::kCorruption, "instants do not fill their bytes");
  return {};
}

}  // namespace atalaya::tsdb
