// docs/formats/chunk.md read literally, a bit at a time: what the fast decoder is compared with.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"

namespace atalaya::tsdb {

/// Of bytes that a writer made. Thread-compatible.
class PlainBits {
 public:
  explicit PlainBits(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t bits(unsigned count) {
    std::uint64_t out = 0;
    for (unsigned i = 0; i < count; ++i, ++at_) {
      AT_CHECK(at_ / 8 < bytes_.size());
      out |= std::uint64_t{static_cast<unsigned char>(bytes_[at_ / 8]) >> (at_ % 8) & 1U} << i;
    }
    return out;
  }
  unsigned zeros() {
    unsigned count = 0;
    while (bits(1) == 0) ++count;
    return count;
  }
  std::size_t bytes() const { return (at_ + 7) / 8; }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

inline std::uint64_t plain_number(PlainBits& in, unsigned code, unsigned k) {
  if (code == 0) return 0;
  if (code == 1) return in.bits(k);
  if (code >= 4) return in.bits(1) == 0 ? 0 : plain_number(in, code - 2, k);
  const auto zeros = in.zeros();
  if (code == 2) return zeros == 32 ? in.bits(64) : (std::uint64_t{zeros} << k) + in.bits(k);
  return zeros == 0 ? in.bits(k) : in.bits(k + zeros - 1) + (std::uint64_t{1} << (k + zeros - 1));
}

inline std::vector<std::uint64_t> plain_integers(ByteReader& in, std::size_t count) {
  const unsigned head = in.u8();
  const unsigned order = head & 3;
  const unsigned base = head >> 2 & 3;
  const unsigned shift = head >> 7 != 0 ? in.u8() : 0;
  const unsigned k = (head >> 4 & 7) != 0 ? in.u8() : 0;
  const auto a = static_cast<std::uint64_t>(in.svarint());
  const auto b = order == 2 || (order == 1 && base != 0) ? static_cast<std::uint64_t>(in.svarint()) : 0;
  auto rest = in;
  PlainBits bits(rest.raw(rest.remaining()));
  std::vector<std::uint64_t> m;
  auto d = b;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t r = 0;
    if (i >= order) {
      r = plain_number(bits, head >> 4 & 7, k);
      if (base != 2) r = r % 2 == 0 ? r / 2 : ~(r / 2);
    }
    if (order == 0) m.push_back(a + (r << shift));
    if (order == 1) m.push_back(i == 0 ? a : m.back() + ((b + r) << shift));
    if (order == 2) m.push_back(i == 0 ? a : m.back() + ((d += r) << shift));
  }
  in.raw(bits.bytes());
  return m;
}

inline double plain_ordered(std::uint64_t m) {
  return std::bit_cast<double>(m >> 63 != 0 ? m ^ 0x7fff'ffff'ffff'ffffU : m);
}

inline std::vector<double> plain_decode_values(std::string_view bytes, std::size_t count) {
  ByteReader in(bytes);
  const unsigned head = in.u8();
  const unsigned scale = head & 31;
  const double power = static_cast<double>(std::llround(std::pow(10, scale % 16)));
  if ((head & 128) != 0) {
    return std::vector<double>(count, scale == 16 ? in.f64() : static_cast<double>(in.svarint()) / power);
  }
  std::vector<std::pair<std::size_t, double>> exceptions;
  if ((head & 32) != 0) {
    std::size_t at = 0;
    double value = std::bit_cast<double>(0x7ff0'0000'0000'0002U);
    for (auto left = in.varint(); left > 0; --left, ++at) {
      const auto word = in.varint();
      if (word % 2 == 1) value = in.f64();
      exceptions.emplace_back(at += word / 2, value);
    }
  }
  std::vector<double> out;
  for (const auto m : plain_integers(in, count)) {
    out.push_back(scale == 16 ? plain_ordered(m) : static_cast<double>(static_cast<std::int64_t>(m)) / power);
  }
  if ((head & 64) != 0) {
    const auto corrections = plain_integers(in, count);
    for (std::size_t i = 0; i < count; ++i) {
      const auto bits = std::bit_cast<std::uint64_t>(out[i]);
      out[i] = plain_ordered((bits >> 63 != 0 ? bits ^ 0x7fff'ffff'ffff'ffffU : bits) + corrections[i]);
    }
  }
  for (const auto& [at, value] : exceptions) out[at] = value;
  AT_CHECK(in.ok() && in.at_end());
  return out;
}

}  // namespace atalaya::tsdb
