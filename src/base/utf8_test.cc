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

}  // namespace
}  // namespace atalaya
