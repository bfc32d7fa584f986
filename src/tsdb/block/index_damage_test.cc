// Bytes that are not what was written.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tsdb/block/index_model.h"

namespace atalaya::tsdb {
namespace {

IndexModel small_model() {
  std::mt19937_64 random(7);
  return random_model(random, 12);
}

/// What a damaged section may do: refuse, or answer rightly; and verifying tells.
void expect_honest(const std::string& section, const IndexModel& model, std::mt19937_64& random) {
  const auto index = Index::open(section);
  if (!index) {
    EXPECT_EQ(index.error().code, ErrorCode::kCorruption);
    return;
  }
  const auto verified = (*index)->verify();
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, ErrorCode::kCorruption);
  ASSERT_EQ(difference(**index, model, random, 2, true), "");
}

TEST(DamagedIndex, IsToldAtEveryBit) {
  const auto model = small_model();
  const auto section = model.build();
  std::mt19937_64 random(test_seed());
  for (std::size_t bit = 0; bit < section.size() * 8; ++bit) {
    SCOPED_TRACE(fmt::format("bit {} of {}", bit, section.size() * 8));
    auto damaged = section;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    ASSERT_NO_FATAL_FAILURE(expect_honest(damaged, model, random));
  }
}

TEST(DamagedIndex, IsToldAtEveryLength) {
  const auto model = small_model();
  const auto section = model.build();
  for (std::size_t length = 0; length < section.size(); ++length) {
    const auto index = Index::open(std::string_view(section).substr(0, length));
    ASSERT_FALSE(index) << length;
    EXPECT_EQ(index.error().code, ErrorCode::kCorruption);
    ASSERT_FALSE(Index::open(std::string_view(section).substr(section.size() - length))) << length;
  }
}

/// With checksums that fit: nothing is read out of bounds, and what verifies answers as its labels say.
TEST(DamagedIndex, ThatIsForgedDoesNotVerifyUnlessItIsConsistent) {
  const auto seed = test_seed();
  int opened = 0;
  int verified = 0;
  for (std::uint64_t round = 0; round < 4000; ++round) {
    SCOPED_TRACE(fmt::format("ATALAYA_TEST_SEED={} round {}", seed, round));
    std::mt19937_64 random(seed + round);
    const auto section = random_model(random, 1 + random() % 30).build();
    const auto spoil = [&](std::string& bytes) {
      for (auto left = random() % 3; left > 0 && !bytes.empty(); --left) {
        auto& byte = bytes[random() % bytes.size()];
        byte = static_cast<char>(random() % 2 ? random() : static_cast<std::uint8_t>(byte) + 1);
      }
    };
    const auto forged = resealed(section, spoil, [&](std::string& bytes) {
      if (random() % 3 == 0) spoil(bytes);
    });
    const auto index = Index::open(forged);
    if (!index) continue;
    ++opened;
    IndexModel model;
    const bool whole = (*index)->verify().has_value();
    verified += whole;
    for (std::uint32_t i = 0; i < (*index)->size(); ++i) {
      auto labels = (*index)->labels(i);
      std::vector<ChunkRef> chunks;
      const auto status = (*index)->chunks(i, chunks);
      ASSERT_TRUE(!whole || (labels && status));
      if (labels) model.series.emplace(*labels, chunks);
    }
    if (whole) {
      ASSERT_EQ(difference(**index, model, random, 20, false), "");
    } else {
      for (int i = 0; i < 5; ++i) (void)(*index)->select(random_matchers(random));
      (void)(*index)->label_names({Matcher::make("n1", Matcher::Op::kNotEqual, "").value()});
      (void)(*index)->label_values("n0", {Matcher::make("n1", Matcher::Op::kNotEqual, "").value()});
    }
  }
  EXPECT_GT(opened, 100);
  EXPECT_GT(verified, 20);
  EXPECT_LT(verified, opened);
}

}  // namespace
}  // namespace atalaya::tsdb
