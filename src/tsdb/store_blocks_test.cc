// What a Store does with blocks: flushing, merging, deleting, dropping.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "io/memory_file_system.h"
#include "tsdb/store.h"

namespace atalaya::tsdb {
namespace {

constexpr std::int64_t kDay = 86'400'000;
constexpr std::int64_t kStart = 20'000 * kDay;
using Model = std::map<std::string, std::map<std::int64_t, double>>;

class StoreBlocks : public testing::Test {
 protected:
  StoreBlocks() {
    options_.directory = "series";
    options_.commit_inline = true;
    options_.flush_on_stop = false;
    options_.disk_reserve_bytes = 0;
    options_.retention = std::chrono::hours{24 * 30};
    open();
  }
  void open() {
    store_.reset();
    store_ = Store::open(files_, clock_, metrics_, options_).value();
  }
  storage::Appended append(const std::string& name, std::int64_t ms, double value) {
    const auto series = store_->resolve(tenant_, Labels{{"__name__", name}}).value();
    storage::Appended out;
    store_->append(tenant_, {{{series, from_ms(kStart + ms), value}}, {}},
                   [&](Result<storage::Appended> done) { out = std::move(done).value(); });
    return out;
  }
  Model contents(storage::TimeRange range = {}) {
    Model out;
    auto found = store_->select(tenant_, {Matcher::make("__name__", Matcher::Op::kRegex, ".+").value()}, range);
    EXPECT_TRUE(found);
    for (auto& series : *found) {
      auto& samples = out[std::string(series.labels->get("__name__"))];
      for (Sample sample; series.samples->next(sample);) samples.emplace(to_ms(sample.time) - kStart, sample.value);
      EXPECT_TRUE(series.samples->status());
      EXPECT_FALSE(samples.empty());
    }
    return out;
  }
  std::size_t files_in(const std::string& directory) { return files_.list(directory)->size(); }

  ManualClock clock_{from_ms(kStart + 3 * kDay)};
  telemetry::Registry metrics_;
  io::MemoryFileSystem files_;
  Options options_;
  TenantId tenant_ = default_tenant();
  std::unique_ptr<Store> store_;
};

TEST_F(StoreBlocks, AFlushMovesMemoryToOneBlockADayAndDropsTheLog) {
  append("a", 0, 1);
  append("a", kDay, 2);
  append("b", kDay + 1, 3);
  const auto before = contents();
  ASSERT_TRUE(store_->flush());
  EXPECT_EQ(store_->blocks().size(), 2u);
  EXPECT_EQ(contents(), before);
  EXPECT_EQ(store_->blocks()[0].samples + store_->blocks()[1].samples, 3u);
  files_.power_cut();
  open();
  EXPECT_EQ(store_->report().samples, 0u);  // nothing to replay
  EXPECT_EQ(contents(), before);
}

TEST_F(StoreBlocks, SamplesBeforeAndAfterAFlushAreOneSeriesWithItsId) {
  append("a", 0, 1);
  ASSERT_TRUE(store_->flush());
  append("a", 10, 2);
  auto found = store_->select(tenant_, {Matcher::equal("__name__", "a")}, {}).value();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].id, store_->resolve(tenant_, Labels{{"__name__", "a"}}).value());
  EXPECT_EQ(contents(), (Model{{"a", {{0, 1}, {10, 2}}}}));
  auto one = store_->series(tenant_, found[0].id, {}).value();
  Sample sample;
  int count = 0;
  while (one.samples->next(sample)) ++count;
  EXPECT_EQ(count, 2);
}

TEST_F(StoreBlocks, TheFirstValueStandsAcrossFlushesMergesAndRestarts) {
  append("a", 0, 1);
  ASSERT_TRUE(store_->flush());
  files_.power_cut();
  open();
  append("a", 0, 2);  // memory knows nothing of the block
  append("a", 5, 3);
  const Model wanted{{"a", {{0, 1}, {5, 3}}}};
  EXPECT_EQ(contents(), wanted);
  ASSERT_TRUE(store_->flush());
  EXPECT_EQ(contents(), wanted);
  ASSERT_TRUE(store_->compact());
  EXPECT_EQ(store_->blocks().size(), 1u);
  EXPECT_EQ(contents(), wanted);
}

TEST_F(StoreBlocks, StaleMarkersAreExactEverywhere) {
  append("a", 0, 1);
  append("a", 5, stale_marker());
  ASSERT_TRUE(store_->flush());
  auto found = store_->select(tenant_, {Matcher::equal("__name__", "a")}, {}).value();
  Sample sample;
  ASSERT_TRUE(found[0].samples->next(sample));
  ASSERT_TRUE(found[0].samples->next(sample));
  EXPECT_TRUE(is_stale(sample.value));
}

