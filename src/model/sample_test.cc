#include "model/sample.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace atalaya {
namespace {

TEST(Sample, OnlyTheStaleMarkersBitsAreStale) {
  EXPECT_TRUE(is_stale(stale_marker()));
  EXPECT_TRUE(std::isnan(stale_marker()));
  EXPECT_FALSE(is_stale(std::numeric_limits<double>::quiet_NaN()));
  EXPECT_FALSE(is_stale(0));
}

}  // namespace
}  // namespace atalaya
