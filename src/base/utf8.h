// Characters as bytes.
#pragma once

#include <cstdint>
#include <string>

namespace atalaya {

/// Appends a code point as UTF-8 (RFC 3629), one to four bytes. `rune` is at most 0x10ffff; whether it is a character,
/// and no surrogate, is the caller's to judge.
void append_utf8(std::string& out, std::uint32_t rune);

}  // namespace atalaya
