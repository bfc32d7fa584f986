#include <gmock/gmock.h>

#include <cmath>
#include <map>
#include <set>

#include "model/sample.h"
#include "sense/testing.h"

namespace atalaya::sense {
namespace {

using testing::at;
using testing::Bench;
using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::one;

const std::string kKey = "0123456789abcdef";

std::string label_after(Settings settings, const std::string& name, const std::string& value) {
  Bench bench(one("Anonymize", std::move(settings)));
  bench.push(0, 1, {{name, value}});
  return std::string(bench.take().at(0).record.labels.get(name));
}

TEST(Anonymize, HashesByHmacSha256) {
  // printf 'user=ana' | openssl dgst -sha256 -hmac 0123456789abcdef | cut -c1-16
  EXPECT_EQ(label_after({{"hash", "user"}, {"key", kKey}}, "user", "ana"), "c49f189fa9979dc0");
}

TEST(Anonymize, HashesFollowFromKeyLabelAndValue) {
  const auto ana = label_after({{"hash", "user"}, {"key", kKey}}, "user", "ana");
  EXPECT_EQ(label_after({{"hash", "user"}, {"key", kKey}}, "user", "ana"), ana);
  EXPECT_NE(label_after({{"hash", "user"}, {"key", kKey}}, "user", "ben"), ana);
  EXPECT_NE(label_after({{"hash", "user"}, {"key", kKey + "x"}}, "user", "ana"), ana);
  EXPECT_NE(label_after({{"hash", "login"}, {"key", kKey}}, "login", "ana"), ana);
}

TEST(Anonymize, RemovesAndKeepsLabels) {
  const Labels labels{{"host", "x"}, {"ip", "10.1.2.3"}, {"user", "ana"}};
  Bench remove(one("Anonymize", {{"remove", "user, ip"}}));
  remove.push(0, 1, labels);
  EXPECT_THAT(remove.said(), ElementsAre("{host=\"x\"} 1"));
  Bench keep(one("Anonymize", {{"keep", "host"}, {"generalise", "ip"}}));
  keep.push(0, 1, labels);
  EXPECT_THAT(keep.said(), ElementsAre("{host=\"x\", ip=\"10.1.2.0/24\"} 1"));
  Bench none(one("Anonymize", {{"keep", ""}}));
  none.push(0, 1, labels);
  EXPECT_THAT(none.said(), ElementsAre("1"));
}

TEST(Anonymize, GeneralisesAddresses) {
  const Settings usual{{"generalise", "ip"}};
  EXPECT_EQ(label_after(usual, "ip", "192.168.5.77"), "192.168.5.0/24");
  EXPECT_EQ(label_after(usual, "ip", "2001:db8:1:2:3:4:5:6"), "2001:db8:1::/48");
  EXPECT_EQ(label_after(usual, "ip", "::ffff:192.168.5.77"), "192.168.5.0/24");
  EXPECT_EQ(label_after({{"generalise", "ip"}, {"prefix4", std::int64_t{12}}}, "ip", "172.31.5.7"), "172.16.0.0/12");
  EXPECT_EQ(label_after({{"generalise", "ip"}, {"prefix4", std::int64_t{0}}}, "ip", "172.31.5.7"), "0.0.0.0/0");
  EXPECT_EQ(label_after({{"generalise", "ip"}, {"prefix4", std::int64_t{32}}}, "ip", "172.31.5.7"), "172.31.5.7/32");
}

TEST(Anonymize, WhatIsNoAddressGoesRatherThanStaying) {
  EXPECT_EQ(label_after({{"generalise", "ip"}}, "ip", "ana.example.org"), "");
  EXPECT_EQ(label_after({{"generalise", "ip"}}, "ip", "10.1.2.3:80"), "");
}

TEST(Anonymize, WithholdsSmallCounts) {
  Bench bench(one("Anonymize", {{"least", 5.0}}));
  bench.push(0, 4).push(1, 5).push(2, std::nan("")).push(3, stale_marker());
  const auto out = bench.take();
  ASSERT_EQ(out.size(), 2);
  EXPECT_EQ(out[0].record.value, 5);
  EXPECT_TRUE(is_stale(out[1].record.value));
  EXPECT_EQ(bench.counters().refused, 2);
}

TEST(Anonymize, WithholdsLinesUnlessTheyMayPass) {
  Bench usual(one("Anonymize", {{"remove", "user"}}));
  usual.line(0, "ana logged in");
  EXPECT_THAT(usual.said(), IsEmpty());
  EXPECT_EQ(usual.counters().refused, 1);
  Bench lines(one("Anonymize", {{"remove", "user"}, {"lines", true}}));
  lines.line(0, "someone logged in", {{"user", "ana"}});
  EXPECT_THAT(lines.said(), ElementsAre("someone logged in"));
}

TEST(Anonymize, NoiseIsTheSameForTheSameRecord) {
  const Settings settings{{"epsilon", 0.1}, {"key", kKey}};
  Bench one_run(one("Anonymize", settings));
  Bench other_run(one("Anonymize", settings));
  for (auto* bench : {&one_run, &other_run})
    for (int i = 0; i < 50; ++i) bench->push(i, 1000, {{"x", "y"}});
  EXPECT_EQ(one_run.said(), other_run.said());
}

TEST(Anonymize, NoiseIsGeometricOnBothSides) {
  Bench bench(one("Anonymize", {{"epsilon", 0.5}, {"key", kKey}}));
  constexpr int kDraws = 20'000;
  for (int i = 0; i < kDraws; ++i) bench.push(i, 1'000'000);
  double sum = 0, squares = 0;
  for (const auto& published : bench.take()) {
    const auto noise = published.record.value - 1'000'000;
    ASSERT_EQ(noise, std::round(noise));
    sum += noise;
    squares += noise * noise;
  }
  // The variance of the difference of two geometric numbers with a = e^-0.5 is 2a / (1 - a)^2 = 7.835. The key is
  // fixed, so the draws are always the same; the bounds are six standard errors.
  const double a = std::exp(-0.5);
  const double variance = 2 * a / ((1 - a) * (1 - a));
  EXPECT_NEAR(sum / kDraws, 0, 6 * std::sqrt(variance / kDraws));
  EXPECT_NEAR(squares / kDraws, variance, 0.15 * variance);
}

TEST(Anonymize, NoisyCountsAreNotNegative) {
  Bench bench(one("Anonymize", {{"epsilon", 0.01}, {"key", kKey}}));
  for (int i = 0; i < 200; ++i) bench.push(i, 0);
  std::set<double> values;
  for (const auto& published : bench.take()) values.insert(published.record.value);
  EXPECT_EQ(*values.begin(), 0);
  EXPECT_GT(values.size(), 10);
}

TEST(Anonymize, WantsARealKey) {
  EXPECT_THAT(error_of(one("Anonymize", {{"hash", "user"}})), HasSubstr("Anonymize: key: 0 bytes are no secret"));
  EXPECT_THAT(error_of(one("Anonymize", {{"epsilon", 1.0}, {"key", "short"}})), HasSubstr("5 bytes"));
  EXPECT_EQ(error_of(one("Anonymize", {{"remove", "user"}})), "");
}

TEST(Anonymize, RefusesTwoTreatmentsOfOneLabel) {
  EXPECT_THAT(error_of(one("Anonymize", {{"hash", "ip"}, {"generalise", "ip"}, {"key", kKey}})),
              HasSubstr("label ip is hashed or removed already"));
  EXPECT_THAT(error_of(one("Anonymize", {{"hash", "ip"}, {"remove", "ip"}, {"key", kKey}})),
              HasSubstr("label ip is hashed already"));
}

}  // namespace
}  // namespace atalaya::sense
