// A package as one file that can be sent, signed and checked. docs/formats/package-archive.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atalaya::packages {

constexpr std::size_t kMaxArchiveBytes = 32 << 20;  ///< packed
constexpr std::size_t kMaxUnpackedBytes = 128 << 20;
constexpr std::size_t kMaxArchiveFiles = 10'000;

struct Archive {
  std::string package;
  std::string version;
  std::map<std::string, std::string> files;  ///< path within the package → bytes
  std::string signer;                        ///< fingerprint of the Ed25519 key that signed it; "" unsigned
};

/// An Ed25519 key pair as PEM texts.
struct SigningKey {
  std::string private_pem;
  std::string public_pem;
};
Result<SigningKey> make_signing_key();
/// SHA-256 of the public key's DER, hex.
Result<std::string> key_fingerprint(std::string_view public_pem);

/// The same files give the same bytes. `private_pem` "" : unsigned.
Result<std::string> pack(const Archive& archive, std::string_view private_pem);
/// Checks structure, paths, bounds and checksums; a signature by one of `trusted` (PEM texts). corruption
/// for damage, permission_denied for a signature by nobody trusted or, when `must_be_signed`, for none.
Result<Archive> unpack(std::string_view bytes, const std::vector<std::string>& trusted, bool must_be_signed);

}  // namespace atalaya::packages
