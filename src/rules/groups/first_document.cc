#include "rules/groups/first_document.h"

#include <algorithm>

namespace atalaya::rules {

std::size_t first_document_size(std::string_view text) {
  bool begun = false;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(at, end - at);
    // At the beginning of a line these are marks wherever they stand, also within texts.
    const bool mark = line.size() == 3 || (line.size() > 3 && std::string_view(" \t\r").contains(line[3]));
    const bool begins = mark && line.starts_with("---");
    const bool ends = mark && line.starts_with("...");
    if (begun && (begins || ends)) return at;
    const bool empty = line.find_first_not_of(" \t\r") == std::string_view::npos;
    begun = begun || begins || !(empty || line.starts_with('#') || line.starts_with('%') || ends);
    at = end + 1;
  }
  return text.size();
}

}  // namespace atalaya::rules
