// Doubles as whole numbers, exactly (docs/formats/chunk.md, "Scales").
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace atalaya::tsdb {

constexpr unsigned kMaxExponent = 15;
constexpr unsigned kBitsScale = 16;  ///< in the place of an exponent: the bits of the double themselves

constexpr std::array<double, kMaxExponent + 1> kPowersOfTen{1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                            1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

/// A double's bits as a number that grows with it, and that of −0 just below that of 0.
constexpr std::int64_t ordered_bits(double v) {
  const auto bits = std::bit_cast<std::int64_t>(v);
  return bits < 0 ? bits ^ INT64_MAX : bits;
}
constexpr double from_ordered_bits(std::int64_t bits) {
  return std::bit_cast<double>(bits < 0 ? bits ^ INT64_MAX : bits);
}
/// Correctly rounded, so that the decimal that somebody wrote comes back as he wrote it.
constexpr double from_decimal(std::int64_t mantissa, unsigned exponent) {
  return static_cast<double>(mantissa) / kPowersOfTen[exponent];
}

}  // namespace atalaya::tsdb
