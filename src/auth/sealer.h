// Secrets that the server must read again, kept in files that others may see: encrypted with a key of its own.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "io/file_system.h"

namespace atalaya::auth {

/// AES-256-GCM. A sealed text is `sealed:` and base64url of 12 bytes of nonce, the cipher text, and 16 bytes of tag.
/// Immutable, thread-safe.
class Sealer {
 public:
  /// The key in this file, which is made where it is absent, for its owner alone. corruption for one that is none.
  static Result<Sealer> open(io::FileSystem& files, const std::string& path);

  std::string seal(std::string_view secret) const;
  static bool is_sealed(std::string_view text);
  /// What was sealed; a text that is not comes back as it is. corruption where it was sealed with another key or
  /// changed.
  Result<std::string> unseal(std::string_view text) const;

 private:
  explicit Sealer(std::string key) : key_(std::move(key)) {}
  std::string key_;
};

}  // namespace atalaya::auth
