
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "auth/ecdsa.h"
#include "auth/jws_test_support.h"
#include "base/bytes.h"
#include "base/openssl.h"
#include "base/random.h"

namespace atalaya::auth {
namespace {

using namespace std::string_literals;

/// A private key and the JWK of its public half, without the closing brace.
struct Pair {
  ssl::Key key;
  std::string jwk;
};

std::string number(EVP_PKEY* key, const char* name) {
  BIGNUM* raw = nullptr;
  EVP_PKEY_get_bn_param(key, name, &raw);
  const ssl::Number owned(raw);
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(raw)), '\0');
  BN_bn2bin(raw, ssl::bytes(bytes));
  return base64url_encode(bytes);
}

Pair rsa(unsigned bits) {
  ssl::Key key(EVP_RSA_gen(bits));
  auto jwk = fmt::format(R"({{"kty":"RSA","n":"{}","e":"{}")", number(key.get(), OSSL_PKEY_PARAM_RSA_N),
                         number(key.get(), OSSL_PKEY_PARAM_RSA_E));
  return {std::move(key), std::move(jwk)};
}

Pair ec(const char* crv, const char* group, std::size_t half) {
  ssl::Key key(EVP_EC_gen(group));
  std::string point(1 + 2 * half, '\0');
  std::size_t size = 0;
  EVP_PKEY_get_octet_string_param(key.get(), OSSL_PKEY_PARAM_PUB_KEY, ssl::bytes(point), point.size(), &size);
  auto jwk = fmt::format(R"({{"kty":"EC","crv":"{}","x":"{}","y":"{}")", crv,
                         base64url_encode(std::string_view(point).substr(1, half)),
                         base64url_encode(std::string_view(point).substr(1 + half)));
  return {std::move(key), std::move(jwk)};
}

Pair okp(const char* crv, std::size_t size) {
  ssl::Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, crv));
  std::string raw(size, '\0');
  EVP_PKEY_get_raw_public_key(key.get(), ssl::bytes(raw), &size);
  auto jwk = fmt::format(R"({{"kty":"OKP","crv":"{}","x":"{}")", crv, base64url_encode(raw));
  return {std::move(key), std::move(jwk)};
}

const Pair& rsa_pair() {
  static const Pair pair = rsa(2048);
  return pair;
}

const Pair& other_rsa_pair() {
  static const Pair pair = rsa(2048);
  return pair;
}

/// One of the two in turn: making RSA keys is slow.
Pair some_rsa() {
  static bool turn = false;
  turn = !turn;
  const auto& pair = turn ? rsa_pair() : other_rsa_pair();
  EVP_PKEY_up_ref(pair.key.get());
  return {ssl::Key(pair.key.get()), pair.jwk};
}

const EVP_MD* digest_of(std::string_view alg) {
  if (alg.contains("256")) return EVP_sha256();
  if (alg.contains("384")) return EVP_sha384();
  if (alg.contains("512")) return EVP_sha512();
  return nullptr;
}

std::string sign(std::string_view alg, EVP_PKEY* key, const std::string& message) {
  const ssl::DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  EVP_DigestSignInit(context.get(), &key_context, alg.starts_with("Ed") ? nullptr : digest_of(alg), nullptr, key);
  if (alg.starts_with("PS")) {
    EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST);
  }
  std::string signature(1024, '\0');
  std::size_t size = signature.size();
  EXPECT_EQ(EVP_DigestSign(context.get(), ssl::bytes(signature), &size, ssl::bytes(message), message.size()), 1);
  signature.resize(size);
  if (!alg.starts_with("ES")) return signature;
  return ecdsa_raw_from_der(signature, alg.contains("512") ? 66 : alg.contains("384") ? 48 : 32);
}

