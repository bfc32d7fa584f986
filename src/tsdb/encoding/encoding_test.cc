#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "model/sample.h"
#include "tsdb/encoding/times.h"
#include "tsdb/encoding/values.h"

namespace atalaya::tsdb {
namespace {

void expect_values_back(const std::vector<double>& values) {
  std::string bytes;
  encode_values(values, bytes);
  std::vector<double> out(values.size());
  ASSERT_TRUE(decode_values(bytes, out.size(), out.data()));
  for (std::size_t i = 0; i < out.size(); ++i) {
    ASSERT_EQ(std::bit_cast<std::uint64_t>(out[i]), std::bit_cast<std::uint64_t>(values[i])) << i;
  }
}

void expect_times_back(const std::vector<std::int64_t>& times) {
  std::string bytes;
  encode_times(times, bytes);
  std::vector<std::int64_t> out(times.size());
  ASSERT_TRUE(decode_times(bytes, out.size(), out.data()));
  ASSERT_EQ(out, times);
}

TEST(ValueEncoding, KeepsEveryBitOfSpecialValues) {
  expect_values_back({0.0, -0.0, std::nan("7"), stale_marker(), INFINITY, -INFINITY, 5e-324, 1.7e308, -1.5, 1e22});
}

TEST(TimeEncoding, KeepsInstantsOfAnyDistance) {
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  expect_times_back({7});
  expect_times_back({kLeast, kMost});
  expect_times_back({kLeast, -1, 0, 1, kMost});
  expect_times_back({1000, 2000, 3000, 4000});
}

}  // namespace
}  // namespace atalaya::tsdb
