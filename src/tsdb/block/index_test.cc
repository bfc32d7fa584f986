#include "tsdb/block/index.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tsdb/block/index_match.h"
#include "tsdb/block/index_model.h"

namespace atalaya::tsdb {
namespace {

ChunkRef chunk(std::uint32_t times = 0) { return {1000, 2000, 10, times, 3, 77}; }

std::unique_ptr<Index> open(const std::string& section) {
  auto index = Index::open(section);
  EXPECT_TRUE(index) << (index ? "" : index.error().message);
  return index ? std::move(*index) : nullptr;
}

TEST(Index, AnswersAsAPlainListDoes) {
  const auto seed = test_seed();
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE(fmt::format("ATALAYA_TEST_SEED={} round {}", seed, round));
    std::mt19937_64 random(seed + static_cast<std::uint64_t>(round));
    const auto model = random_model(random, round % 10 == 9 ? 3000 : random() % 300);
    const auto section = model.build();
    const auto index = open(section);
    ASSERT_TRUE(index);
    const auto verified = index->verify();
    ASSERT_TRUE(verified) << verified.error().message;
    ASSERT_EQ(difference(*index, model, random, 60, false), "");
  }
}

TEST(Index, ReadsManyLabelsAtOnce) {
  std::mt19937_64 random(test_seed());
  const auto model = random_model(random, 2000);
  const auto section = model.build();
  const auto index = open(section);
  std::vector<std::uint32_t> ordinals;
  std::vector<Labels> want;
  std::uint32_t ordinal = 0;
  for (const auto& [labels, chunks] : model.series) {
    if (ordinal % 3 == 0) {
      ordinals.push_back(ordinal);
      want.push_back(labels);
    }
    ++ordinal;
  }
  EXPECT_EQ(index->labels(ordinals).value(), want);
}

TEST(Index, OfNothingIsEmpty) {
  const auto section = IndexBuilder().finish();
  const auto index = open(section);
  EXPECT_EQ(index->size(), 0u);
  EXPECT_TRUE(index->verify());
  EXPECT_TRUE(index->select({Matcher::equal("a", "b")})->empty());
  EXPECT_TRUE(index->select({Matcher::make("a", Matcher::Op::kNotEqual, "").value()})->empty());
  EXPECT_TRUE(index->label_names({})->empty());
  EXPECT_TRUE(index->label_values("a", {})->empty());
}

TEST(Index, HoldsTheSeriesWithoutLabels) {
  IndexModel model;
  model.series[Labels()] = {chunk()};
  model.series[Labels{{"a", "b"}}] = {chunk()};
  const auto section = model.build();
  const auto index = open(section);
  EXPECT_TRUE(index->verify());
  EXPECT_TRUE(index->labels(0)->empty());
  EXPECT_EQ(index->select({Matcher::equal("a", "b")}).value(), std::vector<std::uint32_t>{1});
  EXPECT_TRUE(index->select({Matcher::make("a", Matcher::Op::kNotEqual, "").value()}).value() ==
              std::vector<std::uint32_t>{1});
}

TEST(Index, RefusesMatchersThatAllAcceptTheEmptyValue) {
  IndexModel model;
  model.series[Labels{{"a", "b"}}] = {chunk()};
  const auto section = model.build();
  const auto index = open(section);
  for (const auto& matchers : {Matchers(), Matchers{Matcher::equal("a", "")},
                               Matchers{Matcher::make("a", Matcher::Op::kRegex, ".*").value()}}) {
    EXPECT_EQ(index->select(matchers).error().code, ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(index->label_names({Matcher::equal("x", "")}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(index->label_values("a", {Matcher::equal("x", "")}).error().code, ErrorCode::kInvalidArgument);
}

TEST(Index, HoldsValuesOfEveryLength) {
  IndexModel model;
  for (std::size_t i = 0; i < 400; ++i) {
    const auto value = std::string(1 + (i * i) % 5000, 'v') + std::to_string(i);
    model.series[Labels{{"long", value}, {"short", std::to_string(i % 7)}}] = {chunk(static_cast<std::uint32_t>(i))};
  }
  const auto section = model.build();
  const auto index = open(section);
  const auto verified = index->verify();
  ASSERT_TRUE(verified) << verified.error().message;
  std::uint32_t ordinal = 0;
  for (const auto& [labels, chunks] : model.series) {
    ASSERT_EQ(index->select({Matcher::equal("long", std::string(labels.get("long")))}).value(),
              std::vector<std::uint32_t>{ordinal});
    ASSERT_EQ(index->labels(ordinal).value(), labels);
    ++ordinal;
  }
  EXPECT_EQ(index->label_values("long", {}).value(), model.values("long", {}));
}

TEST(Index, HoldsManyChunksAndLabelsOfASeries) {
  IndexModel model;
  LabelsBuilder wide;
  for (int i = 0; i < 40'000; ++i) wide.set("n" + std::to_string(i), std::to_string(i % 3));
  std::vector<ChunkRef> chunks;
  for (std::uint32_t i = 0; i < 70'000; ++i) chunks.push_back({2 * i, 2 * i + 1, 2, i, i / 1000, i % 1000});
  model.series[wide.build()] = chunks;
  model.series[Labels(wide.set("z", "1").build())] = {chunk()};
  model.series[Labels{{"z", "2"}}] = {chunk()};
  const auto section = model.build();
  const auto index = open(section);
  const auto verified = index->verify();
  ASSERT_TRUE(verified) << verified.error().message;
  std::mt19937_64 random(1);
  EXPECT_EQ(difference(*index, model, random, 20, false), "");
}

TEST(Index, OpensWithoutReadingItAll) {
  IndexBuilder builder;
  constexpr std::uint32_t kHosts = 3000;
  std::vector<std::string> hosts;
  for (std::uint32_t i = 0; i < kHosts; ++i) hosts.push_back(fmt::format("host{:05}", i));
  std::uint32_t offset = 0;
  for (int metric = 0; metric < 100; ++metric) {
    for (std::uint32_t i = 0; i < kHosts; ++i, offset += 37 + (i * 7919) % 31) {
      const ChunkRef ref{1000, 2000 + i, 20, i, offset >> 16, offset & 0xffff};
      builder.add(Labels{{"__name__", fmt::format("metric_{:03}", metric)}, {"instance", hosts[i]}}, {{ref}});
    }
  }
  std::string section = builder.finish();
  EXPECT_LT(section.size(), kHosts * 100u * 5) << "bytes a series";
  // Whatever the pages hold: opening looks at what is behind them.
  const auto pages = index::Directory::read(section)->of(index::PageKind::kPairs).back();
  const auto directory = pages.offset + pages.stored;
  EXPECT_LT(section.size() - directory, 40'000u);
  auto damaged = section;
  std::fill_n(damaged.begin(), directory, '\xff');
  const auto index = open(damaged);
  EXPECT_EQ(index->size(), kHosts * 100);
  EXPECT_EQ(index->select({Matcher::equal("instance", "host00007")}).error().code, ErrorCode::kCorruption);

  const auto whole = open(section);
  std::vector<std::uint32_t> want;
  for (std::uint32_t metric = 0; metric < 100; ++metric) want.push_back(metric * kHosts + 7);
  EXPECT_EQ(whole->select({Matcher::equal("instance", "host00007")}).value(), want);
}

TEST(Index, TellsWhatARegexMatchesWithoutRunningIt) {
  using Literals = std::vector<std::string>;
  EXPECT_EQ(index::shape_of("b|a|b").literals, (Literals{"a", "b"}));
  EXPECT_EQ(index::shape_of("(10\\.0\\.0\\.1:9100|x)").literals, (Literals{"10.0.0.1:9100", "x"}));
  EXPECT_EQ(index::shape_of("(?:a|)").literals, (Literals{"", "a"}));
  for (const auto* other : {"(a)|(b)", "a|b.", "[a]", "\\d", "a\\", "(?i)a", "(a|(b))", "a$"}) {
    EXPECT_FALSE(index::shape_of(other).literals) << other;
  }
  const std::pair<const char*, const char*> prefixes[] = {
      {"abc.*", "abc"},    {"abc*", "ab"}, {"abc?.", "ab"}, {"abc{0}", "ab"}, {"a.c|x", ""},
      {"a\\.b[c]", "a.b"}, {"aü*", "a"},   {"^a.", ""},     {"(ab)*", ""},    {"ab\\d", "a"},
      {"ab\\Q\\E*.", "a"}, {".*", ""},     {"ab+.", "a"},   {"abc$", "abc"}};
  for (const auto& [regex, prefix] : prefixes) EXPECT_EQ(index::shape_of(regex).prefix, prefix) << regex;
}

}  // namespace
}  // namespace atalaya::tsdb