std::string hmac(std::string_view alg, std::string_view secret, const std::string& message) {
  std::string mac(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  HMAC(digest_of(alg), secret.data(), static_cast<int>(secret.size()), ssl::bytes(message), message.size(),
       ssl::bytes(mac), &size);
  return mac.substr(0, size);
}

std::string message(const std::string& header, std::string_view payload = "payload") {
  return base64url_encode(header) + '.' + base64url_encode(payload);
}

std::string token(std::string_view alg, const Pair& pair, std::string_view more = {},
                  std::string_view payload = "payload") {
  const auto text = message(fmt::format(R"({{"alg":"{}"{}}})", alg, more), payload);
  return text + '.' + base64url_encode(sign(alg, pair.key.get(), text));
}

std::string hmac_token(std::string_view alg, std::string_view secret) {
  const auto text = message(fmt::format(R"({{"alg":"{}"}})", alg));
  return text + '.' + base64url_encode(hmac(alg, secret, text));
}

std::string hmac_key(std::string_view secret, std::string_view more = {}) {
  return fmt::format(R"({{"kty":"oct","k":"{}"{}}})", base64url_encode(secret), more);
}

struct Case {
  std::string alg;
  Pair (*make)();
};

class JwsAlgorithms : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(, JwsAlgorithms,
                         testing::Values(Case{"RS256", some_rsa}, Case{"RS384", some_rsa}, Case{"RS512", some_rsa},
                                         Case{"PS256", some_rsa}, Case{"PS384", some_rsa}, Case{"PS512", some_rsa},
                                         Case{"ES256", [] { return ec("P-256", "P-256", 32); }},
                                         Case{"ES384", [] { return ec("P-384", "P-384", 48); }},
                                         Case{"ES512", [] { return ec("P-521", "P-521", 66); }},
                                         Case{"ES256K", [] { return ec("secp256k1", "secp256k1", 32); }}),
                         [](const auto& p) { return p.param.alg; });

TEST_P(JwsAlgorithms, VerifyTheirOwnAndNothingElse) {
  const auto pair = GetParam().make();
  const auto& alg = GetParam().alg;
  const auto good = token(alg, pair);
  const auto jwk = pair.jwk + R"(,"alg":")" + alg + "\"}";
  const auto judged = judge_token(jwk, good);
  ASSERT_TRUE(judged) << to_string(judged.error());
  EXPECT_EQ(judged->algorithm, alg);
  EXPECT_EQ(judged->payload, "payload");
  EXPECT_TRUE(judge_token(pair.jwk + "}", good)) << "a key without alg suits too";

  const auto cut = good.rfind('.') + 1;
  const auto signature = base64url_decode(good.substr(cut)).value();
  for (std::size_t i = 0; i < signature.size(); i += 5) {
    auto wrong = signature;
    wrong[i] = static_cast<char>(wrong[i] ^ 1);
    expect_refused(jwk, good.substr(0, cut) + base64url_encode(wrong));
  }
  expect_refused(jwk, good.substr(0, cut));
  expect_refused(jwk, good.substr(0, cut) + base64url_encode(signature + '\0'));
  expect_refused(jwk, good.substr(0, cut) + base64url_encode(std::string(1, '\0') + signature));
  expect_refused(jwk, good.substr(0, cut) + base64url_encode(std::string(signature.size(), '\0')));
  expect_refused(GetParam().make().jwk + "}", good, "signature is wrong");
}

TEST(JwsEdDsa, VerifiesUnderBothNames) {
  for (const auto& [crv, size] : {std::pair<const char*, std::size_t>{"ED25519", 32}, {"ED448", 57}}) {
    auto pair = okp(crv, size);
    const std::string jose = size == 32 ? "Ed25519" : "Ed448";
    pair.jwk.replace(pair.jwk.find(crv), std::string(crv).size(), jose);
    EXPECT_TRUE(judge_token(pair.jwk + "}", token("EdDSA", pair)));
    EXPECT_TRUE(judge_token(pair.jwk + "}", token(jose, pair)));
    expect_refused(pair.jwk + "}", token(size == 32 ? "Ed448" : "Ed25519", pair), "none of the keys");
    auto wrong = token("EdDSA", pair);
    wrong[wrong.size() - 10] = wrong[wrong.size() - 10] == 'A' ? 'B' : 'A';
    expect_refused(pair.jwk + "}", wrong, "signature is wrong");
  }
}

