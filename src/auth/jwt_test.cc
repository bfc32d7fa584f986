#include "auth/jwt.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/bytes.h"

namespace atalaya::auth {
namespace {

using std::chrono::seconds;

class JwtTest : public testing::Test {
 protected:
  const Time now_ = from_ms(1'700'000'000'000);
  const Jwt jwt_{SigningKey::generate().value()};

  Principal principal() const {
    return {TenantId{"blue"}, "u1", "ana", Role::kOperator, Kind::kUser, "j1", "s1", now_, now_ + seconds(60)};
  }
  std::string header() const {
    return base64url_encode(fmt::format(R"({{"alg":"ES256","kid":"{}","typ":"JWT"}})", jwt_.key().kid()));
  }
  /// Properly signed, whatever it says.
  std::string sign(const std::string& header, std::string_view payload) const {
    const auto message = header + '.' + base64url_encode(payload);
    return message + '.' + base64url_encode(jwt_.key().sign(message));
  }
  void expect_refused(std::string_view token) const {
    const auto result = jwt_.verify(token, now_);
    ASSERT_FALSE(result) << token;
    EXPECT_EQ(result.error().code, ErrorCode::kUnauthenticated);
  }
};

TEST_F(JwtTest, VerifiesWhatItMinted) {
  const auto token = jwt_.mint(principal());
  EXPECT_EQ(jwt_.verify(token, now_).value(), principal());
}

TEST_F(JwtTest, AnAgentHasNoRoleAndNoSession) {
  auto agent = principal();
  agent.kind = Kind::kAgent;
  agent.role = Role::kNone;
  agent.session.clear();
  EXPECT_EQ(jwt_.verify(jwt_.mint(agent), now_).value(), agent);
}

TEST_F(JwtTest, TimesHaveALeewayOfThirtySeconds) {
  const auto token = jwt_.mint(principal());
  EXPECT_TRUE(jwt_.verify(token, now_ + seconds(60) + seconds(29)));
  EXPECT_FALSE(jwt_.verify(token, now_ + seconds(60) + seconds(30)));
  EXPECT_TRUE(jwt_.verify(token, now_ - seconds(30)));
  EXPECT_FALSE(jwt_.verify(token, now_ - seconds(31)));
}

TEST_F(JwtTest, EveryChangedCharacterIsNoticed) {
  const auto token = jwt_.mint(principal());
  for (std::size_t i = 0; i < token.size(); ++i) {
    auto changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    expect_refused(changed);
  }
  for (std::size_t i = 0; i < token.size(); i += 7) expect_refused(token.substr(0, i));
  expect_refused(token + "A");
  expect_refused(token + "=");
  expect_refused(token + ".x");
}

TEST_F(JwtTest, ATokenForPagesIsForPagesOnly) {
  auto page = principal();
  page.kind = Kind::kPage;
  const auto token = jwt_.mint(page);
  expect_refused(token);
  EXPECT_EQ(jwt_.verify(token, now_, kPageAudience).value(), page);
  EXPECT_FALSE(jwt_.verify(jwt_.mint(principal()), now_, kPageAudience));
}

TEST_F(JwtTest, AudienceAndKindMustAgree) {
  const auto claims = [](std::string_view aud, std::string_view kind) {
    return fmt::format(R"({{"iss":"atalaya","aud":"{}","sub":"u","name":"n","tenant":"blue","kind":"{}",)"
                       R"("role":"viewer","jti":"j","iat":1700000000,"nbf":1700000000,"exp":1700000060}})",
                       aud, kind);
  };
  EXPECT_TRUE(jwt_.verify(sign(header(), claims("atalaya-pages", "page")), now_, kPageAudience));
  EXPECT_FALSE(jwt_.verify(sign(header(), claims("atalaya-pages", "user")), now_, kPageAudience));
  expect_refused(sign(header(), claims("atalaya", "page")));
  expect_refused(sign(header(), claims("atalaya-pages", "page")));
}

TEST_F(JwtTest, ATokenOfAnotherInstallationIsRefused) {
  const Jwt other{SigningKey::generate().value()};
  expect_refused(other.mint(principal()));
}

TEST_F(JwtTest, NoOtherAlgorithmIsAccepted) {
  const auto token = jwt_.mint(principal());
  const auto payload =
      base64url_decode(token.substr(token.find('.') + 1, token.rfind('.') - token.find('.') - 1)).value();
  for (const std::string alg : {"none", "None", "HS256", "ES384", "RS256", ""}) {
    const auto wrong = base64url_encode(fmt::format(R"({{"alg":"{}","kid":"{}","typ":"JWT"}})", alg, jwt_.key().kid()));
    expect_refused(sign(wrong, payload));
    expect_refused(wrong + '.' + base64url_encode(payload) + '.');
  }
  expect_refused(sign(base64url_encode(R"({"alg":"ES256"})"), payload));
}

TEST_F(JwtTest, WrongOrMissingClaimsAreRefusedThoughSigned) {
  const auto claims = [](std::string_view iss, std::string_view kind, std::string_view times) {
    return fmt::format(
        R"({{"iss":"{}","aud":"atalaya","sub":"u","name":"n","tenant":"blue","kind":"{}","role":"admin","jti":"j",{}}})",
        iss, kind, times);
  };
  const std::string good = R"("iat":1700000000,"nbf":1700000000,"exp":1700000060)";
  ASSERT_TRUE(jwt_.verify(sign(header(), claims("atalaya", "user", good)), now_));
  expect_refused(sign(header(), claims("other", "user", good)));
  expect_refused(sign(header(), claims("atalaya", "agent", good)));  // an agent with a role
  expect_refused(sign(header(), claims("atalaya", "god", good)));
  for (const std::string times :
       {R"("iat":1700000000,"nbf":1700000000)", R"("iat":1700000000,"exp":1700000060)",
        R"("nbf":1700000000,"exp":1700000060)", R"("iat":1700000000,"nbf":1700000000,"exp":"1700000060")",
        R"("iat":1700000000,"nbf":1700000000,"exp":1e300)",
        R"("iat":1700000000,"nbf":1700000000,"exp":99999999999999999999)",
        R"("iat":1700000000,"nbf":1700000050,"exp":1700000060)", R"("iat":-1,"nbf":1700000000,"exp":1700000060)"}) {
    expect_refused(sign(header(), claims("atalaya", "user", times)));
  }
  expect_refused(sign(header(), "[]"));
  expect_refused(sign(header(), ""));
  expect_refused(sign(header(), "{}"));
  expect_refused("");
  expect_refused("..");
}

TEST(SigningKeyTest, SurvivesItsOwnPem) {
  const auto key = SigningKey::generate().value();
  const auto again = SigningKey::parse(key.pem());
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_EQ(again->kid(), key.kid());
  EXPECT_TRUE(key.verify("message", again->sign("message")));
  EXPECT_FALSE(key.verify("massage", again->sign("message")));
}

TEST(SigningKeyTest, RefusesOtherKeysAndGarbage) {
  // An Ed25519 key: RFC 8410, section 10.3.
  const std::string ed25519 =
      "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
      "-----END PRIVATE KEY-----\n";
  for (const auto& pem : {std::string("garbage"), std::string(), ed25519}) {
    const auto key = SigningKey::parse(pem);
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().code, ErrorCode::kCorruption);
  }
}

}  // namespace
}  // namespace atalaya::auth