TEST_F(StoreBlocks, RangesReadOnlyWhatTheyCover) {
  for (int i = 0; i < 100; ++i) append("a", i * 10, i);
  ASSERT_TRUE(store_->flush());
  for (int i = 100; i < 200; ++i) append("a", i * 10, i);
  EXPECT_EQ(contents({from_ms(kStart + 980), from_ms(kStart + 1010)}),
            (Model{{"a", {{980, 98}, {990, 99}, {1000, 100}, {1010, 101}}}}));
  EXPECT_TRUE(contents({from_ms(kStart + 981), from_ms(kStart + 989)}).empty());
  EXPECT_TRUE(contents({from_ms(kStart + 5000), from_ms(kStart + 9000)}).empty());
}

TEST_F(StoreBlocks, ManySmallBlocksOfADayBecomeFew) {
  options_.flush_age = std::chrono::minutes{1};
  open();
  Model wanted;
  for (int i = 0; i < 40; ++i) {
    append("a", i, i);
    wanted["a"][i] = i;
    clock_.advance(std::chrono::minutes{1});
    store_->maintain();
  }
  EXPECT_LE(store_->blocks().size(), 8u);
  EXPECT_EQ(contents(), wanted);
  files_.power_cut();
  open();
  EXPECT_EQ(contents(), wanted);
}

TEST_F(StoreBlocks, WhatAgedOutGoes) {
  append("old", 0, 1);
  append("young", 3 * kDay, 1);
  ASSERT_TRUE(store_->flush());
  clock_.advance(std::chrono::hours{24 * 28});
  store_->maintain();
  EXPECT_EQ(contents(), (Model{{"young", {{3 * kDay, 1}}}}));
  EXPECT_EQ(files_in("series/blocks"), 1u);
}

TEST_F(StoreBlocks, ADeletionHidesAtOnceAndLaterErases) {
  for (int i = 0; i < 10; ++i) {
    append("a", i, i);
    append("b", i, i);
  }
  ASSERT_TRUE(store_->flush());
  append("a", 20, 20);  // still in memory
  ASSERT_TRUE(store_->delete_series(tenant_, {Matcher::equal("__name__", "a")}, {from_ms(kStart + 5), kMaxTime}));
  Model wanted{{"a", {{0, 0}, {1, 1}, {2, 2}, {3, 3}, {4, 4}}}, {"b", {}}};
  for (int i = 0; i < 10; ++i) wanted["b"][i] = i;
  EXPECT_EQ(contents(), wanted);
  append("a", 30, 30);  // after it
  wanted["a"][30] = 30;
  EXPECT_EQ(contents(), wanted);
  files_.power_cut();
  open();
  EXPECT_EQ(contents(), wanted);
  store_->maintain();
  EXPECT_EQ(contents(), wanted);
  ASSERT_TRUE(store_->flush());
  ASSERT_TRUE(store_->compact());
  EXPECT_EQ(contents(), wanted);
  std::uint64_t samples = 0;
  for (const auto& block : store_->blocks()) samples += block.samples;
  EXPECT_EQ(samples, 16u);
  ASSERT_TRUE(store_->delete_series(tenant_, {Matcher::equal("__name__", "b")}, {}));
  wanted.erase("b");
  EXPECT_EQ(contents(), wanted);
  ASSERT_TRUE(store_->compact());
  files_.power_cut();
  open();
  EXPECT_EQ(contents(), wanted);
}

