// Bytes from files and names, made fit for labels and lines.
#pragma once

#include <string>
#include <string_view>

namespace atalaya::collect {

/// Appends `bytes` with every byte that is not part of well-formed UTF-8 replaced by U+FFFD.
void append_utf8(std::string& out, std::string_view bytes);
inline std::string to_utf8(std::string_view bytes) {
  std::string out;
  append_utf8(out, bytes);
  return out;
}

}  // namespace atalaya::collect
