#include "tsdb/chunk.h"

#include <array>
#include <bit>
#include <cmath>

#include "base/check.h"
#include "tsdb/bits.h"

namespace atalaya::tsdb {
namespace {

constexpr std::array<double, 7> kPowers{1, 10, 100, 1000, 10000, 100000, 1000000};
constexpr int kXor = 7;  // in the place of an exponent
constexpr std::int64_t kMaxMantissa = std::int64_t{1} << 53;
constexpr std::array kTimeWidths{7, 11, 16, 24};

std::uint64_t zigzag(std::int64_t v) {
  return (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63);
}
std::int64_t unzigzag(std::uint64_t v) { return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1); }

/// Wrapping: any two times have a difference, and adding it gives the second again.
std::int64_t minus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
std::int64_t plus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

/// 0 · 10+7 · 110+11 · 1110+16 · 11110+24 · 11111+64 bits.
void put_time(BitWriter& out, std::int64_t change) {
  if (change == 0) return out.put(0, 1);
  const auto value = zigzag(change);
  for (std::size_t i = 0; i < kTimeWidths.size(); ++i) {
    if (value >> kTimeWidths[i] != 0) continue;
    out.put((2U << (i + 1)) - 2, static_cast<int>(i) + 2);
    return out.put(value, kTimeWidths[i]);
  }
  out.put(31, 5);
  out.put(value, 64);
}

std::int64_t get_time(BitReader& in) {
  if (in.get(1) == 0) return 0;
  for (const int width : kTimeWidths) {
    if (in.get(1) == 0) return unzigzag(in.get(width));
  }
  return unzigzag(in.get(64));
}

/// 0 · 1 + three bits of byte count − 1 + bytes.
void put_difference(BitWriter& out, std::int64_t difference) {
  if (difference == 0) return out.put(0, 1);
  const auto value = zigzag(difference);
  const int bytes = (std::bit_width(value) + 7) / 8;
  out.put(8U + static_cast<unsigned>(bytes - 1), 4);
  out.put(value, bytes * 8);
}

std::int64_t get_difference(BitReader& in) {
  if (in.get(1) == 0) return 0;
  const auto bytes = static_cast<int>(in.get(3)) + 1;
  return unzigzag(in.get(bytes * 8));
}

/// The window of bits that differed last time.
struct XorState {
  std::uint64_t value = 0;
  int leading = 65;  ///< none yet
  int trailing = 0;
};

/// 0 · 10 + the bits in the last window · 11 + five bits leading + six bits length − 1 + bits.
void put_xor(BitWriter& out, XorState& state, double v) {
  const auto bits = std::bit_cast<std::uint64_t>(v);
  const auto changed = bits ^ state.value;
  state.value = bits;
  if (changed == 0) return out.put(0, 1);
  const int leading = std::min(std::countl_zero(changed), 31);
  const int trailing = std::countr_zero(changed);
  if (leading >= state.leading && trailing >= state.trailing) {
    out.put(2, 2);
    return out.put(changed >> state.trailing, 64 - state.leading - state.trailing);
  }
  state.leading = leading;
  state.trailing = trailing;
  const int length = 64 - leading - trailing;
  out.put(3, 2);
  out.put(static_cast<std::uint64_t>(leading), 5);
  out.put(static_cast<std::uint64_t>(length - 1), 6);
  out.put(changed >> trailing, length);
}

bool get_xor(BitReader& in, XorState& state, double& v) {
  if (in.get(1) == 1) {
    if (in.get(1) == 1) {
      state.leading = static_cast<int>(in.get(5));
      const int length = static_cast<int>(in.get(6)) + 1;
      state.trailing = 64 - state.leading - length;
    }
    if (state.leading > 64 || state.trailing < 0) return false;
    state.value ^= in.get(64 - state.leading - state.trailing) << state.trailing;
  }
  v = std::bit_cast<double>(state.value);
  return true;
}

/// One exponent for all, or kXor.
int common_exponent(std::span<const Sample> samples) {
  int exponent = 0;
  for (const auto& sample : samples) {
    std::int64_t mantissa = 0;
    const int own = decimal_exponent(sample.value, mantissa);
    if (own < 0) return kXor;
    exponent = std::max(exponent, own);
  }
  for (const auto& sample : samples) {
    const double scaled = std::round(sample.value * kPowers[static_cast<std::size_t>(exponent)]);
    if (!(std::fabs(scaled) <= static_cast<double>(kMaxMantissa))) return kXor;
    const auto back = from_decimal(static_cast<std::int64_t>(scaled), exponent);
    if (std::bit_cast<std::uint64_t>(back) != std::bit_cast<std::uint64_t>(sample.value)) return kXor;
  }
  return exponent;
}

}  // namespace

