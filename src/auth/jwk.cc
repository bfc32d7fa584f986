#include "auth/jwk.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/obj_mac.h>

#include <algorithm>
#include <array>
#include <set>

#include "auth/strict_json.h"
#include "base/bytes.h"

namespace atalaya::auth {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxKeys = 1000;
constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 16384;
constexpr std::size_t kMaxExponentBytes = 8;

std::unexpected<Error> refuse(const Jwk& jwk, std::string_view why) {
  const auto which = jwk.kid.empty() ? "the key" : fmt::format("the key '{}'", jwk.kid.substr(0, 64));
  return fail(ErrorCode::kUnauthenticated, fmt::format("{} {}", which, why));
}

// Absent is "", another type than text an error.
Result<std::string> text(const json::object& members, std::string_view name) {
  const auto* value = members.if_contains(name);
  if (value == nullptr) return std::string();
  if (!value->is_string()) return fail(ErrorCode::kInvalidArgument, fmt::format("'{}' of a key is not a text", name));
  return std::string(value->get_string());
}

Result<std::string> bytes_of(const Jwk& jwk, std::string_view name) {
  auto encoded = text(jwk.members, name);
  if (!encoded || encoded->empty()) return refuse(jwk, fmt::format("lacks '{}'", name));
  auto decoded = base64url_decode(*encoded);
  if (!decoded) return refuse(jwk, fmt::format("has a '{}' that is not base64url", name));
  return decoded;
}

Status check_purpose(const Jwk& jwk) {
  if (const auto* use = jwk.members.if_contains("use"); use != nullptr && *use != "sig") {
    return refuse(jwk, "is not for signatures ('use')");
  }
  const auto* ops = jwk.members.if_contains("key_ops");
  if (ops == nullptr) return {};
  if (!ops->is_array()) return refuse(jwk, "has 'key_ops' that are not a list");
  std::set<std::string> seen;
  for (const auto& op : ops->get_array()) {
    if (!op.is_string()) return refuse(jwk, "has 'key_ops' that are not texts");
    if (!seen.insert(std::string(op.get_string())).second) return refuse(jwk, "names an operation twice ('key_ops')");
  }
  if (!seen.contains("verify")) return refuse(jwk, "is not for checking signatures ('key_ops')");
  return {};
}

// Keys of a chip's flawed generator are products of primes that are powers of 65537 modulo every small
// prime, so the modulus is one too: "The Return of Coppersmith's Attack", Nemec et al., 2017.
bool has_roca_fingerprint(const BIGNUM* modulus) {
  constexpr std::array kPrimes{3,   5,   7,   11,  13,  17,  19,  23,  29,  31,  37,  41,  43,
                               47,  53,  59,  61,  67,  71,  73,  79,  83,  89,  97,  101, 103,
                               107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};
  return std::ranges::all_of(kPrimes, [&](int prime) {
    const auto wanted = BN_mod_word(modulus, static_cast<BN_ULONG>(prime));
    BN_ULONG power = 1;
    for (int i = 0; i < prime; ++i) {
      if (power == wanted) return true;
      power = power * 65537 % static_cast<BN_ULONG>(prime);
    }
    return false;
  });
}

Result<ssl::Key> build(const Jwk& jwk, const char* type, OSSL_PARAM_BLD* builder) {
  const ssl::Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
  const ssl::KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* raw = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &raw, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return refuse(jwk, "is malformed");
  }
  ssl::Key key(raw);
  const ssl::KeyContext check(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  if (EVP_PKEY_public_check(check.get()) != 1) return refuse(jwk, "is malformed");
  return key;
}

Result<ssl::Key> rsa_key(const Jwk& jwk) {
  AT_TRY(const auto n, bytes_of(jwk, "n"));
  AT_TRY(const auto e, bytes_of(jwk, "e"));
  const ssl::Number modulus(BN_bin2bn(ssl::bytes(n), static_cast<int>(n.size()), nullptr));
  const ssl::Number exponent(BN_bin2bn(ssl::bytes(e), static_cast<int>(e.size()), nullptr));
  const int bits = BN_num_bits(modulus.get());
  if (bits < kMinRsaBits) return refuse(jwk, fmt::format("has {} bits, fewer than {}", bits, kMinRsaBits));
  if (bits > kMaxRsaBits) return refuse(jwk, fmt::format("has {} bits, more than {}", bits, kMaxRsaBits));
  if (e.size() > kMaxExponentBytes || !BN_is_odd(exponent.get()) || BN_is_one(exponent.get())) {
    return refuse(jwk, "has a bad exponent");
  }
  if (has_roca_fingerprint(modulus.get())) return refuse(jwk, "was made by a flawed generator (CVE-2017-15361)");
  const ssl::ParameterBuilder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
  return build(jwk, "RSA", builder.get());
}

struct Curve {
  std::string_view jose;
  const char* openssl;
  std::size_t size;  // of a coordinate
};
constexpr std::array kCurves{Curve{"P-256", SN_X9_62_prime256v1, 32}, Curve{"P-384", SN_secp384r1, 48},
                             Curve{"P-521", SN_secp521r1, 66}, Curve{"secp256k1", SN_secp256k1, 32}};

Result<ssl::Key> ec_key(const Jwk& jwk) {
  const auto curve = std::ranges::find(kCurves, jwk.crv, &Curve::jose);
  if (curve == kCurves.end()) return refuse(jwk, "is on a curve that is not known");
  AT_TRY(const auto x, bytes_of(jwk, "x"));
  AT_TRY(const auto y, bytes_of(jwk, "y"));
  if (x.size() != curve->size || y.size() != curve->size) return refuse(jwk, "has coordinates of a wrong length");
  const std::string point = '\x04' + x + y;
  const ssl::ParameterBuilder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve->openssl, 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  return build(jwk, "EC", builder.get());
}

Result<ssl::Key> okp_key(const Jwk& jwk) {
  AT_TRY(const auto x, bytes_of(jwk, "x"));
  const bool small = jwk.crv == "Ed25519";
  if (!small && jwk.crv != "Ed448") return refuse(jwk, "is on a curve that is not known");
  if (x.size() != (small ? 32u : 57u)) return refuse(jwk, "has a public key of a wrong length");
  ssl::Key key(
      EVP_PKEY_new_raw_public_key(small ? EVP_PKEY_ED25519 : EVP_PKEY_ED448, nullptr, ssl::bytes(x), x.size()));
  if (!key) return refuse(jwk, "is malformed");
  return key;
}

Result<Jwk> parse_jwk(const json::value& value) {
  if (!value.is_object()) return fail(ErrorCode::kInvalidArgument, "a key is not a JSON object");
  Jwk jwk;
  jwk.members = value.get_object();
  AT_TRY(jwk.kty, text(jwk.members, "kty"));
  AT_TRY(jwk.crv, text(jwk.members, "crv"));
  AT_TRY(jwk.alg, text(jwk.members, "alg"));
  AT_TRY(jwk.kid, text(jwk.members, "kid"));
  if (jwk.kty.empty()) return fail(ErrorCode::kInvalidArgument, "a key lacks 'kty'");
  return jwk;
}

}  // namespace

