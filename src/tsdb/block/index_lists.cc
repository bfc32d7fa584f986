#include "tsdb/block/index_lists.h"

#include <algorithm>

#include "base/bytes.h"

namespace atalaya::tsdb::index {
namespace {

std::uint64_t varint_bytes(std::uint64_t value) { return (std::bit_width(value | 1) + 6) / 7; }

struct Lengths {
  std::uint64_t gaps = 0;
  std::uint64_t runs = 0;
  std::uint64_t bits = 0;
};

Lengths measure(std::span<const Run> runs) {
  Lengths out;
  std::uint64_t end = 0;
  for (const auto& run : runs) {
    out.gaps += varint_bytes(run.begin - end) + (run.end - run.begin - 1);
    out.runs += varint_bytes(run.begin - end - (end > 0)) + varint_bytes(run.end - run.begin - 1);
    end = run.end;
  }
  const auto first = runs.front().begin / 8;
  out.bits = varint_bytes(first) + (end - 1) / 8 - first + 1;
  return out;
}

void write_gaps(std::span<const Run> runs, ByteWriter& writer) {
  std::uint32_t next = 0;
  for (const auto& run : runs) {
    for (auto ordinal = run.begin; ordinal < run.end; ++ordinal) {
      writer.varint(ordinal - next);
      next = ordinal + 1;
    }
  }
}

void write_runs(std::span<const Run> runs, ByteWriter& writer) {
  std::uint32_t next = 0;
  for (const auto& run : runs) {
    writer.varint(run.begin - next);
    writer.varint(run.end - run.begin - 1);
    next = run.end + 1;
  }
}

void write_bits(std::span<const Run> runs, std::string& out) {
  const auto first = runs.front().begin / 8;
  ByteWriter(out).varint(first);
  const auto before = out.size();
  out.resize(before + (runs.back().end - 1) / 8 - first + 1);
  for (const auto& run : runs) {
    for (auto ordinal = run.begin; ordinal < run.end; ++ordinal) {
      auto& byte = out[before + ordinal / 8 - first];
      byte = static_cast<char>(static_cast<std::uint8_t>(byte) | 1u << ordinal % 8);
    }
  }
}

}  // namespace

ListKind write_list(std::span<const Run> runs, std::string& out) {
  const auto lengths = measure(runs);
  ByteWriter writer(out);
  if (lengths.gaps <= std::min(lengths.runs, lengths.bits)) {
    write_gaps(runs, writer);
    return ListKind::kGaps;
  }
  if (lengths.runs <= lengths.bits) {
    write_runs(runs, writer);
    return ListKind::kRuns;
  }
  write_bits(runs, out);
  return ListKind::kBits;
}

}  // namespace atalaya::tsdb::index
