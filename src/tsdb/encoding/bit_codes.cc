#include "tsdb/encoding/bit_codes.h"

#include <array>
#include <bit>

#include "base/check.h"
#include "tsdb/encoding/bit_stream.h"

namespace atalaya::tsdb {
namespace {

constexpr unsigned kRiceEscape = 32;  ///< as many zeros say that 64 plain bits follow
constexpr unsigned kMaxRice = 58;
constexpr unsigned kMaxWidths = 63;
constexpr unsigned kMaxUnary = 48;  ///< of widths, so that one look into the bits sees the end of it

using Counts = std::array<std::uint32_t, 65>;

/// How many numbers have which bit width.
Counts count_widths(std::span<const std::uint64_t> numbers) {
  // Two tables: equal neighbours would otherwise wait for each other's increment.
  Counts even{};
  Counts odd{};
  std::size_t i = 0;
  for (; i + 1 < numbers.size(); i += 2) {
    ++even[static_cast<std::size_t>(std::bit_width(numbers[i]))];
    ++odd[static_cast<std::size_t>(std::bit_width(numbers[i + 1]))];
  }
  if (i < numbers.size()) ++even[static_cast<std::size_t>(std::bit_width(numbers[i]))];
  for (std::size_t w = 0; w < even.size(); ++w) even[w] += odd[w];
  return even;
}

/// What is asked of the bits above a parameter k.
struct Above {
  std::uint64_t count = 0;   ///< numbers wider than k
  std::uint64_t widths = 0;  ///< their widths together
  double sum = 0;            ///< and they themselves, nearly
};

struct Cheapest {
  CodeChoice choice;
  double bits;
  void offer(BitCode code, unsigned k, double cost) {
    if (cost < bits) *this = {{code, k}, cost};
  }
};

}  // namespace

CodeChoice choose_code(std::span<const std::uint64_t> numbers) {
  const auto counts = count_widths(numbers);
  unsigned most = 64;
  while (most > 0 && counts[most] == 0) --most;
  if (most == 0) return {};
  const auto n = static_cast<double>(numbers.size());
  const auto zeros = static_cast<double>(counts[0]);
  Cheapest best{{BitCode::kPacked, most}, n * most};
  Above above;
  std::array<Above, 66> past{};
  for (unsigned k = most;; --k) {
    past[k] = above;
    const auto wide = static_cast<double>(above.count);
    const double widths = n * (1 + k) + 2 * static_cast<double>(above.widths) - (2.0 * k + 1) * wide;
    if (k <= kMaxWidths && most - k <= kMaxUnary) {
      best.offer(BitCode::kWidths, k, widths);
      best.offer(BitCode::kFlaggedWidths, k, n + widths - zeros * (1 + k));
    }
    if (k <= kMaxRice) {
      // A number wider than k + 5 escapes; of the others quotients average half less than x / 2^k.
      const auto& out = past[std::min(k + 5, most)];
      const auto escaped = static_cast<double>(out.count);
      const double rice = n * (1 + k) + (above.sum - out.sum) / static_cast<double>(std::uint64_t{1} << k) -
                          (wide - escaped) / 2 + escaped * (kRiceEscape + 64 - k);
      best.offer(BitCode::kRice, k, rice);
      best.offer(BitCode::kFlaggedRice, k, n + rice - zeros * (1 + k));
    }
    if (k == 0) break;
    above.count += counts[k];
    above.widths += std::uint64_t{counts[k]} * k;
    above.sum += counts[k] * 1.46 * static_cast<double>(std::uint64_t{1} << (k - 1));
  }
  return best.choice;
}

namespace {

[[gnu::always_inline]] inline void put_rice(BitOutput& out, std::uint64_t number, unsigned k) {
  const auto quotient = number >> k;
  if (quotient >= kRiceEscape) {
    out.put(std::uint64_t{1} << kRiceEscape, kRiceEscape + 1);
    return out.put_long(number, 64);
  }
  const auto unary = static_cast<unsigned>(quotient);
  const auto low = number & ((std::uint64_t{1} << k) - 1);
  if (unary + 1 + k <= 56) return out.put((low << 1 | 1) << unary, unary + 1 + k);
  out.put(std::uint64_t{1} << unary, unary + 1);
  out.put_long(low, k);
}

[[gnu::always_inline]] inline void put_width(BitOutput& out, std::uint64_t number, unsigned k) {
  const auto width = static_cast<unsigned>(std::bit_width(number));
  const unsigned unary = width > k ? width - k : 0;
  const unsigned rest = unary > 0 ? width - 1 : k;
  const auto low = number & ((std::uint64_t{1} << rest) - 1);
  if (unary + 1 + rest <= 56) return out.put((low << 1 | 1) << unary, unary + 1 + rest);
  out.put(std::uint64_t{1} << unary, unary + 1);
  out.put_long(low, rest);
}

template <typename Put>
void put_flagged(BitOutput& out, std::span<const std::uint64_t> numbers, Put put) {
  for (const auto number : numbers) {
    out.put(number != 0, 1);
    if (number != 0) put(number);
  }
}

/// The most one number can take: a flag, 49 zeros and a one, 63 bits.
constexpr std::size_t kMostBytes = 16;

char* put_all(BitOutput bits, std::span<const std::uint64_t> numbers, CodeChoice choice) {
  const unsigned k = choice.k;
  switch (choice.code) {
    case BitCode::kZeros: break;
    case BitCode::kPacked:
      for (const auto number : numbers) bits.put_long(number, k);
      break;
    case BitCode::kRice:
      for (const auto number : numbers) put_rice(bits, number, k);
      break;
    case BitCode::kWidths:
      for (const auto number : numbers) put_width(bits, number, k);
      break;
    case BitCode::kFlaggedRice:
      put_flagged(bits, numbers, [&](std::uint64_t number) { put_rice(bits, number, k); });
      break;
    case BitCode::kFlaggedWidths:
      put_flagged(bits, numbers, [&](std::uint64_t number) { put_width(bits, number, k); });
      break;
  }
  return bits.end();
}

}  // namespace

void put_numbers(std::span<const std::uint64_t> numbers, CodeChoice choice, std::string& out) {
  if (choice.code == BitCode::kZeros) return;
  const auto before = out.size();
  const auto room = before + numbers.size() * kMostBytes + 8;
  out.resize_and_overwrite(room, [&](char* data, std::size_t) {
    return static_cast<std::size_t>(put_all(BitOutput(data + before), numbers, choice) - data);
  });
}

namespace {

[[gnu::always_inline]] inline bool take_rice(BitInput& in, unsigned k, std::uint64_t& number) {
  const auto bits = in.peek();
  if (bits == 0) return false;
  const auto unary = static_cast<unsigned>(std::countr_zero(bits));
  if (unary < kRiceEscape && unary + 1 + k <= 57) {
    number = std::uint64_t{unary} << k | (bits >> (unary + 1) & ((std::uint64_t{1} << k) - 1));
    in.skip(unary + 1 + k);
    return true;
  }
  if (unary > kRiceEscape) return false;
  in.skip(unary + 1);
  number = unary == kRiceEscape ? in.take_long(64) : std::uint64_t{unary} << k | in.take_long(k);
  return true;
}

[[gnu::always_inline]] inline bool take_width(BitInput& in, unsigned k, std::uint64_t& number) {
  const auto bits = in.peek();
  if (bits == 0) return false;
  const auto unary = static_cast<unsigned>(std::countr_zero(bits));
  const unsigned rest = unary > 0 ? k + unary - 1 : k;
  if (rest > 63) return false;
  const std::uint64_t top = std::uint64_t{unary > 0} << rest;
  if (unary + 1 + rest <= 57) {
    number = top | (bits >> (unary + 1) & ((std::uint64_t{1} << rest) - 1));
    in.skip(unary + 1 + rest);
    return true;
  }
  in.skip(unary + 1);
  number = top | in.take_long(rest);
  return true;
}

template <typename Take>
bool take_all(std::span<std::uint64_t> out, Take take) {
  for (auto& number : out) {
    if (!take(number)) return false;
  }
  return true;
}

template <typename Take>
bool take_flagged(BitInput& in, std::span<std::uint64_t> out, Take take) {
  for (auto& number : out) {
    number = 0;
    if (in.take(1) == 1 && !take(number)) return false;
  }
  return true;
}

}  // namespace

bool take_numbers(std::string_view& bytes, CodeChoice choice, std::span<std::uint64_t> out) {
  BitInput in(bytes);
  const unsigned k = choice.k;
  bool good = false;
  switch (choice.code) {
    case BitCode::kZeros: good = take_all(out, [](std::uint64_t& number) { return number = 0, true; }); break;
    case BitCode::kPacked:
      good = k <= 64 && take_all(out, [&](std::uint64_t& number) { return number = in.take_long(k), true; });
      break;
    case BitCode::kRice:
      good = k <= kMaxRice && take_all(out, [&](std::uint64_t& number) { return take_rice(in, k, number); });
      break;
    case BitCode::kWidths:
      good = k <= kMaxWidths && take_all(out, [&](std::uint64_t& number) { return take_width(in, k, number); });
      break;
    case BitCode::kFlaggedRice:
      good = k <= kMaxRice && take_flagged(in, out, [&](std::uint64_t& number) { return take_rice(in, k, number); });
      break;
    case BitCode::kFlaggedWidths:
      good = k <= kMaxWidths && take_flagged(in, out, [&](std::uint64_t& number) { return take_width(in, k, number); });
      break;
  }
  if (!good || in.bytes_begun() > bytes.size()) return false;
  bytes.remove_prefix(in.bytes_begun());
  return true;
}

}  // namespace atalaya::tsdb