int decimal_exponent(double value, std::int64_t& mantissa) {
  if (!(std::fabs(value) <= static_cast<double>(kMaxMantissa))) return -1;
  for (std::size_t e = 0; e < kPowers.size(); ++e) {
    const double scaled = std::round(value * kPowers[e]);
    if (!(std::fabs(scaled) <= static_cast<double>(kMaxMantissa))) return -1;
    const auto whole = static_cast<std::int64_t>(scaled);
    const double back = from_decimal(whole, static_cast<int>(e));
    if (std::bit_cast<std::uint64_t>(back) != std::bit_cast<std::uint64_t>(value)) continue;
    mantissa = whole;
    return static_cast<int>(e);
  }
  return -1;
}

double from_decimal(std::int64_t mantissa, int exponent) {
  return static_cast<double>(mantissa) / kPowers[static_cast<std::size_t>(exponent)];
}

ChunkPtr encode_chunk(std::span<const Sample> samples) {
  AT_CHECK(!samples.empty());
  auto chunk = std::make_shared<Chunk>();
  chunk->first = samples.front().time;
  chunk->last = samples.back().time;
  chunk->count = static_cast<std::uint32_t>(samples.size());
  std::string bytes;
  BitWriter out(bytes);
  const int exponent = common_exponent(samples);
  out.put(static_cast<std::uint64_t>(exponent), 3);
  std::int64_t time = 0;
  std::int64_t step = 0;
  std::int64_t mantissa = 0;
  XorState state;
  for (const auto& sample : samples) {
    const auto next_step = minus(to_ms(sample.time), time);
    put_time(out, minus(next_step, step));
    // The first difference is the time itself, no step that the second could resemble.
    step = &sample == &samples.front() ? 0 : next_step;
    time = to_ms(sample.time);
    if (exponent == kXor) {
      put_xor(out, state, sample.value);
    } else {
      const auto whole =
          static_cast<std::int64_t>(std::round(sample.value * kPowers[static_cast<std::size_t>(exponent)]));
      put_difference(out, whole - mantissa);
      mantissa = whole;
    }
  }
  bytes.shrink_to_fit();
  chunk->bytes = std::move(bytes);
  return chunk;
}

Status decode_chunk(std::string_view bytes, std::size_t count, std::vector<Sample>& out) {
  BitReader in(bytes);
  const int exponent = static_cast<int>(in.get(3));
  std::int64_t time = 0;
  std::int64_t step = 0;
  std::int64_t mantissa = 0;
  XorState state;
  for (std::size_t i = 0; i < count; ++i) {
    step = plus(step, get_time(in));
    time = plus(time, step);
    if (i == 0) step = 0;
    double value = 0;
    bool good = true;
    if (exponent == kXor) {
      good = get_xor(in, state, value);
    } else {
      mantissa = plus(mantissa, get_difference(in));
      value = from_decimal(mantissa, exponent);
    }
    if (!good || !in.ok()) return fail(ErrorCode::kCorruption, "a chunk ends before its samples do");
    out.push_back(Sample{from_ms(time), value});
  }
  if (!in.at_end()) return fail(ErrorCode::kCorruption, "a chunk goes on after its samples");
  return {};
}

void decode_chunk(const Chunk& chunk, std::vector<Sample>& out) {
  AT_CHECK(decode_chunk(chunk.bytes, chunk.count, out).has_value());
}

}  // namespace atalaya::tsdb
