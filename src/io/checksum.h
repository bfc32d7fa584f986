// Checksums of stored and sent bytes. Both are stable across machines and versions.
#pragma once

#include <cstdint>
#include <string_view>

namespace atalaya::io {

/// CRC-32C (Castagnoli, RFC 3720 B.4), with the processor's instruction where it has one.
/// `crc32c(b, crc32c(a))` is the checksum of a followed by b.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);
/// The same without special instructions; public so that a test can compare the two.
std::uint32_t crc32c_portable(std::string_view bytes, std::uint32_t before = 0);
/// XXH3, 64 bits, seed 0: for hash tables and fingerprints, not against an adversary.
std::uint64_t xxh3(std::string_view bytes);

/// 128 bits of XXH3 under a secret key that this process drew at random: equal bytes have equal hashes,
/// and nobody outside can look for bytes whose hashes meet. Not stable across processes.
struct Hash128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  bool operator==(const Hash128&) const = default;
};
Hash128 keyed_hash(std::string_view bytes);

}  // namespace atalaya::io