TEST(JwsHmac, NeedsASecretAsLongAsItsHash) {
  for (const auto& [alg, size] : {std::pair<const char*, std::size_t>{"HS256", 32}, {"HS384", 48}, {"HS512", 64}}) {
    const auto secret = random_bytes(size);
    EXPECT_TRUE(judge_token(hmac_key(secret), hmac_token(alg, secret)));
    EXPECT_TRUE(judge_token(hmac_key(secret + "more"), hmac_token(alg, secret + "more")));
    expect_refused(hmac_key(secret.substr(1)), hmac_token(alg, secret.substr(1)), "bytes");
    expect_refused(hmac_key(secret), hmac_token(alg, random_bytes(size)), "signature is wrong");
  }
  expect_refused(R"({"kty":"oct","k":""})", hmac_token("HS256", ""), "lacks 'k'");
}

TEST(JwsKeys, APublicKeyIsNeverASecret) {
  const auto& pair = rsa_pair();
  expect_refused(pair.jwk + "}", hmac_token("HS256", pair.jwk + "}"), "none of the keys");
  expect_refused(pair.jwk + R"(,"k":"AAAA"})", hmac_token("HS256", std::string(32, 'a')), "none of the keys");
}

TEST(JwsKeys, TheKeysAlgorithmIsTheTokens) {
  const auto& pair = rsa_pair();
  expect_refused(pair.jwk + R"(,"alg":"RS256"})", token("PS256", pair), "none of the keys");
  expect_refused(pair.jwk + R"(,"alg":"RS256"})", token("RS384", pair), "none of the keys");
  expect_refused(pair.jwk + R"(,"alg":"RSA-OAEP"})", token("RS256", pair), "none of the keys");
  expect_refused(R"({"keys":[]})", token("RS256", pair), "none of the keys");
}

TEST(JwsKeys, UseAndOperationsAreKept) {
  const auto& pair = rsa_pair();
  const auto good = token("RS256", pair);
  EXPECT_TRUE(judge_token(pair.jwk + R"(,"use":"sig","key_ops":["verify"]})", good));
  EXPECT_TRUE(judge_token(pair.jwk + R"(,"key_ops":["sign","verify"]})", good));
  expect_refused(pair.jwk + R"(,"use":"enc"})", good, "'use'");
  expect_refused(pair.jwk + R"(,"use":7})", good, "'use'");
  expect_refused(pair.jwk + R"(,"key_ops":["encrypt"]})", good, "'key_ops'");
  expect_refused(pair.jwk + R"(,"key_ops":[]})", good, "'key_ops'");
  expect_refused(pair.jwk + R"(,"key_ops":"verify"})", good, "'key_ops'");
  expect_refused(pair.jwk + R"(,"key_ops":["verify","verify"]})", good, "twice");
}

TEST(JwsKeys, WeakRsaKeysAreRefused) {
  const auto small = rsa(1024);
  expect_refused(small.jwk + "}", token("RS256", small), "1024 bits");
  const auto exponent = [](std::string_view e) {
    return R"({"kty":"RSA","n":")" + kA2Modulus + fmt::format(R"(","e":"{}"}})", base64url_encode(e));
  };
  EXPECT_TRUE(judge_token(exponent("\x01\x00\x01"s), kA2));
  expect_refused(exponent("\x01"), kA2, "exponent");
  expect_refused(exponent("\x02"), kA2, "exponent");
  expect_refused(exponent("\x01\x01\x01\x01\x01\x01\x01\x01\x01"), kA2, "exponent");
}

TEST(JwsKeys, ARsaKeyOfTheFlawedGeneratorIsRefused) {
  const ssl::Number modulus(BN_new());
  const ssl::Number base(BN_new());
  const ssl::Number power(BN_new());
  BN_set_word(base.get(), 65537);
  BN_set_word(power.get(), 130);
  BN_CTX* context = BN_CTX_new();
  BN_exp(modulus.get(), base.get(), power.get(), context);
  BN_CTX_free(context);
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(modulus.get())), '\0');
  BN_bn2bin(modulus.get(), ssl::bytes(bytes));
  expect_refused(R"({"kty":"RSA","n":")" + base64url_encode(bytes) + R"(","e":"AQAB"})", kA2, "CVE-2017-15361");
}

