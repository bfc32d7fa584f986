#include "auth/jws_algorithm.h"

#include <fmt/format.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <optional>

#include "auth/digest.h"
#include "auth/ecdsa.h"

namespace atalaya::auth {

enum class Scheme { kHmac, kPkcs1, kPss, kEcdsa, kEddsa };

struct JwsAlgorithm {
  std::string_view name;
  Scheme scheme;
  std::string_view kty;
  std::string_view crv;       // "" for any, or none
  const EVP_MD* (*digest)();  // null for EdDSA, which hashes inside
  std::size_t size;           // of an HMAC, or of half an ECDSA signature
};

namespace {

constexpr std::array kAlgorithms{
    JwsAlgorithm{"HS256", Scheme::kHmac, "oct", "", EVP_sha256, 32},
    JwsAlgorithm{"HS384", Scheme::kHmac, "oct", "", EVP_sha384, 48},
    JwsAlgorithm{"HS512", Scheme::kHmac, "oct", "", EVP_sha512, 64},
    JwsAlgorithm{"RS256", Scheme::kPkcs1, "RSA", "", EVP_sha256, 0},
    JwsAlgorithm{"RS384", Scheme::kPkcs1, "RSA", "", EVP_sha384, 0},
    JwsAlgorithm{"RS512", Scheme::kPkcs1, "RSA", "", EVP_sha512, 0},
    JwsAlgorithm{"PS256", Scheme::kPss, "RSA", "", EVP_sha256, 0},
    JwsAlgorithm{"PS384", Scheme::kPss, "RSA", "", EVP_sha384, 0},
    JwsAlgorithm{"PS512", Scheme::kPss, "RSA", "", EVP_sha512, 0},
    JwsAlgorithm{"ES256", Scheme::kEcdsa, "EC", "P-256", EVP_sha256, 32},
    JwsAlgorithm{"ES384", Scheme::kEcdsa, "EC", "P-384", EVP_sha384, 48},
    JwsAlgorithm{"ES512", Scheme::kEcdsa, "EC", "P-521", EVP_sha512, 66},
    JwsAlgorithm{"ES256K", Scheme::kEcdsa, "EC", "secp256k1", EVP_sha256, 32},
    JwsAlgorithm{"EdDSA", Scheme::kEddsa, "OKP", "", nullptr, 0},
    JwsAlgorithm{"Ed25519", Scheme::kEddsa, "OKP", "Ed25519", nullptr, 0},
    JwsAlgorithm{"Ed448", Scheme::kEddsa, "OKP", "Ed448", nullptr, 0},
};

Status check(bool ok) {
  if (ok) return {};
  return fail(ErrorCode::kUnauthenticated, "the signature is wrong");
}

bool verify_hmac(const JwsAlgorithm& algorithm, std::string_view secret, std::string_view message,
                 std::string_view signature) {
  std::string mac(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  if (HMAC(algorithm.digest(), secret.data(), static_cast<int>(secret.size()), ssl::bytes(message), message.size(),
           ssl::bytes(mac), &size) == nullptr) {
    return false;
  }
  return equal_in_constant_time(std::string_view(mac).substr(0, size), signature);
}

bool verify_with_key(const JwsAlgorithm& algorithm, EVP_PKEY* key, std::string_view message,
                     std::string_view signature) {
  const ssl::DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;  // belongs to `context`
  const EVP_MD* digest = algorithm.digest != nullptr ? algorithm.digest() : nullptr;
  if (EVP_DigestVerifyInit(context.get(), &key_context, digest, nullptr, key) != 1) return false;
  if (algorithm.scheme == Scheme::kPss && (EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) != 1 ||
                                           EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST) != 1 ||
                                           EVP_PKEY_CTX_set_rsa_mgf1_md(key_context, digest) != 1)) {
    return false;
  }
  return EVP_DigestVerify(context.get(), ssl::bytes(signature), signature.size(), ssl::bytes(message),
                          message.size()) == 1;
}

}  // namespace

const JwsAlgorithm* find_algorithm(std::string_view name) {
  const auto found = std::ranges::find(kAlgorithms, name, &JwsAlgorithm::name);
  return found == kAlgorithms.end() ? nullptr : &*found;
}

bool suits(const JwsAlgorithm& algorithm, const Jwk& jwk) {
  if (jwk.kty != algorithm.kty) return false;
  if (!algorithm.crv.empty() && jwk.crv != algorithm.crv) return false;
  // Keys on P-521 are often labelled with an algorithm "ES521", which does not exist.
  const std::string_view alg = jwk.alg == "ES521" ? std::string_view("ES512") : jwk.alg;
  return alg.empty() || alg == algorithm.name;
}

Status verify(const JwsAlgorithm& algorithm, const KeyMaterial& material, std::string_view message,
              std::string_view signature) {
  switch (algorithm.scheme) {
    case Scheme::kHmac:
      // RFC 7518 §3.2: a key of the hash's size or larger must be used.
      if (material.secret.size() < algorithm.size) {
        return fail(ErrorCode::kUnauthenticated, fmt::format("the secret has {} bytes, {} needs {}",
                                                             material.secret.size(), algorithm.name, algorithm.size));
      }
      return check(verify_hmac(algorithm, material.secret, message, signature));
    case Scheme::kEcdsa: {
      const auto der = ecdsa_der_from_raw(signature, algorithm.size);
      return check(!der.empty() && verify_with_key(algorithm, material.key.get(), message, der));
    }
    case Scheme::kPkcs1:
    case Scheme::kPss:
    case Scheme::kEddsa: return check(verify_with_key(algorithm, material.key.get(), message, signature));
  }
  return check(false);
}

}  // namespace atalaya::auth
