// Judges signed tokens of others: `atalaya token verify --jwks FILE`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace atalaya::auth {

constexpr std::size_t kMaxJwsBytes = 1 << 20;
constexpr std::size_t kMaxJwksBytes = 1 << 20;

/// A token whose signature holds.
struct JudgedToken {
  std::string algorithm;
  std::string kid;      ///< of the token, "" if it names none
  std::string payload;  ///< decoded bytes
};

/// Checks a JWS (RFC 7515) in compact, flattened or general JSON form against a JWK or JWK set.
///
/// Algorithms: HS, RS, PS and ES with 256, 384 and 512, ES256K, EdDSA, Ed25519, Ed448. The keys decide,
/// never the token: `alg`, `kty`, `crv`, `use` and `key_ops` of a key must agree with the token's `alg`;
/// keys inside the token (`jwk`, `jku`, `x5c` …) are not looked at. Refused besides wrong signatures:
/// `none`, any `crit`, unencoded payloads, lax base64url, the same name twice in a JSON object, weak keys
/// (see jwk.h), secrets shorter than the hash. A token that names a kid is checked with the key of that
/// kid, or with keys that have none; one that names none with every suitable key. In general form every
/// signature for which there is a key must hold, and there must be one.
///
/// With `now`, `exp` and `nbf` of a payload that is a JSON object must hold too, with 30 s leeway.
///
/// Errors: invalid_argument if the keys cannot be read, unauthenticated with the reason for the rest.
Result<JudgedToken> judge_token(std::string_view jwks, std::string_view token, std::optional<Time> now = std::nullopt);

}  // namespace atalaya::auth
