#include "packages/version.h"

#include <gtest/gtest.h>

namespace atalaya::packages {
namespace {

Version v(std::string_view text) { return Version::parse(text).value(); }
bool holds(std::string_view range, std::string_view version) { return VersionRange::parse(range)->holds(v(version)); }

TEST(PackageVersion, NumbersCompareByValueAndMissingOnesAreZero) {
  EXPECT_LT(v("1.9"), v("1.10"));
  EXPECT_EQ(v("1"), v("1.0.0"));
  EXPECT_EQ(v("1.0.0+build7"), v("1.0.0"));
}

TEST(PackageVersion, PreReleasesComeBeforeTheirReleaseInOrder) {
  EXPECT_LT(v("1.0.0-rc1"), v("1.0.0"));
  EXPECT_LT(v("1.0.0-alpha"), v("1.0.0-alpha.1"));
  EXPECT_LT(v("1.0.0-alpha.1"), v("1.0.0-alpha.beta"));
  EXPECT_LT(v("1.0.0-beta.2"), v("1.0.0-beta.11"));
  EXPECT_LT(v("1.0.0-1"), v("1.0.0-a"));
}

TEST(PackageVersion, OtherTextsAreNoVersions) {
  for (const auto* text : {"", "a", "1.", ".1", "1..2", "1.2.3.4", "1.x", "-1", "1-", "99999999999"}) {
    EXPECT_FALSE(Version::parse(text)) << text;
  }
}

TEST(PackageVersion, ARangeHoldsWhereAllItsComparisonsDo) {
  EXPECT_TRUE(holds(">=1.0 <2", "1.4"));
  EXPECT_FALSE(holds(">=1.0 <2", "2"));
  EXPECT_TRUE(holds("*", "0.0.1"));
  EXPECT_TRUE(holds("1.2", "1.2.0"));
  EXPECT_FALSE(holds("=1.2", "1.2.1"));
  EXPECT_TRUE(holds(">1, <=1.5", "1.5"));
  EXPECT_TRUE(holds(">= 1  <  2", "1.4"));
  EXPECT_FALSE(holds(">= 1 < 2", "2"));
}

TEST(PackageVersion, CaretAndTildeEndAtTheNextThatMayBreak) {
  EXPECT_TRUE(holds("^1.2", "1.9"));
  EXPECT_FALSE(holds("^1.2", "2.0"));
  EXPECT_FALSE(holds("^1.2", "2.0.0-rc1"));
  EXPECT_FALSE(holds("^0.2.1", "0.3"));
  EXPECT_TRUE(holds("~1.2.3", "1.2.9"));
  EXPECT_FALSE(holds("~1.2.3", "1.3"));
}

TEST(PackageVersion, ARangeThatIsNoneIsTold) {
  EXPECT_FALSE(VersionRange::parse(""));
  EXPECT_FALSE(VersionRange::parse("!1"));
  EXPECT_FALSE(VersionRange::parse("latest"));
  EXPECT_FALSE(VersionRange::parse(">="));
  EXPECT_FALSE(VersionRange::parse("> < 2"));
}

}  // namespace
}  // namespace atalaya::packages
