// Whole numbers of a column as bytes: what values and instants share (docs/formats/chunk.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace atalaya::tsdb {

constexpr std::uint64_t zigzag(std::int64_t v) {
  return (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t v) { return static_cast<std::int64_t>((v >> 1) ^ (~(v & 1) + 1)); }
/// Wrapping: any two numbers have a difference, and adding it gives the second again.
constexpr std::int64_t plus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
constexpr std::int64_t minus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

/// Appends at least one number.
void encode_integers(std::span<const std::int64_t> in, std::string& out);
/// Takes `count` numbers off the front of `bytes`. False when they are not there; bytes may come from
/// anywhere.
bool decode_integers(std::string_view& bytes, std::size_t count, std::int64_t* out);

}  // namespace atalaya::tsdb
