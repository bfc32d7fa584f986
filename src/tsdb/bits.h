// Bits in a string, most significant first.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace atalaya::tsdb {

/// Thread-compatible.
class BitWriter {
 public:
  explicit BitWriter(std::string& out) : out_(out) {}
  /// The lowest `count` (≤ 64) bits of `value`.
  void put(std::uint64_t value, int count) {
    while (count > 0) {
      if (free_ == 0) {
        out_.push_back('\0');
        free_ = 8;
      }
      const int take = count < free_ ? count : free_;
      const auto bits = static_cast<unsigned>(value >> (count - take)) & ((1U << take) - 1);
      out_.back() = static_cast<char>(static_cast<unsigned char>(out_.back()) | bits << (free_ - take));
      free_ -= take;
      count -= take;
    }
  }

 private:
  std::string& out_;
  int free_ = 0;  ///< in the last byte
};

/// Bytes may be hostile: past the end it yields zeros and `ok()` is false. Thread-compatible.
class BitReader {
 public:
  explicit BitReader(std::string_view bytes) : bytes_(bytes) {}
  bool ok() const { return ok_; }
  std::uint64_t get(int count) {
    if (static_cast<std::size_t>(count) > bytes_.size() * 8 - at_) {
      ok_ = false;
      return 0;
    }
    std::uint64_t value = 0;
    while (count > 0) {
      const int free = 8 - static_cast<int>(at_ % 8);
      const int take = count < free ? count : free;
      const auto byte = static_cast<unsigned char>(bytes_[at_ / 8]);
      value = value << take | ((byte >> (free - take)) & ((1U << take) - 1));
      at_ += static_cast<std::size_t>(take);
      count -= take;
    }
    return value;
  }
  /// Fewer than eight bits are left, as the writer leaves them.
  bool at_end() const { return bytes_.size() * 8 - at_ < 8; }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace atalaya::tsdb
