// Fixed-width little-endian integers, varints and text encodings of bytes.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atalaya {

/// Appends to a string it does not own. Thread-compatible.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  void u8(std::uint8_t v) { out_.push_back(static_cast<char>(v)); }
  void u32(std::uint32_t v) { fixed(v); }
  void u64(std::uint64_t v) { fixed(v); }
  void f64(double v) { fixed(std::bit_cast<std::uint64_t>(v)); }
  /// LEB128.
  void varint(std::uint64_t v);
  /// Zigzag, then LEB128.
  void svarint(std::int64_t v) { varint((static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63)); }
  void raw(std::string_view bytes) { out_.append(bytes); }
  /// Length as varint, then the bytes.
  void text(std::string_view bytes) {
    varint(bytes.size());
    raw(bytes);
  }

 private:
  template <typename T>
  void fixed(T v) {
    if constexpr (std::endian::native == std::endian::big) v = __builtin_bswap64(v) >> (64 - 8 * sizeof v);
    out_.append(reinterpret_cast<const char*>(&v), sizeof v);
  }
  std::string& out_;
};

/// Reads bytes that may be hostile. The first read past the end, or a malformed varint, makes
/// `ok()` false for good; reads then yield zeros and empty views. Thread-compatible.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : left_(bytes) {}

  bool ok() const { return ok_; }
  bool at_end() const { return left_.empty(); }
  std::size_t remaining() const { return left_.size(); }

  std::uint8_t u8();
  std::uint32_t u32();
  std::uint64_t u64();
  double f64() { return std::bit_cast<double>(u64()); }
  std::uint64_t varint();
  std::int64_t svarint() {
    const auto v = varint();
    return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1);
  }
  /// View into the bytes given to the constructor.
  std::string_view raw(std::size_t size);
  std::string_view text() { return raw(varint()); }
  void fail() {
    ok_ = false;
    left_ = {};
  }

 private:
  std::string_view left_;
  bool ok_ = true;
};

std::string to_hex(std::string_view bytes);
std::string to_hex(std::uint64_t value);  ///< 16 digits
Result<std::string> from_hex(std::string_view text);
std::string base64_encode(std::string_view bytes);
Result<std::string> base64_decode(std::string_view text);
/// RFC 4648 §5, without padding.
std::string base64url_encode(std::string_view bytes);
/// Strict: padding, white space and non-zero spare bits are errors (as RFC 7515 asks).
Result<std::string> base64url_decode(std::string_view text);

/// True when `text` is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms).
bool is_utf8(std::string_view text);

}  // namespace atalaya
