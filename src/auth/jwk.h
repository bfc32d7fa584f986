// JSON Web Keys (RFC 7517, 7518, 8037, 8812) for checking signatures. For .cc files only.
#pragma once

#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "base/openssl.h"
#include "base/result.h"

namespace atalaya::auth {

/// One key as it was given; not yet judged. `material` reads it.
struct Jwk {
  std::string kty;
  std::string crv;  ///< "" if it has none
  std::string alg;  ///< "" if it may be used with any that suits it
  std::string kid;  ///< "" if it has none
  boost::json::object members;
};

/// A key that may check signatures: one of the two is set.
struct KeyMaterial {
  std::string secret;  ///< of HMAC
  ssl::Key key;
};

/// A single JWK or a JWK set. Refused as a whole: two keys with one kid, and secret keys beside public
/// ones: in both cases the sender of a token could choose what it is checked with.
Result<std::vector<Jwk>> parse_jwk_set(std::string_view text);

/// unauthenticated with the reason if the key is not meant for checking signatures (`use`, `key_ops`),
/// is malformed (a point off its curve, an exponent of 1) or weak (RSA below 2048 bits, or made by
/// a generator with the flaw of CVE-2017-15361).
Result<KeyMaterial> material(const Jwk& jwk);

}  // namespace atalaya::auth
