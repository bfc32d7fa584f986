#include "base/letter_case.h"

#include <gtest/gtest.h>

namespace atalaya {
namespace {

TEST(LetterCase, LettersOfAllScriptsHaveTwoForms) {
  EXPECT_EQ(to_upper("aäöz ÿ жѐ ω ß ǆ 1_\u10d0 𐐨"), "AÄÖZ Ÿ ЖЀ Ω ß Ǆ 1_\u1c90 𐐀");
  EXPECT_EQ(to_lower("AÄÖZ Ÿ ЖЀ Ω İ Ǆ 𐐀"), "aäöz ÿ жѐ ω i ǆ 𐐨");
  EXPECT_EQ(to_lower(to_upper("āăą ѡѣ ա ꙁ ａ")), "āăą ѡѣ ա ꙁ ａ");
}

TEST(LetterCase, ATitleBeginsEachWordWithALargeLetter) {
  EXPECT_EQ(to_title("foo:bar it's (x) a,b @c"), "Foo:Bar It'S (X) A,B @C");
  EXPECT_EQ(to_title("a_b x9y äpfel-öl HTTP é\u00a0e»e"), "A_b X9y Äpfel-Öl HTTP É\u00a0E»e");
  EXPECT_EQ(to_title("ǆ ა"), "ǅ ა") << "two letters in one, and a script without titles";
}

TEST(LetterCase, BytesThatAreNoTextStay) {
  const std::string bytes = "a\xff\xc3z\xe4";
  EXPECT_EQ(to_upper(bytes), "A\xff\xc3Z\xe4");
}

}  // namespace
}  // namespace atalaya
