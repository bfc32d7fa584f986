// Characters as bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace atalaya {

/// Appends a code point as UTF-8 (RFC 3629), one to four bytes. `rune` is at most 0x10ffff; whether it is a character,
/// and no surrogate, is the caller's to judge.
void append_utf8(std::string& out, std::uint32_t rune);

/// The first character of a text that is not empty; `good` is false, and the size 1, where no UTF-8 begins it.
struct Rune {
  char32_t code = 0;
  std::size_t size = 1;
  bool good = false;
};
Rune first_rune(std::string_view text);

}  // namespace atalaya
