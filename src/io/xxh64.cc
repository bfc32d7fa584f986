#include "io/xxh64.h"

#include <xxhash.h>

namespace atalaya::io {

std::uint64_t xxh64(std::string_view bytes) { return XXH64(bytes.data(), bytes.size(), 0); }

}  // namespace atalaya::io
