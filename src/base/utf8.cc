#include "base/utf8.h"

namespace atalaya {

void append_utf8(std::string& out, std::uint32_t rune) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | (rune >> shift & 0x3f)); };
  if (rune < 0x80) {
    out += static_cast<char>(rune);
  } else if (rune < 0x800) {
    out += static_cast<char>(0xc0 | rune >> 6);
    tail(0);
  } else if (rune < 0x10000) {
    out += static_cast<char>(0xe0 | rune >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0 | rune >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

}  // namespace atalaya
