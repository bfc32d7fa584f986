// Lists of ordinals as bytes (docs/formats/index.md).
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace atalaya::tsdb::index {

/// Ordinals without gaps: [begin, end).
struct Run {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

enum class ListKind : std::uint8_t { kGaps, kRuns, kBits };

/// Appends the shortest form. Runs ascend, at least one, and do not touch.
ListKind write_list(std::span<const Run> runs, std::string& out);

/// As ByteWriter's, inline.
inline void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

/// Reads varints of hostile bytes, inline: lists are the one place where it counts.
class ListReader {
 public:
  explicit ListReader(std::string_view bytes)
      : at_(reinterpret_cast<const std::uint8_t*>(bytes.data())), end_(at_ + bytes.size()) {}
  bool at_end() const { return at_ == end_; }
  std::uint8_t byte() { return *at_++; }
  /// False past the end or above 2^35.
  bool varint(std::uint64_t& out) {
    if (at_ != end_ && *at_ < 0x80) {
      out = *at_++;
      return true;
    }
    out = 0;
    for (int shift = 0; shift < 35 && at_ != end_; shift += 7) {
      const auto byte = *at_++;
      out |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

/// Calls `take(Run)` in ascending order; it answers false to stop. False when the list is not `count`
/// ordinals below `bound`: runs given before that are within bounds and ascend.
template <typename Take>
bool read_list(ListKind kind, std::string_view bytes, std::uint32_t count, std::uint32_t bound, Take take) {
  ListReader reader(bytes);
  std::uint64_t next = 0;  ///< the least that may come
  std::uint64_t seen = 0;
  std::uint64_t gap = 0;
  switch (kind) {
    case ListKind::kGaps:
      while (!reader.at_end()) {
        if (!reader.varint(gap) || (next += gap) >= bound) return false;
        const auto ordinal = static_cast<std::uint32_t>(next++);
        ++seen;
        if (!take(Run{ordinal, ordinal + 1})) return true;
      }
      return seen == count;
    case ListKind::kRuns:
      while (!reader.at_end()) {
        std::uint64_t more = 0;
        if (!reader.varint(gap) || !reader.varint(more)) return false;
        const auto begin = next + gap;
        const auto end = begin + more + 1;
        if (end > bound) return false;
        next = end + 1;
        seen += more + 1;
        if (!take(Run{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)})) return true;
      }
      return seen == count;
    case ListKind::kBits: {
      std::uint64_t first = 0;
      if (!reader.varint(first) || reader.at_end()) return false;
      std::uint8_t bits = 0;
      for (first *= 8; !reader.at_end(); first += 8) {
        bits = reader.byte();
        for (auto left = bits; left != 0;) {
          const auto low = std::countr_zero(left);
          const auto length = std::countr_one(static_cast<std::uint8_t>(left >> low));
          const auto begin = first + static_cast<std::uint64_t>(low);
          const auto end = begin + static_cast<std::uint64_t>(length);
          if (end > bound) return false;
          seen += static_cast<std::uint64_t>(length);
          if (!take(Run{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)})) return true;
          left = static_cast<std::uint8_t>(left & ~(((1u << length) - 1) << low));
        }
      }
      return seen == count && bits != 0;
    }
  }
  return false;
}

}  // namespace atalaya::tsdb::index