TEST(JwsKeys, PointsOffTheCurveAndOfWrongLengthAreRefused) {
  auto off = kA3Key;
  off.replace(off.find("5a0"), 3, "5a4");
  expect_refused(off, kA3, "malformed");
  auto other = kA3Key;
  other.replace(other.find("P-256"), 5, "P-384");
  expect_refused(other, kA3, "none of the keys");
  expect_refused(R"({"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"})", kA3, "wrong length");
  expect_refused(R"({"kty":"EC","crv":"P-256","x":"AAAA"})", kA3, "lacks 'y'");
}

TEST(JwsKeys, AreChosenByKid) {
  const auto& pair = rsa_pair();
  const auto& other = other_rsa_pair();
  const auto with = [](const Pair& p, std::string_view kid) { return p.jwk + fmt::format(R"(,"kid":"{}"}})", kid); };
  const auto set = [](const std::string& a, const std::string& b) { return R"({"keys":[)" + a + "," + b + "]}"; };
  const auto named = token("RS256", pair, R"(,"kid":"a")");
  EXPECT_TRUE(judge_token(set(with(other, "b"), with(pair, "a")), named));
  expect_refused(set(with(other, "a"), with(pair, "b")), named, "signature is wrong");
  expect_refused(set(with(other, "c"), with(pair, "b")), named, "none of the keys");
  EXPECT_TRUE(judge_token(set(with(other, "b"), pair.jwk + "}"), named)) << "a key without kid may be it";
  EXPECT_TRUE(judge_token(set(with(other, "a"), with(pair, "b")), token("RS256", pair))) << "a token without kid";
}

TEST(JwsKeys, AmbiguousSetsAreRefusedWhole) {
  const auto secret = random_bytes(32);
  const auto good = hmac_token("HS256", secret);
  EXPECT_TRUE(judge_token(R"({"keys":[)" + hmac_key(secret) + "]}", good));
  expect_refused(R"({"keys":[)" + hmac_key(secret) + "," + kA3Key + "]}", good, "mixed");
  expect_refused(R"({"keys":[)" + hmac_key(secret, R"(,"kid":"a")") + "," + hmac_key(secret, R"(,"kid":"a")") + "]}",
                 good, "two keys have the kid");
}

TEST(JwsKeys, ThatAreNoKeysAreInvalidArguments) {
  for (const std::string jwks : {"", "[]", "{}", "null", R"({"keys":{}})", R"({"keys":[1]})", R"({"keys":[{}]})",
                                 R"({"kty":1})", R"({"kty":"oct","kty":"oct","k":"AAAA"})", R"({"kty":"oct"} x)"}) {
    const auto judged = judge_token(jwks, kA1);
    ASSERT_FALSE(judged) << jwks;
    EXPECT_EQ(judged.error().code, ErrorCode::kInvalidArgument) << jwks;
  }
  EXPECT_FALSE(judge_token(std::string(2 << 20, ' ') + kA1Key, kA1));
}

TEST(JwsForm, OfACompactTokenIsStrict) {
  for (const std::string& wrong :
       {std::string(), std::string("."), std::string(".."), std::string("..."), kA1 + ".", kA1 + "=", kA1 + "\n",
        " " + kA1, "." + kA1, kA1.substr(0, kA1.rfind('.')), kA1.substr(0, 30) + "?" + kA1.substr(30),
        kA1.substr(kA1.find('.')), kA1 + "." + kA1}) {
    expect_refused(kA1Key, wrong);
  }
}

TEST(JwsForm, StrayBitsInThePayloadAreRefusedThoughSigned) {
  const auto secret = random_bytes(32);
  const auto text = base64url_encode(R"({"alg":"HS256"})") + ".AB";
  expect_refused(hmac_key(secret), text + '.' + base64url_encode(hmac("HS256", secret, text)), "payload");
}

