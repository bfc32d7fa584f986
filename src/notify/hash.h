// A hash of texts that is the same in every process and version: for jitter and Message-IDs.
#pragma once

#include <cstdint>
#include <string_view>

namespace atalaya::notify {

/// FNV-1a, 64 bits.
constexpr std::uint64_t hash_text(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

}  // namespace atalaya::notify
