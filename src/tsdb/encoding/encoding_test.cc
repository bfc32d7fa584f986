#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "model/sample.h"
#include "tsdb/encoding/bit_codes.h"
#include "tsdb/encoding/integers.h"
#include "tsdb/encoding/times.h"
#include "tsdb/encoding/values.h"

namespace atalaya::tsdb {
namespace {

constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
constexpr auto kInfinity = std::numeric_limits<double>::infinity();
constexpr std::string_view kBefore = "what stands before stays";

std::vector<std::uint64_t> bits_of(const std::vector<double>& values) {
  std::vector<std::uint64_t> out;
  for (const double v : values) out.push_back(std::bit_cast<std::uint64_t>(v));
  return out;
}

/// The size of the encoding, after it was read back, and found to be refused when it is cut or continued.
std::size_t values_size(const std::vector<double>& values) {
  std::string bytes(kBefore);
  encode_values(values, bytes);
  EXPECT_TRUE(bytes.starts_with(kBefore));
  bytes.erase(0, kBefore.size());
  std::vector<double> out(values.size());
  EXPECT_TRUE(decode_values(bytes, out.size(), out.data()).has_value());
  EXPECT_EQ(bits_of(out), bits_of(values));
  EXPECT_FALSE(decode_values(bytes + '\0', out.size(), out.data()).has_value());
  EXPECT_FALSE(decode_values(bytes.substr(0, bytes.size() - 1), out.size(), out.data()).has_value());
  return bytes.size();
}

std::size_t times_size(const std::vector<std::int64_t>& times) {
  std::string bytes(kBefore);
  encode_times(times, bytes);
  EXPECT_TRUE(bytes.starts_with(kBefore));
  bytes.erase(0, kBefore.size());
  std::vector<std::int64_t> out(times.size());
  EXPECT_TRUE(decode_times(bytes, out.size(), out.data()).has_value());
  EXPECT_EQ(out, times);
  EXPECT_FALSE(decode_times(bytes + '\0', out.size(), out.data()).has_value());
  EXPECT_FALSE(decode_times(bytes.substr(0, bytes.size() - 1), out.size(), out.data()).has_value());
  return bytes.size();
}

template <typename Make>
std::vector<double> made(std::size_t count, Make make) {
  std::vector<double> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(make(static_cast<double>(i)));
  return out;
}

TEST(ValueEncoding, KeepsEveryBitOfSpecialValues) {
  const double payload = std::bit_cast<double>(0xfff8'0000'dead'beefU);
  const double signalling = std::bit_cast<double>(0x7ff0'0000'0000'0001U);
  values_size({0.0, -0.0, payload, stale_marker(), signalling, kInfinity, -kInfinity, 5e-324, -5e-324, 1.7e308, 1e22});
  for (const double v : {0.0, -0.0, payload, stale_marker(), signalling, kInfinity, -kInfinity, 5e-324, -2.5, 1e300}) {
    values_size({v});
    values_size({v, v});
    values_size({v, 1});
    values_size({1, v});
    values_size({v, 0.1, v, v, -0.0, v, 1e17, v});
    values_size(std::vector<double>(100, v));
  }
}

TEST(ValueEncoding, AStaleMarkerCostsAFewBytes) {
  std::mt19937_64 random(7);
  auto values = made(120, [&](double) { return static_cast<double>(random() % 10000) / 100; });
  const auto without = values_size(values);
  values[119] = stale_marker();
  EXPECT_LE(values_size(values), without + 6);
  values[3] = values[4] = values[60] = stale_marker();
  values[61] = std::nan("9");
  values_size(values);
}

TEST(ValueEncoding, KeepsFractionsOfVeryLargeNumbers) {
  for (const double large : {0x1p50, 0x1p51, 0x1p52, 0x1p53}) {
    for (const double part : {0.25, 0.5, 0.75, 1.5}) {
      values_size({large + part});
      values_size({0, large + part, -large - part, 0});
    }
  }
}

TEST(ValueEncoding, KeepsWholeNumbersOfAnySize) {
  values_size({9007199254740992, -9007199254740992, 1, 0});
  values_size({9223372036854774784.0, -9223372036854775808.0, 1, 9223372036854775808.0});
  values_size({-9223372036854775808.0, 9223372036854774784.0, -9223372036854775808.0, 0, 5});
  values_size({18446744073709551615.0, 18446744073709549568.0, 1});
  values_size(made(100, [](double i) { return std::ldexp(1, static_cast<int>(i)); }));
}

TEST(ValueEncoding, KeepsDecimalsOfMixedExponents) {
  values_size({0.1, 0.25, -12.345678, 1e9, 123456.78, 0, 1e-9, 3});
  values_size({1e-15, 1e15, 0.5});
  values_size({1e-300, 1, 2, 3});
  values_size({0, 0, 0, 0, 0.001, 0, 0, 0.00000001, 0});
  for (int exponent = 0; exponent <= 17; ++exponent) {
    values_size(made(50, [&](double i) { return (12345 + i * i) / std::pow(10, exponent); }));
  }
}

TEST(ValueEncoding, AConstantTakesAFewBytesHoweverLong) {
  EXPECT_EQ(values_size(std::vector<double>(5000, 0)), 2);
  EXPECT_EQ(values_size(std::vector<double>(5000, 1)), 2);
  EXPECT_EQ(values_size(std::vector<double>(5000, 0.5)), 2);
  EXPECT_EQ(values_size(std::vector<double>(5000, std::nan("1"))), 9);
}

TEST(ValueEncoding, AConstantStepTakesAFewBytesHoweverLong) {
  EXPECT_LE(values_size(made(5000, [](double i) { return 1e6 + 15 * i; })), 10);
  EXPECT_LE(values_size(made(5000, [](double i) { return (70 - 3 * i) / 100; })), 10);
}

TEST(ValueEncoding, MultiplesOfAPowerOfTwoCostAsMuchAsTheirQuotients) {
  std::mt19937_64 random(7);
  const auto pages = made(200, [&](double) { return static_cast<double>(random() % 100000); });
  auto memory = pages;
  for (auto& v : memory) v *= 4096;
  EXPECT_LE(values_size(memory), values_size(pages) + 4);
}

TEST(ValueEncoding, ProductsWithATenthAreNearlyAsShortAsDecimals) {
  const auto exact = made(240, [](double i) { return std::floor(i * i) / 1000; });
  const auto product = made(240, [](double i) { return std::floor(i * i) * 0.001; });
  ASSERT_NE(bits_of(exact), bits_of(product));
  EXPECT_LE(values_size(product), values_size(exact) + 240 * 3 / 8);
}

TEST(ValueEncoding, ZeroOrOneCostsNoMoreThanABit) {
  std::mt19937_64 random(7);
  EXPECT_LE(values_size(made(800, [&](double) { return static_cast<double>(random() % 2); })), 100 + 5);
}

TEST(ValueEncoding, KeepsFloatsWithoutADecimal) {
  std::mt19937_64 random(7);
  std::normal_distribution<double> step;
  double v = 50;
  EXPECT_LE(values_size(made(1000, [&](double) { return v += step(random); })), 6700);
  values_size(made(500, [&](double) { return std::bit_cast<double>(random()); }));
  values_size(made(5000, [&](double i) { return std::sin(i) * 1e-310; }));
}

TEST(ValueEncoding, RefusesHostileHeads) {
  std::vector<double> out(1000);
  for (int head = 0; head < 256; ++head) {
    for (int second = 0; second < 256; ++second) {
      std::string bytes{static_cast<char>(head), static_cast<char>(second)};
      bytes.append("\x7f\x01\x80\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff", 13);
      for (const std::size_t count : {1, 2, 3, 1000}) {
        static_cast<void>(decode_values(bytes, count, out.data()));
      }
    }
  }
  EXPECT_FALSE(decode_values("", 1, out.data()).has_value());
  EXPECT_FALSE(decode_values("\x80\x02", 0, out.data()).has_value());
  EXPECT_FALSE(decode_values("\x91\x02", 1, out.data()).has_value());
}

TEST(TimeEncoding, KeepsInstantsOfAnyDistance) {
  times_size({7});
  times_size({0});
  times_size({kLeast});
  times_size({kMost});
  times_size({-1, 0});
  times_size({kLeast, kMost});
  times_size({kLeast, -1, 0, 1, kMost});
  times_size({kLeast, kLeast + 1, kLeast + 2, kMost - 1, kMost});
  times_size({-3000, -2000, -1000, 0, 1000});
}

TEST(TimeEncoding, AConstantStepTakesAFewBytesHoweverLong) {
  std::vector<std::int64_t> times;
  for (std::int64_t i = 0; i < 5000; ++i) times.push_back(1'700'000'000'000 + 15'000 * i);
  EXPECT_LE(times_size(times), 10);
}

TEST(TimeEncoding, JitterOfMillisecondsTakesHalfAByte) {
  std::mt19937_64 random(7);
  std::vector<std::int64_t> times;
  for (std::int64_t i = 0; i < 1000; ++i) {
    times.push_back(1'700'000'000'000 + 15'000 * i + static_cast<std::int64_t>(random() % 4));
  }
  EXPECT_LE(times_size(times), 520);
}

TEST(TimeEncoding, RefusesInstantsThatDoNotAscend) {
  for (const auto& times : {std::vector<std::int64_t>{5, 5}, {5, 4}, {1, 2, 3, 3}, {1, 2, kMost, kLeast}}) {
    std::string bytes;
    encode_integers(times, bytes);
    std::vector<std::int64_t> out(times.size());
    EXPECT_FALSE(decode_times(bytes, out.size(), out.data()).has_value());
  }
  std::int64_t none = 0;
  EXPECT_FALSE(decode_times("", 1, &none).has_value());
  EXPECT_FALSE(decode_times("", 0, &none).has_value());
}

TEST(BitCodes, EveryCodeKeepsEveryNumberAtEveryParameter) {
  std::vector<std::uint64_t> numbers{0, 1, 2, 3, 0, 0, 31, 32, 33};
  for (int width = 5; width < 64; ++width) {
    for (const int off : {-1, 0, 1}) numbers.push_back((std::uint64_t{1} << width) + static_cast<std::uint64_t>(off));
  }
  numbers.insert(numbers.end(), {~std::uint64_t{0}, 0, ~std::uint64_t{0} >> 1, 0});
  for (const auto code :
       {BitCode::kPacked, BitCode::kRice, BitCode::kWidths, BitCode::kFlaggedRice, BitCode::kFlaggedWidths}) {
    const bool widths = code == BitCode::kWidths || code == BitCode::kFlaggedWidths;
    const unsigned least = code == BitCode::kPacked ? 64 : widths ? 16 : 0;
    const unsigned most = code == BitCode::kPacked ? 64 : widths ? 63 : 58;
    for (unsigned k = least; k <= most; ++k) {
      std::string bytes;
      put_numbers(numbers, {code, k}, bytes);
      std::string_view left = bytes;
      std::vector<std::uint64_t> out(numbers.size());
      ASSERT_TRUE(take_numbers(left, {code, k}, out)) << static_cast<int>(code) << ' ' << k;
      ASSERT_TRUE(left.empty());
      ASSERT_EQ(out, numbers) << static_cast<int>(code) << ' ' << k;
    }
  }
}

TEST(BitCodes, ADecoderRefusesParametersThatNoWriterUses) {
  std::vector<std::uint64_t> out(2);
  for (int code = 1; code < 6; ++code) {
    for (unsigned k = 65; k < 256; ++k) {
      std::string_view bytes = "enough bytes for any two numbers, whatever they are, and more";
      EXPECT_FALSE(take_numbers(bytes, {static_cast<BitCode>(code), k}, out));
    }
  }
}

/// A plain model of what series look like, of every kind there is an encoding for.
std::vector<double> random_values(std::mt19937_64& random) {
  const auto below = [&](std::uint64_t n) { return random() % n; };
  const auto count = below(20) == 0 ? 5000 : 1 + below(300);
  const auto scale = std::pow(10, static_cast<double>(below(10)));
  const auto spread = std::uint64_t{1} << (1 + below(40));
  const auto shape = below(8);
  double v = static_cast<double>(below(1'000'000'000));
  std::vector<double> out;
  while (out.size() < count) {
    const auto noise = static_cast<double>(below(spread));
    switch (shape) {
      case 0: v += noise; break;
      case 1: v += below(10) == 0 ? noise : 0; break;
      case 2: v = noise / scale; break;
      case 3: v += (noise - static_cast<double>(spread) / 2) / scale; break;
      case 4: v = std::exp(noise / static_cast<double>(spread) * 20) / scale; break;
      case 5: v = std::bit_cast<double>(random()); break;
      case 6: v = static_cast<double>(below(2)); break;
      default: v = std::floor(v + noise) * 0.001; break;
    }
    out.push_back(below(200) == 0 ? std::bit_cast<double>(random() | 0x7ff0'0000'0000'0000U) : v);
  }
  if (below(3) == 0) out.back() = stale_marker();
  return out;
}

TEST(ValueEncoding, KeepsRandomSeriesOfEveryShape) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 1000 && !testing::Test::HasFailure(); ++round) {
    values_size(random_values(random));
    if (testing::Test::HasFailure()) std::printf("seed %u, round %d\n", seed, round);
  }
}

TEST(TimeEncoding, KeepsRandomInstants) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 1000 && !testing::Test::HasFailure(); ++round) {
    auto time = static_cast<std::int64_t>(random() >> random() % 64);
    const auto step = std::uint64_t{1} << random() % 55;
    std::vector<std::int64_t> times{time};
    for (auto left = random() % 300; left > 0; --left) {
      const auto gap = 1 + (random() % 3 == 0 ? random() % step : step - 1);
      if (static_cast<std::uint64_t>(kMost) - static_cast<std::uint64_t>(time) < gap && time > 0) break;
      times.push_back(time = plus(time, static_cast<std::int64_t>(gap)));
    }
    times_size(times);
  }
}

}  // namespace
}  // namespace atalaya::tsdb
