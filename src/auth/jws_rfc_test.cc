// The examples of RFC 7515, 7520 and 8037.
#include "auth/jws_test_support.h"

namespace atalaya::auth {
namespace {

using testing::HasSubstr;

TEST(JwsRfc7515, A1HmacVerifies) {
  const auto judged = judge_token(kA1Key, kA1);
  ASSERT_TRUE(judged) << to_string(judged.error());
  EXPECT_EQ(judged->algorithm, "HS256");
  EXPECT_THAT(judged->payload, HasSubstr("\"iss\":\"joe\""));
}

TEST(JwsRfc7515, A2RsaVerifies) { EXPECT_TRUE(judge_token(kA2Key, kA2)); }

TEST(JwsRfc7515, A3EcdsaVerifies) { EXPECT_TRUE(judge_token(kA3Key, kA3)); }

TEST(JwsRfc7515, A4EcdsaOnP521Verifies) {
  EXPECT_EQ(
      judge_token(
          R"({"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"})",
          "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-"
          "mZZqwqT2SI-KGDKB34XO0aw_"
          "7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLze"
          "O_Jn")
          .value()
          .payload,
      "Payload");
}

TEST(JwsRfc7515, A5NoneIsRefused) { expect_refused(kA1Key, "eyJhbGciOiJub25lIn0." + kClaims + ".", "'none'"); }

std::string general(const std::string& ecdsa_signature) {
  return R"({"payload":")" + kClaims +
         R"(","signatures":[{"protected":"eyJhbGciOiJSUzI1NiJ9","header":{"kid":"2010-12-29"},"signature":")" +
         kA2Signature +
         R"("},{"protected":"eyJhbGciOiJFUzI1NiJ9","header":{"kid":"e9bc097a-ce51-4036-9562-d2ade882db0d"},"signature":")" +
         ecdsa_signature + R"("}]})";
}

TEST(JwsRfc7515, A6GeneralJsonVerifiesWithBothKeysOrOne) {
  const auto both = R"({"keys":[)" + kA2Key + "," + kA3Key + "]}";
  EXPECT_TRUE(judge_token(both, general(kA3Signature)));
  EXPECT_TRUE(judge_token(kA3Key, general(kA3Signature)));
}

TEST(JwsRfc7515, A6GeneralJsonIsRefusedIfASignatureOfAKnownKeyIsWrong) {
  const auto both = R"({"keys":[)" + kA2Key + "," + kA3Key + "]}";
  auto wrong = kA3Signature;
  wrong[5] = 'A';
  expect_refused(both, general(wrong), "signature");
  expect_refused(kA1Key, general(kA3Signature), "none of the keys");
}

TEST(JwsRfc7515, A7FlattenedJsonVerifies) {
  const auto token =
      R"({"payload":")" + kClaims +
      R"(","protected":"eyJhbGciOiJFUzI1NiJ9","header":{"kid":"e9bc097a-ce51-4036-9562-d2ade882db0d"},"signature":")" +
      kA3Signature + R"("})";
  EXPECT_TRUE(judge_token(kA3Key, token));
  expect_refused(kA3Key, token.substr(0, token.size() - 1), "neither compact nor");
}

TEST(JwsRfc7515, TheExampleHasExpiredIn2011) {
  EXPECT_TRUE(judge_token(kA3Key, kA3, from_ms(1300819379'000)));
  const auto late = judge_token(kA3Key, kA3, from_ms(1300819380'000 + 30'000));
  ASSERT_FALSE(late);
  EXPECT_THAT(late.error().message, HasSubstr("the signature holds, but the token expired at 1300819380"));
}

TEST(JwsRfc7520, Section44HmacVerifies) {
  EXPECT_TRUE(judge_token(
      R"({"kty":"oct","kid":"018c0ae5-4d9b-471b-bfd6-eef314bc7037","use":"sig","alg":"HS256","k":"hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg"})",
      "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9."
      "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5k"
      "IGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4."
      "s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0"));
}

TEST(JwsRfc8037, A4Ed25519Verifies) {
  EXPECT_EQ(judge_token(R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
                        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-"
                        "09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")
                .value()
                .payload,
            "Example of Ed25519 signing");
}

}  // namespace
}  // namespace atalaya::auth
