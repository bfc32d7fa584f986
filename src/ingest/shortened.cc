#include "ingest/shortened.h"

#include "base/bytes.h"

namespace atalaya::ingest {

std::string shortened(std::string text, std::size_t size) {
  for (auto& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  if (text.size() <= size) return text;
  text.resize(size);
  while (!is_utf8(text)) text.pop_back();
  return text + "…";
}

}  // namespace atalaya::ingest
