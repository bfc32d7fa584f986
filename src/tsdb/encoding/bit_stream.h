// Bits in bytes, lowest first: fast enough for one number in two nanoseconds.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace atalaya::tsdb {

static_assert(std::endian::native == std::endian::little, "whole words are stored as they are");

/// Writes where the caller has made room: all the bits and eight bytes more. Thread-compatible.
class BitOutput {
 public:
  explicit BitOutput(char* at) : at_(at) {}
  /// The lowest `count` ≤ 56 bits of `bits`; those above are zero.
  void put(std::uint64_t bits, unsigned count) {
    word_ |= bits << used_;
    used_ += count;
    std::memcpy(at_, &word_, sizeof word_);
    at_ += used_ / 8;
    word_ >>= used_ & ~7U;
    used_ &= 7;
  }
  /// Up to 64 of them.
  void put_long(std::uint64_t bits, unsigned count) {
    if (count > 32) {
      put(bits & 0xffffffffU, 32);
      bits >>= 32;
      count -= 32;
    }
    put(bits, count);
  }
  /// Past the last byte begun.
  char* end() const { return at_ + (used_ > 0); }

 private:
  char* at_;
  std::uint64_t word_ = 0;
  unsigned used_ = 0;  ///< of `word_`, less than eight between calls
};

/// Past the end it reads zeros and goes on counting. Thread-compatible.
class BitInput {
 public:
  explicit BitInput(std::string_view bytes) : bytes_(bytes.data()), size_(bytes.size()) {
    const auto tail = std::min<std::size_t>(size_, 8);
    if (tail > 0) std::memcpy(tail_, bytes_ + size_ - tail, tail);
    tail_at_ = size_ - tail;
  }
  /// At least 57 bits from here on.
  std::uint64_t peek() const {
    const std::size_t byte = at_ / 8;
    std::uint64_t word = 0;
    if (byte + 8 <= size_) {
      std::memcpy(&word, bytes_ + byte, sizeof word);
    } else if (byte < size_) {
      std::memcpy(&word, tail_ + (byte - tail_at_), sizeof word);
    }
    return word >> (at_ & 7);
  }
  void skip(unsigned count) { at_ += count; }
  /// `count` ≤ 56.
  std::uint64_t take(unsigned count) {
    const auto bits = peek() & ((std::uint64_t{1} << count) - 1);
    skip(count);
    return bits;
  }
  /// Up to 64 of them.
  std::uint64_t take_long(unsigned count) {
    if (count <= 32) return take(count);
    const auto low = take(32);
    return low | take(count - 32) << 32;
  }
  /// Bytes begun, more than there are when it was read past the end.
  std::size_t bytes_begun() const { return (at_ + 7) / 8; }

 private:
  const char* bytes_;
  std::size_t size_;
  std::size_t at_ = 0;       ///< bit
  std::size_t tail_at_ = 0;  ///< byte where `tail_` begins
  char tail_[16] = {};       ///< the last eight bytes and zeros
};

}  // namespace atalaya::tsdb
