#include "tsdb/block/postings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <random>
#include <set>
#include <string>

namespace atalaya::tsdb {
namespace {

using Model = std::set<std::uint32_t>;

std::uint64_t seed() {
  const char* wanted = std::getenv("ATALAYA_TEST_SEED");
  const std::string text = wanted ? wanted : "1";
  const std::uint64_t seed = text == "random" ? std::random_device{}() : std::strtoull(text.c_str(), nullptr, 10);
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

std::vector<std::uint32_t> values(const Model& model) { return {model.begin(), model.end()}; }

/// A set of up to `count` numbers below `bound`: scattered, or in stretches.
Postings random_set(std::mt19937_64& random, std::size_t count, std::uint32_t bound, Model& model) {
  Postings out;
  while (model.size() < count) {
    auto value = static_cast<std::uint32_t>(random() % bound);
    for (auto left = random() % 3 == 0 ? random() % 200 : 1; left > 0 && value < bound; --left, ++value) {
      EXPECT_EQ(out.add(value), model.insert(value).second);
    }
  }
  if (random() % 2 == 0) out.compact();
  return out;
}

std::size_t random_size(std::mt19937_64& random) {
  constexpr std::size_t kSizes[] = {0, 1, 2, 3, 10, 63, 64, 65, 100, 1000, 9000};
  return kSizes[random() % std::size(kSizes)];
}

TEST(Postings, AgreeWithASetWhateverIsAddedAndRemoved) {
  std::mt19937_64 random(seed());
  for (int round = 0; round < 40; ++round) {
    const std::uint32_t bound = round % 4 == 0 ? ~0u : 1u << (4 + random() % 16);
    Postings postings;
    Model model;
    std::uint32_t next = 0;
    for (int i = 0; i < 3000; ++i) {
      const bool grows = (i / 700) % 2 == 0;
      const auto value = random() % 2 ? next++ % bound : static_cast<std::uint32_t>(random() % bound);
      if (grows == (random() % 8 != 0)) {
        ASSERT_EQ(postings.add(value), model.insert(value).second);
      } else {
        const auto victim = model.empty() || random() % 4 == 0 ? value : *model.lower_bound(*model.begin());
        ASSERT_EQ(postings.remove(victim), model.erase(victim) == 1);
      }
      ASSERT_EQ(postings.size(), model.size());
      ASSERT_EQ(postings.contains(value), model.contains(value));
      if (i % 500 == 0) postings.compact();
    }
    EXPECT_EQ(postings.to_vector(), values(model));
    for (const auto value : values(model)) ASSERT_TRUE(postings.remove(value));
    EXPECT_TRUE(postings.empty());
    EXPECT_EQ(postings.bytes(), sizeof postings);
  }
}

TEST(Postings, IntersectSubtractAndUniteAsSetsDo) {
  std::mt19937_64 random(seed());
  for (int round = 0; round < 300; ++round) {
    const std::uint32_t bound = 1u << (14 + random() % 6);
    Model a;
    Model b;
    const auto left = random_set(random, random_size(random), bound, a);
    const auto right = random_set(random, random_size(random), bound, b);
    std::vector<std::uint32_t> want;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(want));
    auto got = left;
    got.intersect(right);
    EXPECT_EQ(got.to_vector(), want);
    EXPECT_EQ(got.size(), want.size());
    EXPECT_EQ(left.intersects(right), !want.empty());
    want.clear();
    std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(want));
    got = left;
    got.subtract(right);
    EXPECT_EQ(got.to_vector(), want);
    want.clear();
    std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(want));
    got = left;
    got.unite(right);
    EXPECT_EQ(got.to_vector(), want);
    EXPECT_EQ(got, Postings(want));
    const Postings* both[] = {&left, &right, &left};
    EXPECT_EQ(Postings::union_of(both), got);
    EXPECT_EQ(left == right, a == b);
    EXPECT_EQ(left.to_vector(), values(a)) << "what is only read stays";
  }
}

TEST(Postings, OperateOnThemselves) {
  Postings set;
  for (std::uint32_t i = 0; i < 300; ++i) set.add(3 * i);
  set.intersect(set);
  set.unite(set);
  EXPECT_EQ(set.size(), 300u);
  set.subtract(set);
  EXPECT_TRUE(set.empty());
}

TEST(Postings, TakeLittleMemory) {
  Postings set;
  set.add(7);
  set.add(9);
  EXPECT_EQ(set.bytes(), 16u);
  Postings host;
  for (std::uint32_t i = 0; i < 500; ++i) host.add(70'000 + i);
  host.compact();
  EXPECT_LT(host.bytes(), 200u) << "a stretch is its ends";
  Postings metric;
  for (std::uint32_t i = 0; i < 2000; ++i) metric.add(500 * i + 17);
  metric.compact();
  EXPECT_LT(metric.bytes(), 2000u * 3);
  Postings job;
  for (std::uint32_t i = 0; i < 1'000'000; i += 1 + i % 2) job.add(i);
  EXPECT_LT(job.bytes(), 140'000u);
}

}  // namespace
}  // namespace atalaya::tsdb
