#include "tsdb/encoding/values.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "model/sample.h"
#include "tsdb/encoding/integers.h"
#include "tsdb/encoding/scale.h"

namespace atalaya::tsdb {
namespace {

constexpr unsigned kScaleBits = 0x1f;
constexpr unsigned kExceptions = 0x20;
constexpr unsigned kCorrections = 0x40;
constexpr unsigned kConstant = 0x80;

/// Beyond, rounding by adding a large number is no longer exact.
constexpr double kMaxScaled = 0x1p50;
/// A corrected mantissa is smaller, so that a double without a short decimal is not taken for one.
constexpr double kMaxCorrected = 0x1p44;
constexpr std::int64_t kMaxCorrection = 8;

/// No number has them as a value; they are kept beside the numbers. −0 too, since 0 is a number.
bool exceptional(double v, unsigned scale) {
  return !std::isfinite(v) || (scale != kBitsScale && v == 0 && std::signbit(v));
}

/// The nearest whole number; |v| ≤ 2^50.
std::int64_t nearest(double v) {
  constexpr double kMagic = 0x1.8p52;
  return std::bit_cast<std::int64_t>(v + kMagic) - std::bit_cast<std::int64_t>(kMagic);
}

/// v = from_decimal(mantissa, exponent) moved by `correction` neighbours.
struct Decimal {
  std::int64_t mantissa = 0;
  std::int64_t correction = 0;
};

bool to_decimal(double v, unsigned exponent, Decimal& out) {
  const double scaled = v * kPowersOfTen[exponent];
  if (!(std::fabs(scaled) <= kMaxScaled)) {
    // A whole number of any size is its own mantissa; up to 2^53 there are others.
    if (exponent != 0 || !(std::fabs(v) < 0x1p63)) return false;
    out = {static_cast<std::int64_t>(v), 0};
    return static_cast<double>(out.mantissa) == v;
  }
  out.mantissa = nearest(scaled);
  const double back = from_decimal(out.mantissa, exponent);
  out.correction = 0;
  if (std::bit_cast<std::uint64_t>(back) == std::bit_cast<std::uint64_t>(v)) return true;
  out.correction = minus(ordered_bits(v), ordered_bits(back));
  return std::fabs(scaled) <= kMaxCorrected && out.correction >= -kMaxCorrection && out.correction <= kMaxCorrection;
}

/// What most values are, in few instructions: exactly a decimal of this exponent.
[[gnu::always_inline]] inline bool to_whole(double v, unsigned exponent, std::int64_t& mantissa) {
  const double scaled = v * kPowersOfTen[exponent];
  if (!(std::fabs(scaled) <= kMaxScaled)) return false;
  const auto whole = nearest(scaled);
  if (from_decimal(whole, exponent) != v) return false;
  mantissa = whole;
  return true;
}

/// The least exponent from `least` on at which `v` is a decimal; kBitsScale when there is none.
unsigned find_exponent(double v, unsigned least) {
  Decimal ignored;
  for (unsigned exponent = least; exponent <= kMaxExponent; ++exponent) {
    if (to_decimal(v, exponent, ignored)) return exponent;
  }
  return kBitsScale;
}

/// From a few values: most chunks then need one pass.
unsigned guess_scale(std::span<const double> values) {
  unsigned scale = 0;
  for (std::size_t i = 0; i < 4 && scale != kBitsScale; ++i) {
    const double v = values[i * (values.size() - 1) / 3];
    if (!exceptional(v, 0)) scale = std::max(scale, find_exponent(v, scale));
  }
  return scale;
}

struct Columns {
  std::vector<std::int64_t> mantissas;
  std::vector<std::int64_t> corrections;
  std::vector<std::uint32_t> exceptions;  ///< where
  bool corrected = false;
};

/// The scale at which the next attempt may succeed; `scale` itself when this one did.
unsigned try_scale(std::span<const double> values, unsigned scale, Columns& out) {
  out.exceptions.clear();
  out.corrected = false;
  std::int64_t last = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    Decimal decimal{last, 0};
    if (exceptional(values[i], scale)) {
      out.exceptions.push_back(static_cast<std::uint32_t>(i));
    } else if (scale == kBitsScale) {
      decimal.mantissa = ordered_bits(values[i]);
    } else if (!to_whole(values[i], scale, decimal.mantissa) && !to_decimal(values[i], scale, decimal)) {
      return scale < kMaxExponent ? find_exponent(values[i], scale + 1) : kBitsScale;
    }
    last = out.mantissas[i] = decimal.mantissa;
    out.corrections[i] = decimal.correction;
    out.corrected |= decimal.correction != 0;
  }
  return scale;
}

unsigned to_columns(std::span<const double> values, Columns& out) {
  out.mantissas.resize(values.size());
  out.corrections.resize(values.size());
  unsigned scale = guess_scale(values);
  while (true) {
    const auto next = try_scale(values, scale, out);
    if (next == scale) return scale;
    scale = next;
  }
}

void put_exceptions(std::span<const double> values, const Columns& columns, ByteWriter& out) {
  out.varint(columns.exceptions.size());
  std::uint32_t after = 0;
  auto bits = kStaleBits;
  for (const auto at : columns.exceptions) {
    const auto own = std::bit_cast<std::uint64_t>(values[at]);
    out.varint(std::uint64_t{at - after} << 1 | (own != bits ? 1 : 0));
    if (own != bits) out.u64(own);
    bits = own;
    after = at + 1;
  }
}

void put_constant(double value, std::string& out) {
  ByteWriter writer(out);
  const auto scale = exceptional(value, 0) ? kBitsScale : find_exponent(value, 0);
  Decimal decimal;
  if (scale == kBitsScale || !to_decimal(value, scale, decimal) || decimal.correction != 0) {
    writer.u8(kConstant | kBitsScale);
    return writer.u64(std::bit_cast<std::uint64_t>(value));
  }
  writer.u8(static_cast<std::uint8_t>(kConstant | scale));
  writer.svarint(decimal.mantissa);
}

}  // namespace

