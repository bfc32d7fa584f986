#include "auth/password.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atalaya::auth {
namespace {

TEST(Password, VerifiesWhatItHashed) {
  const auto phc = hash_password("correct horse");
  ASSERT_TRUE(phc);
  EXPECT_THAT(*phc, testing::StartsWith("$argon2id$v=19$"));
  EXPECT_TRUE(verify_password(*phc, "correct horse"));
  EXPECT_FALSE(verify_password(*phc, "correct horsf"));
  EXPECT_FALSE(verify_password(*phc, ""));
  EXPECT_FALSE(needs_rehash(*phc));
}

TEST(Password, TheSamePasswordHashesDifferentlyEachTime) {
  EXPECT_NE(hash_password("correct horse").value(), hash_password("correct horse").value());
}

TEST(Password, AnEmptyOrBrokenHashMatchesNothing) {
  EXPECT_FALSE(verify_password("", "correct horse"));
  EXPECT_FALSE(verify_password("", ""));
  EXPECT_FALSE(verify_password("$argon2id$v=19$garbage", "correct horse"));
  EXPECT_FALSE(verify_password("correct horse", "correct horse"));
}

TEST(Password, OfOtherParametersStillVerifiesAndAsksForARehash) {
  // Made with the argon2 program: `printf password1 | argon2 somesalt -id -t 1 -k 1024 -p 1 -e`.
  const std::string weak = "$argon2id$v=19$m=1024,t=1,p=1$c29tZXNhbHQ$sQQPNXUHXfXV9GgLhaMz23PbVPu02lfo5oy/rGj/jTs";
  EXPECT_TRUE(verify_password(weak, "password1"));
  EXPECT_FALSE(verify_password(weak, "password2"));
  EXPECT_TRUE(needs_rehash(weak));
}

TEST(Password, LengthIsBoundedOnBothSides) {
  EXPECT_FALSE(check_password("1234567"));
  EXPECT_TRUE(check_password("12345678"));
  EXPECT_TRUE(check_password(std::string(1024, 'x')));
  EXPECT_FALSE(check_password(std::string(1025, 'x')));
  EXPECT_FALSE(hash_password("short"));
  EXPECT_FALSE(verify_password(hash_password(std::string(1024, 'x')).value(), std::string(1025, 'x')));
}

TEST(Password, MayHoldAnyBytes) {
  const std::string odd("a\0b\xff\n ñ€", 12);
  const auto phc = hash_password(odd).value();
  EXPECT_TRUE(verify_password(phc, odd));
  EXPECT_FALSE(verify_password(phc, odd.substr(0, 1)));
}

}  // namespace
}  // namespace atalaya::auth