TEST(JwsForm, HeadersAreStrict) {
  const auto secret = random_bytes(32);
  const auto with = [&](const std::string& header) {
    const auto text = message(header);
    return text + '.' + base64url_encode(hmac("HS256", secret, text));
  };
  EXPECT_TRUE(judge_token(hmac_key(secret), with(R"( { "alg" : "HS256", "typ":"JWT" } )")));
  for (const std::string header :
       {"{}", "[]", "", "x", R"({"alg":"hs256"})", R"({"alg":["HS256"]})", R"({"alg":"HS256"} x)",
        R"({"alg":"HS256","alg":"HS256"})", R"({"alg":"HS256","kid":1})", R"({"alg":"HS256","crit":["exp"],"exp":1})",
        R"({"alg":"HS256","crit":[]})", R"({"alg":"HS256","b64":false})", R"({"alg":"none"})", R"({"alg":"None"})"}) {
    expect_refused(hmac_key(secret), with(header));
  }
}

TEST(JwsForm, AKeyInsideTheTokenIsNotLookedAt) {
  const auto& attacker = rsa_pair();
  expect_refused(kA2Key, token("RS256", attacker, R"(,"jwk":)" + attacker.jwk + "}"), "signature is wrong");
}

TEST(JwsForm, JsonFormsAreStrict) {
  const auto flat = [](std::string_view members) {
    return R"({"payload":")" + kClaims + R"(","signature":")" + kA3Signature + "\"" + std::string(members) + "}";
  };
  EXPECT_TRUE(judge_token(kA3Key, flat(R"(,"protected":"eyJhbGciOiJFUzI1NiJ9")")));
  expect_refused(kA3Key, flat(""), "algorithm");
  expect_refused(kA3Key, flat(R"(,"header":{"alg":"ES256"})"), "signature is wrong");
  expect_refused(kA3Key, flat(R"(,"protected":"eyJhbGciOiJFUzI1NiJ9","header":{"alg":"ES256"})"), "twice");
  expect_refused(kA3Key, flat(R"(,"protected":"eyJhbGciOiJFUzI1NiJ9","header":{"crit":["x"],"x":1})"), "crit");
  expect_refused(kA3Key, flat(R"(,"protected":"eyJhbGciOiJFUzI1NiJ9","signatures":[])"), "mixes");
  expect_refused(kA3Key, R"({"payload":"","signatures":[]})", "'signatures'");
  expect_refused(kA3Key, R"({"signatures":[{}]})", "payload");
}

TEST(JwsClaims, AreCheckedOnlyWhereThereAreSome) {
  const auto& pair = rsa_pair();
  const auto jwk = pair.jwk + "}";
  const auto now = from_ms(1'000'000'000);
  const auto ok = [&](std::string_view payload) {
    return judge_token(jwk, token("RS256", pair, {}, payload), now).has_value();
  };
  EXPECT_TRUE(ok("not JSON"));
  EXPECT_TRUE(ok("[1]"));
  EXPECT_TRUE(ok(""));
  EXPECT_TRUE(ok("{}"));
  EXPECT_TRUE(ok(R"({"exp":1000001,"nbf":999999})"));
  EXPECT_TRUE(ok(R"({"exp":999971})")) << "within the leeway";
  EXPECT_FALSE(ok(R"({"exp":999970})"));
  EXPECT_FALSE(ok(R"({"exp":999900.5})"));
  EXPECT_FALSE(ok(R"({"exp":"1000001"})"));
  EXPECT_TRUE(ok(R"({"nbf":1000030})"));
  EXPECT_FALSE(ok(R"({"nbf":1000031})"));
  EXPECT_FALSE(ok(R"({"nbf":null})"));
  EXPECT_FALSE(ok(R"({"exp":1,"exp":1000001})")) << "which of the two?";
}

}  // namespace
}  // namespace atalaya::auth
