// How numbers without sign become bits (docs/formats/chunk.md, "Codes").
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace atalaya::tsdb {

enum class BitCode : std::uint8_t { kZeros, kPacked, kRice, kWidths, kFlaggedRice, kFlaggedWidths };
constexpr unsigned kBitCodes = 6;

/// A code and its parameter, at most 64 for packed, 63 for widths and 58 for Rice.
struct CodeChoice {
  BitCode code = BitCode::kZeros;
  unsigned k = 0;
};

/// The code that needs the fewest bits; Rice is estimated.
CodeChoice choose_code(std::span<const std::uint64_t> numbers);
/// Appends whole bytes, the bits above the last number zero.
void put_numbers(std::span<const std::uint64_t> numbers, CodeChoice choice, std::string& out);
/// Takes whole bytes off the front. False when the numbers are not there.
bool take_numbers(std::string_view& bytes, CodeChoice choice, std::span<std::uint64_t> out);

}  // namespace atalaya::tsdb
