// The JWT of this installation: ES256 and nothing else.
#pragma once

#include <string>
#include <string_view>

#include "auth/principal.h"
#include "auth/signing_key.h"
#include "base/result.h"
#include "base/time.h"

namespace atalaya::auth {

/// Clocks of two machines may differ by this much.
constexpr Duration kLeeway = std::chrono::seconds(30);

/// Whom a token is for: this server, or (of kind kPage, and only of it) the pages of packages.
constexpr std::string_view kAudience = "atalaya";
constexpr std::string_view kPageAudience = "atalaya-pages";

/// unauthenticated if `now` is past the end, or before the beginning, by more than the leeway.
Status check_times(const Principal& principal, Time now);

/// Mints and verifies. Every token of ours has the same header, byte for byte; a token with any other
/// (another algorithm, `none`, a foreign key) is refused before its signature is looked at, so nothing
/// in a token chooses how it is verified. Immutable, thread-safe.
class Jwt {
 public:
  explicit Jwt(SigningKey key);

  /// `issued` and `expires` are cut to whole seconds, as JWT has them.
  std::string mint(const Principal& principal) const;
  /// Signature, issuer, audience, form and times. unauthenticated if anything is wrong.
  Result<Principal> verify(std::string_view token, Time now, std::string_view audience = kAudience) const;
  const SigningKey& key() const { return key_; }

 private:
  const SigningKey key_;
  const std::string header_;  ///< base64url
};

}  // namespace atalaya::auth
