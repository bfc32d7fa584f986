#include "ingest/xor_chunk.h"

#include <bit>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "base/time.h"

namespace atalaya::ingest {
namespace {

/// Most significant bit first, behind bytes that are there.
class BitWriter {
 public:
  explicit BitWriter(std::string& out) : out_(out) {}

  void write(std::uint64_t value, unsigned count) {
    while (count > 0) {
      if (free_ == 0) {
        out_.push_back('\0');
        free_ = 8;
      }
      const auto now = std::min(count, free_);
      const auto part = (value >> (count - now)) & ((1U << now) - 1);
      out_.back() = static_cast<char>(static_cast<unsigned char>(out_.back()) | (part << (free_ - now)));
      free_ -= now;
      count -= now;
    }
  }
  /// The bytes of a varint, which need not begin with a byte.
  void write(std::string_view bytes) {
    for (const char c : bytes) write(static_cast<unsigned char>(c), 8);
  }

 private:
  std::string& out_;
  unsigned free_ = 0;  ///< of the last byte
};

bool fits(std::int64_t value, unsigned bits) {
  const auto bound = std::int64_t{1} << (bits - 1);
  return -(bound - 1) <= value && value <= bound;
}

void write_time(BitWriter& out, std::int64_t change) {
  if (change == 0) {
    out.write(0, 1);
  } else if (fits(change, 14)) {
    out.write(0b10, 2);
    out.write(static_cast<std::uint64_t>(change), 14);
  } else if (fits(change, 17)) {
    out.write(0b110, 3);
    out.write(static_cast<std::uint64_t>(change), 17);
  } else if (fits(change, 20)) {
    out.write(0b1110, 4);
    out.write(static_cast<std::uint64_t>(change), 20);
  } else {
    out.write(0b1111, 4);
    out.write(static_cast<std::uint64_t>(change), 64);
  }
}

/// The bits that differ, without the zeros before and behind them where those before had as many.
class Values {
 public:
  explicit Values(double first) : last_(std::bit_cast<std::uint64_t>(first)) {}

  void write(BitWriter& out, double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    const auto differs = bits ^ last_;
    last_ = bits;
    if (differs == 0) return out.write(0, 1);
    out.write(1, 1);
    const auto leading = std::min(static_cast<unsigned>(std::countl_zero(differs)), 31U);
    const auto trailing = static_cast<unsigned>(std::countr_zero(differs));
    const bool in_window = any_ && leading >= leading_ && trailing >= trailing_;
    if (!in_window) {
      any_ = true;
      leading_ = leading;
      trailing_ = trailing;
    }
    const auto width = 64 - leading_ - trailing_;
    out.write(in_window ? 0 : 1, 1);
    if (!in_window) {
      out.write(leading_, 5);
      out.write(width, 6);  // 64 becomes 0, which stands for nothing else
    }
    out.write(differs >> trailing_, width);
  }

 private:
  std::uint64_t last_;
  bool any_ = false;
  unsigned leading_ = 0;
  unsigned trailing_ = 0;
};

}  // namespace

std::string xor_chunk(std::span<const Sample> samples) {
  AT_CHECK(!samples.empty() && samples.size() <= UINT16_MAX);
  std::string out;
  out.push_back(static_cast<char>(samples.size() >> 8));
  out.push_back(static_cast<char>(samples.size() & 0xff));
  BitWriter bits(out);
  Values values(samples[0].value);
  std::int64_t distance = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    std::string varint;
    const auto time = to_ms(samples[i].time);
    if (i == 0) {
      ByteWriter(varint).svarint(time);
      bits.write(varint);
      bits.write(std::bit_cast<std::uint64_t>(samples[0].value), 64);
      continue;
    }
    const auto since = time - to_ms(samples[i - 1].time);
    if (i == 1) {
      ByteWriter(varint).varint(static_cast<std::uint64_t>(since));
      bits.write(varint);
    } else {
      write_time(bits, since - distance);
    }
    distance = since;
    values.write(bits, samples[i].value);
  }
  return out;
}

}  // namespace atalaya::ingest
