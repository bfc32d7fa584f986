#include "base/utf8.h"

#include <gtest/gtest.h>

namespace atalaya {
namespace {

std::string utf8(std::uint32_t rune) {
  std::string out = "a";
  append_utf8(out, rune);
  return out.substr(1);
}

TEST(Utf8, TheFirstAndTheLastOfEachLengthAreAsTheRfcSays) {
  EXPECT_EQ(utf8(0), std::string(1, '\0'));
  EXPECT_EQ(utf8(0x7f), "\x7f");
  EXPECT_EQ(utf8(0x80), "\xc2\x80");
  EXPECT_EQ(utf8(0x7ff), "\xdf\xbf");
  EXPECT_EQ(utf8(0x800), "\xe0\xa0\x80");
  EXPECT_EQ(utf8(0xffff), "\xef\xbf\xbf");
  EXPECT_EQ(utf8(0x10000), "\xf0\x90\x80\x80");
  EXPECT_EQ(utf8(0x10ffff), "\xf4\x8f\xbf\xbf");
}

TEST(Utf8, TheFirstCharacterIsReadWithItsSize) {
  for (const auto code : {U'a', U'ä', U'€', U'😀', U'\U0010ffff'}) {
    std::string text;
    append_utf8(text, code);
    const auto size = text.size();
    const auto read = first_rune(text += "x");
    EXPECT_TRUE(read.good);
    EXPECT_EQ(read.code, code);
    EXPECT_EQ(read.size, size);
  }
  for (const auto* bad :
       {"\xff", "\x80", "\xc3", "\xc3z", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80"}) {
    EXPECT_FALSE(first_rune(bad).good);
    EXPECT_EQ(first_rune(bad).size, 1u);
  }
}

}  // namespace
}  // namespace atalaya
