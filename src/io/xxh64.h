// XXH64, seed 0: what other programs than ours take for a hash, where we must agree with them.
#pragma once

#include <cstdint>
#include <string_view>

namespace atalaya::io {

std::uint64_t xxh64(std::string_view bytes);

}  // namespace atalaya::io
