#include "collect/utf8.h"

#include <algorithm>

#include "base/bytes.h"

namespace atalaya::collect {
namespace {

/// Bytes that the lead byte announces; 0 for one that cannot lead.
std::size_t announced(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  if (lead >= 0xf0 && lead < 0xf5) return 4;
  return 0;
}

}  // namespace

void append_utf8(std::string& out, std::string_view bytes) {
  if (is_utf8(bytes)) {
    out.append(bytes);
    return;
  }
  while (!bytes.empty()) {
    const auto plain = std::ranges::find_if(bytes, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
    const auto size = static_cast<std::size_t>(plain - bytes.begin());
    out.append(bytes.substr(0, size));
    bytes.remove_prefix(size);
    if (bytes.empty()) return;
    const auto length = announced(static_cast<unsigned char>(bytes.front()));
    if (length > 0 && length <= bytes.size() && is_utf8(bytes.substr(0, length))) {
      out.append(bytes.substr(0, length));
      bytes.remove_prefix(length);
    } else {
      out.append("\xef\xbf\xbd");
      bytes.remove_prefix(1);
    }
  }
}

}  // namespace atalaya::collect
