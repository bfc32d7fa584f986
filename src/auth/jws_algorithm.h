// The signature algorithms of JWS (RFC 7518 §3, RFC 8037, RFC 8812, RFC 9864). For .cc files only.
#pragma once

#include <string_view>

#include "auth/jwk.h"
#include "base/result.h"

namespace atalaya::auth {

struct JwsAlgorithm;

/// Null for `none` and everything else that is not known.
const JwsAlgorithm* find_algorithm(std::string_view name);
/// The key's type, curve and `alg` agree with the algorithm. This is what keeps an RSA public key from
/// being used as the secret of an HMAC.
bool suits(const JwsAlgorithm& algorithm, const Jwk& jwk);
/// unauthenticated if the signature is not the message's, or the secret is shorter than the hash.
Status verify(const JwsAlgorithm& algorithm, const KeyMaterial& material, std::string_view message,
              std::string_view signature);

}  // namespace atalaya::auth