TEST_F(StoreBlocks, ADeletionNeedsAMatcherThatRefusesTheEmptyValue) {
  EXPECT_EQ(store_->delete_series(tenant_, {Matcher::equal("x", "")}, {}).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(StoreBlocks, OneTenantsDeletionLeavesTheOthersAlone) {
  append("a", 0, 1);
  tenant_ = TenantId{"other"};
  append("a", 0, 2);
  ASSERT_TRUE(store_->delete_series(tenant_, {Matcher::equal("__name__", "a")}, {}));
  EXPECT_TRUE(contents().empty());
  ASSERT_TRUE(store_->compact());
  tenant_ = default_tenant();
  EXPECT_EQ(contents(), (Model{{"a", {{0, 1}}}}));
}

TEST_F(StoreBlocks, ADamagedBlockIsSetAsideReportedAndTheRestServes) {
  append("a", 0, 1);
  append("b", kDay, 2);
  ASSERT_TRUE(store_->flush());
  store_.reset();
  const auto entries = files_.list("series/blocks").value();
  ASSERT_EQ(entries.size(), 2u);
  ASSERT_TRUE(files_.flip_bits("series/blocks/" + entries[0].name, entries[0].size_bytes - 4, 0xff));
  open();
  EXPECT_EQ(contents(), (Model{{"b", {{kDay, 2}}}}));
  ASSERT_EQ(store_->report().damaged.size(), 1u);
  EXPECT_TRUE(files_.exists("series/blocks/" + entries[0].name + ".damaged"));
}

TEST_F(StoreBlocks, VerifyingFindsDamageInsideABlockAndSetsItAside) {
  append("a", 0, 1);
  append("b", kDay, 2);
  ASSERT_TRUE(store_->flush());
  EXPECT_TRUE(store_->verify()->empty());
  const auto entries = files_.list("series/blocks").value();
  store_.reset();
  const auto path = "series/blocks/" + entries[0].name;
  for (std::uint64_t offset = 0;; ++offset) {  // a place that opening does not look at
    ASSERT_LT(offset, entries[0].size_bytes);
    ASSERT_TRUE(files_.flip_bits(path, offset, 0x01));
    if (Block::open(files_, path)) break;
    ASSERT_TRUE(files_.flip_bits(path, offset, 0x01));
  }
  open();
  EXPECT_TRUE(store_->report().damaged.empty());
  const auto found = store_->verify().value();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NE(found[0].find(entries[0].name), std::string::npos);
  EXPECT_EQ(contents(), (Model{{"b", {{kDay, 2}}}}));
  EXPECT_TRUE(files_.exists("series/blocks/" + entries[0].name + ".damaged"));
}

TEST_F(StoreBlocks, ASnapshotIsAStoreOfItsOwnThatStaysAsItWas) {
  append("a", 0, 1);
  append("gone", 0, 1);
  ASSERT_TRUE(store_->flush());
  ASSERT_TRUE(store_->delete_series(tenant_, {Matcher::equal("__name__", "gone")}, {}));
  append("a", 5, 2);
  const auto wanted = contents();
  const auto place = store_->snapshot().value();
  append("a", 10, 3);
  ASSERT_TRUE(store_->delete_series(tenant_, {Matcher::equal("__name__", "a")}, {}));
  ASSERT_TRUE(store_->compact());
  files_.power_cut();
  options_.directory = place;
  open();
  EXPECT_EQ(contents(), wanted);
}

TEST_F(StoreBlocks, IdsAreNeverUsedTwiceAcrossRestarts) {
  append("a", 0, 1);
  const auto first = store_->resolve(tenant_, Labels{{"__name__", "a"}}).value();
  options_.flush_on_stop = true;
  open();  // the old one was opened without
  store_->stop();
  open();
  EXPECT_GT(store_->resolve(tenant_, Labels{{"__name__", "new"}}).value(), first);
}

TEST_F(StoreBlocks, KilledAfterAFlushTheSeriesThatLiveKeepTheirIds) {
  append("a", 0, 1);
  const auto first = store_->resolve(tenant_, Labels{{"__name__", "a"}}).value();
  ASSERT_TRUE(store_->flush());
  append("a", 1, 2);
  files_.power_cut();
  open();
  EXPECT_EQ(store_->resolve(tenant_, Labels{{"__name__", "a"}}).value(), first);
  EXPECT_EQ(contents(), (Model{{"a", {{0, 1}, {1, 2}}}}));
}

/// Appends in and out of order over days, flushes, merges, deletions, kills, against a map.
TEST_F(StoreBlocks, MatchesAMapOverRandomLives) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  options_.head_chunk_samples = 4;
  options_.block.chunk_samples = 4;
  options_.block.page_bytes = 128;
  options_.window = std::chrono::hours{24 * 10};
  options_.segment_bytes = 4096;
  open();
  Model model;
  for (int i = 0; i < 3000; ++i) {
    const auto name = "m" + std::to_string(random() % 10);
    const auto at = static_cast<std::int64_t>(random() % 300) * (3 * kDay / 300);
    append(name, at, i);
    model[name].emplace(at, i);
    bool look = true;
    switch (random() % 200) {
      case 0: ASSERT_TRUE(store_->flush()); break;
      case 1: ASSERT_TRUE(store_->compact()); break;
      case 2: store_->maintain(); break;
      case 3: {
        const auto gone = "m" + std::to_string(random() % 10);
        const auto from = static_cast<std::int64_t>(random() % (2 * kDay));
        ASSERT_TRUE(store_->delete_series(tenant_, {Matcher::equal("__name__", gone)},
                                          {from_ms(kStart + from), from_ms(kStart + from + kDay / 2)}));
        std::erase_if(model[gone], [&](const auto& one) { return one.first >= from && one.first <= from + kDay / 2; });
        if (model[gone].empty()) model.erase(gone);
        break;
      }
      case 4:
        files_.power_cut();
        open();
        break;
      default: look = false;
    }
    if (look) {
      ASSERT_TRUE(contents() == model) << "after " << i;
    }
  }
}

}  // namespace
}  // namespace atalaya::tsdb