Result<std::vector<Jwk>> parse_jwk_set(std::string_view given) {
  auto value = parse_strict_json(given);
  if (!value) return fail_within("the keys", value.error());
  if (!value->is_object()) return fail(ErrorCode::kInvalidArgument, "the keys are not a JSON object");
  const auto& object = value->get_object();
  std::vector<Jwk> keys;
  const auto* list = object.if_contains("keys");
  if (list == nullptr) {
    AT_TRY(auto only, parse_jwk(*value));
    keys.push_back(std::move(only));
    return keys;
  }
  if (!list->is_array()) return fail(ErrorCode::kInvalidArgument, "'keys' is not a list");
  if (list->get_array().size() > kMaxKeys) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("there are more than {} keys", kMaxKeys));
  }
  std::set<std::string> kids;
  bool secret = false;
  bool open = false;
  for (const auto& entry : list->get_array()) {
    AT_TRY(auto jwk, parse_jwk(entry));
    if (!jwk.kid.empty() && !kids.insert(jwk.kid).second) {
      return fail(ErrorCode::kUnauthenticated, fmt::format("two keys have the kid '{}'", jwk.kid.substr(0, 64)));
    }
    (jwk.kty == "oct" ? secret : open) = true;
    keys.push_back(std::move(jwk));
  }
  if (secret && open) return fail(ErrorCode::kUnauthenticated, "secret and public keys are mixed in one set");
  return keys;
}

Result<KeyMaterial> material(const Jwk& jwk) {
  AT_TRY(check_purpose(jwk));
  KeyMaterial result;
  if (jwk.kty == "oct") {
    AT_TRY(result.secret, bytes_of(jwk, "k"));
    return result;
  }
  if (jwk.kty == "RSA") {
    AT_TRY(result.key, rsa_key(jwk));
  } else if (jwk.kty == "EC") {
    AT_TRY(result.key, ec_key(jwk));
  } else if (jwk.kty == "OKP") {
    AT_TRY(result.key, okp_key(jwk));
  } else {
    return refuse(jwk, "is of a type that is not known ('kty')");
  }
  return result;
}

}  // namespace atalaya::auth