void encode_values(std::span<const double> values, std::string& out) {
  AT_CHECK(!values.empty());
  const auto first = std::bit_cast<std::uint64_t>(values[0]);
  if (std::ranges::all_of(values, [first](double v) { return std::bit_cast<std::uint64_t>(v) == first; })) {
    return put_constant(values[0], out);
  }
  // Kept between calls: a chunk allocates nothing.
  thread_local Columns columns;
  const auto scale = to_columns(values, columns);
  ByteWriter writer(out);
  writer.u8(static_cast<std::uint8_t>(scale | (columns.exceptions.empty() ? 0 : kExceptions) |
                                      (columns.corrected ? kCorrections : 0)));
  if (!columns.exceptions.empty()) put_exceptions(values, columns, writer);
  encode_integers(columns.mantissas, out);
  if (columns.corrected) encode_integers(columns.corrections, out);
}

namespace {

struct Exception {
  std::size_t at = 0;
  double value = 0;
};

bool take_exceptions(ByteReader& in, std::size_t count, std::vector<Exception>& out) {
  const auto exceptions = in.varint();
  if (exceptions > count) return false;
  std::uint64_t at = 0;
  auto bits = kStaleBits;
  for (std::uint64_t i = 0; i < exceptions; ++i) {
    const auto gap = in.varint();
    if ((gap & 1) != 0) bits = in.u64();
    if (gap >> 1 >= count - at) return false;
    at += gap >> 1;
    out.push_back({at, std::bit_cast<double>(bits)});
    ++at;
    if (at == count && i + 1 < exceptions) return false;
  }
  return in.ok();
}

void from_numbers(std::span<const std::int64_t> numbers, unsigned scale, double* out) {
  if (scale == kBitsScale) {
    for (std::size_t i = 0; i < numbers.size(); ++i) out[i] = from_ordered_bits(numbers[i]);
  } else if (scale == 0) {
    for (std::size_t i = 0; i < numbers.size(); ++i) out[i] = static_cast<double>(numbers[i]);
  } else {
    for (std::size_t i = 0; i < numbers.size(); ++i) out[i] = from_decimal(numbers[i], scale);
  }
}

bool take_constant(ByteReader& in, unsigned scale, std::size_t count, double* out) {
  const double value = scale == kBitsScale ? in.f64() : from_decimal(in.svarint(), scale);
  if (!in.ok() || !in.at_end()) return false;
  std::fill_n(out, count, value);
  return true;
}

bool take_values(std::string_view bytes, std::size_t count, double* out) {
  ByteReader reader(bytes);
  const unsigned head = reader.u8();
  const unsigned scale = head & kScaleBits;
  if (!reader.ok() || scale > kBitsScale) return false;
  if ((head & kConstant) != 0) return (head & ~kScaleBits) == kConstant && take_constant(reader, scale, count, out);
  thread_local std::vector<std::int64_t> numbers;
  thread_local std::vector<Exception> exceptions;
  exceptions.clear();
  if ((head & kExceptions) != 0 && !take_exceptions(reader, count, exceptions)) return false;
  bytes.remove_prefix(bytes.size() - reader.remaining());
  numbers.resize(count);
  if (!decode_integers(bytes, count, numbers.data())) return false;
  from_numbers(numbers, scale, out);
  if ((head & kCorrections) != 0) {
    if (!decode_integers(bytes, count, numbers.data())) return false;
    for (std::size_t i = 0; i < count; ++i) out[i] = from_ordered_bits(plus(ordered_bits(out[i]), numbers[i]));
  }
  for (const auto& exception : exceptions) out[exception.at] = exception.value;
  return bytes.empty();
}

}  // namespace

Status decode_values(std::string_view bytes, std::size_t count, double* out) {
  if (count > 0 && take_values(bytes, count, out)) return {};
  return fail(ErrorCode::kCorruption, "a column of values does not decode");
}

}  // namespace atalaya::tsdb
