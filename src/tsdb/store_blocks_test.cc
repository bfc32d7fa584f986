// What a Store does with blocks: flushing, merging, deleting, dropping.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "tsdb/partitioned_writer.h"
#include "tsdb/store_test_support.h"

namespace atalaya::tsdb {
namespace {

/// Calls back before a file is begun whose name holds a word; once.
class TellingFileSystem final : public io::FileSystem {
 public:
  TellingFileSystem(io::FileSystem& below, std::string word) : below_(below), word_(std::move(word)) {}
  std::function<void()> told;

  Result<std::unique_ptr<io::File>> open_append(const std::string& path) override {
    if (told && path.find(word_) != std::string::npos) std::exchange(told, {})();
    return below_.open_append(path);
  }
  Result<std::unique_ptr<io::File>> open_read(const std::string& path) override { return below_.open_read(path); }
  Result<std::unique_ptr<io::Mapping>> map(const std::string& path, io::MapSource source) override {
    return below_.map(path, source);
  }
  Result<std::vector<io::DirectoryEntry>> list(const std::string& path) override { return below_.list(path); }
  Status create_directories(const std::string& path) override { return below_.create_directories(path); }
  Status remove(const std::string& path) override { return below_.remove(path); }
  Status remove_all(const std::string& path) override { return below_.remove_all(path); }
  Status rename(const std::string& from, const std::string& to) override { return below_.rename(from, to); }
  Status link(const std::string& from, const std::string& to) override { return below_.link(from, to); }
  Status sync_directory(const std::string& path) override { return below_.sync_directory(path); }
  bool exists(const std::string& path) override { return below_.exists(path); }
  Result<std::uint64_t> free_bytes(const std::string& path) override { return below_.free_bytes(path); }
  Result<std::unique_ptr<void, void (*)(void*)>> lock(const std::string& path) override { return below_.lock(path); }

 private:
  io::FileSystem& below_;
  const std::string word_;
};

class StoreBlocks : public StoreTest {
 protected:
  StoreBlocks() {
    clock_.jump_to(from_ms(kStart + 3 * kDay));
    options_.retention = std::chrono::hours{24 * 30};
    open();
  }
};
INSTANTIATE_TEST_SUITE_P(Under, StoreBlocks, testing::ValuesIn(kHostileOptions), name_of);

/// Names and ids in the order of a selection.
std::vector<std::pair<std::string, std::uint64_t>> selected(const Store& store) {
  std::vector<std::pair<std::string, std::uint64_t>> out;
  auto found = store.select(default_tenant(), {Matcher::make("__name__", Matcher::Op::kRegex, ".+").value()}, {});
  EXPECT_TRUE(found);
  for (const auto& one : *found) out.emplace_back(one.labels->get("__name__"), one.id.value());
  return out;
}

TEST_P(StoreBlocks, SeriesOfBlocksHaveTheIdsOfMemoryWhileItKnowsThem) {
  constexpr int kSeries = 200;
  const auto name = [](int i) { return "s" + std::to_string(1000 + i); };
  for (int i = kSeries; i-- > 0;) append_unflushed(name(i), 0, i);
  ASSERT_TRUE(store_->flush());
  for (int i = 0; i < kSeries; i += 50) append_unflushed(name(i) + "x", 1, i);
  const auto before = contents();
  const auto first = selected(*store_);
  ASSERT_EQ(first.size(), kSeries + 4u);
  EXPECT_TRUE(std::is_sorted(first.begin(), first.end()));
  for (const auto& [series, number] : first) EXPECT_EQ(number, id(series).value());
  EXPECT_EQ(selected(*store_), first) << "asked again";
  EXPECT_EQ(contents(), before);

  ASSERT_TRUE(store_->flush());
  clock_.advance(std::chrono::hours{3});
  append_unflushed("another", 2, 1);
  ASSERT_TRUE(store_->flush());  // retires what was idle
  auto later = selected(*store_);
  ASSERT_EQ(later.size(), first.size() + 1);
  EXPECT_TRUE(std::is_sorted(later.begin(), later.end()));
  for (const auto& [series, number] : later) {
    EXPECT_EQ(number, series == "another" ? id(series).value() : 0u) << series;
  }
  append_unflushed(name(3), 3, 7);
  for (const auto& [series, number] : selected(*store_)) {
    if (series == name(3)) {
      EXPECT_EQ(number, id(series).value());
    }
  }
  EXPECT_EQ(contents().at(name(3)), (std::map<std::int64_t, double>{{0, 3}, {3, 7}}));
}

TEST_P(StoreBlocks, AFlushMovesMemoryToOneBlockADayAndDropsTheLog) {
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

TEST_P(StoreBlocks, SamplesBeforeAndAfterAFlushAreOneSeriesWithItsId) {
  append("a", 0, 1);
  ASSERT_TRUE(store_->flush());
  append("a", 10, 2);
  auto found = store_->select(tenant_, {Matcher::equal("__name__", "a")}, {}).value();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].id, store_->resolve(tenant_, Labels{{"__name__", "a"}}).value());
  EXPECT_EQ(contents(), (StoreModel{{"a", {{0, 1}, {10, 2}}}}));
  auto one = store_->series(tenant_, found[0].id, {}).value();
  Sample sample;
  int count = 0;
  while (one.samples->next(sample)) ++count;
  EXPECT_EQ(count, 2);
}

TEST_P(StoreBlocks, TheFirstValueStandsAcrossFlushesMergesAndRestarts) {
  append("a", 0, 1);
  ASSERT_TRUE(store_->flush());
  files_.power_cut();
  open();
  append("a", 0, 2);  // memory knows nothing of the block
  append("a", 5, 3);
  const StoreModel wanted{{"a", {{0, 1}, {5, 3}}}};
  EXPECT_EQ(contents(), wanted);
  ASSERT_TRUE(store_->flush());
  EXPECT_EQ(contents(), wanted);
  ASSERT_TRUE(store_->compact());
  EXPECT_EQ(store_->blocks().size(), 1u);
  EXPECT_EQ(contents(), wanted);
}

TEST_P(StoreBlocks, StaleMarkersAreExactEverywhere) {
  append("a", 0, 1);
  append("a", 5, stale_marker());
  ASSERT_TRUE(store_->flush());
  auto found = store_->select(tenant_, {Matcher::equal("__name__", "a")}, {}).value();
  Sample sample;
  ASSERT_TRUE(found[0].samples->next(sample));
  ASSERT_TRUE(found[0].samples->next(sample));
  EXPECT_TRUE(is_stale(sample.value));
}

TEST_P(StoreBlocks, RangesReadOnlyWhatTheyCover) {
  for (int i = 0; i < 100; ++i) append("a", i * 10, i);
  ASSERT_TRUE(store_->flush());
  for (int i = 100; i < 200; ++i) append("a", i * 10, i);
  EXPECT_EQ(contents({from_ms(kStart + 980), from_ms(kStart + 1010)}),
            (StoreModel{{"a", {{980, 98}, {990, 99}, {1000, 100}, {1010, 101}}}}));
  EXPECT_TRUE(contents({from_ms(kStart + 981), from_ms(kStart + 989)}).empty());
  EXPECT_TRUE(contents({from_ms(kStart + 5000), from_ms(kStart + 9000)}).empty());
}

TEST_P(StoreBlocks, ManySmallBlocksOfADayBecomeFew) {
  options_.flush_age = std::chrono::minutes{1};
  open();
  StoreModel wanted;
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

/// Merging a day takes minutes.
TEST_P(StoreBlocks, WhatComesDuringAMergeIsWrittenToBlocksMeanwhile) {
  TellingFileSystem telling(files_, ".block.new");
  options_.flush_bytes = 1;
  store_.reset();
  store_ = try_open(telling).value();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(append_unflushed("a", i, i));
    ASSERT_TRUE(store_->flush());
  }
  EXPECT_TRUE(metrics_say("atalaya_tsdb_flushes_total 3"));
  telling.told = [&] {
    EXPECT_TRUE(append_unflushed("a", 10, 10));
    clock_.advance(std::chrono::seconds{1});
  };
  ASSERT_TRUE(store_->compact());
  EXPECT_FALSE(telling.told);
  EXPECT_TRUE(metrics_say("atalaya_tsdb_flushes_total 4"));
  const StoreModel wanted{{"a", {{0, 0}, {1, 1}, {2, 2}, {10, 10}}}};
  EXPECT_EQ(contents(), wanted);
  files_.power_cut();
  store_.reset();
  open();
  EXPECT_EQ(store_->report().samples, 0u);  // nothing was left in memory
  EXPECT_EQ(contents(), wanted);
}

TEST_P(StoreBlocks, WhatAgedOutGoes) {
  append("old", 0, 1);
  append("young", 3 * kDay, 1);
  ASSERT_TRUE(store_->flush());
  clock_.advance(std::chrono::hours{24 * 28});
  store_->maintain();
  EXPECT_EQ(contents(), (StoreModel{{"young", {{3 * kDay, 1}}}}));
  EXPECT_EQ(files_.list("series/blocks")->size(), 1u);
}

TEST_P(StoreBlocks, ADeletionHidesAtOnceAndLaterErases) {
  for (int i = 0; i < 10; ++i) {
    append("a", i, i);
    append("b", i, i);
  }
  ASSERT_TRUE(store_->flush());
  append("a", 20, 20);  // still in memory
  ASSERT_TRUE(store_->delete_series(tenant_, {Matcher::equal("__name__", "a")}, {from_ms(kStart + 5), kMaxTime}));
  StoreModel wanted{{"a", {{0, 0}, {1, 1}, {2, 2}, {3, 3}, {4, 4}}}, {"b", {}}};
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

TEST_P(StoreBlocks, ADeletionNeedsAMatcherThatRefusesTheEmptyValue) {
  EXPECT_EQ(store_->delete_series(tenant_, {Matcher::equal("x", "")}, {}).error().code, ErrorCode::kInvalidArgument);
}

TEST_P(StoreBlocks, OneTenantsDeletionLeavesTheOthersAlone) {
  append("a", 0, 1);
  tenant_ = TenantId{"other"};
  append("a", 0, 2);
  ASSERT_TRUE(store_->delete_series(tenant_, {Matcher::equal("__name__", "a")}, {}));
  EXPECT_TRUE(contents().empty());
  ASSERT_TRUE(store_->compact());
  tenant_ = default_tenant();
  EXPECT_EQ(contents(), (StoreModel{{"a", {{0, 1}}}}));
}

TEST_P(StoreBlocks, ASnapshotIsAStoreOfItsOwnThatStaysAsItWas) {
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

TEST_P(StoreBlocks, WhatIsWrittenToARestoredSnapshotIsYoungerThanItsDeletions) {
  append("a", 0, 1);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(store_->flush());  // each takes a sequence, whether or not it writes a block
  ASSERT_TRUE(store_->delete_series(tenant_, {Matcher::equal("__name__", "a")}, {}));
  options_.directory = store_->snapshot().value();
  open();
  append("a", 5, 2);
  const StoreModel wanted = {{"a", {{5, 2}}}};
  EXPECT_EQ(contents(), wanted);
  ASSERT_TRUE(store_->flush());
  EXPECT_EQ(contents(), wanted);
  ASSERT_TRUE(store_->compact());
  EXPECT_EQ(contents(), wanted);
}

TEST_P(StoreBlocks, WhoSelectsIsAskedBeforeSeriesAreLookedUp) {
  append("a", 0, 1);
  ASSERT_TRUE(store_->flush());
  store_.reset();
  open();
  append("b", 5, 1);
  std::size_t asked = 0;
  std::size_t most = 0;
  storage::SelectHints hints;
  hints.on_series = [&](std::size_t series) -> Status {
    asked += series;
    return asked <= most ? Status{} : fail(ErrorCode::kUnprocessable, "too many");
  };
  const auto select = [&](std::size_t at_most) {
    asked = 0;
    most = at_most;
    return store_->select_hinted(tenant_, {Matcher::make("__name__", Matcher::Op::kRegex, "a|b").value()}, {}, hints);
  };
  ASSERT_TRUE(select(100));  // the block learns who is in memory
  EXPECT_EQ(select(100).value().size(), 2u);
  const auto needed = asked;
  EXPECT_GE(needed, 2u);
  EXPECT_TRUE(select(needed));
  for (std::size_t fewer = 0; fewer < needed; ++fewer) EXPECT_EQ(select(fewer).error().message, "too many") << fewer;
}

TEST_P(StoreBlocks, ASnapshotIsRemovedByItsNameAndNothingElseIs) {
  append("a", 0, 1);
  const auto first = store_->snapshot().value();
  const auto second = store_->snapshot().value();
  const auto name_of = [](const std::string& place) { return place.substr(place.rfind('/') + 1); };
  ASSERT_TRUE(store_->remove_snapshot(name_of(first)));
  EXPECT_FALSE(files_.exists(first));
  EXPECT_TRUE(files_.exists(second));
  for (const std::string& name : {name_of(first), std::string("../blocks"), std::string(".."), std::string()}) {
    const auto removed = store_->remove_snapshot(name);
    ASSERT_FALSE(removed) << name;
    EXPECT_EQ(removed.error().code, ErrorCode::kNotFound);
    EXPECT_EQ(removed.error().remedy, "there are " + name_of(second));
  }
  EXPECT_EQ(contents(), (StoreModel{{"a", {{0, 1}}}}));
}

TEST_P(StoreBlocks, IdsAreNeverUsedTwiceAcrossRestarts) {
  append("a", 0, 1);
  const auto first = store_->resolve(tenant_, Labels{{"__name__", "a"}}).value();
  options_.flush_on_stop = true;
  open();  // the old one was opened without
  store_->stop();
  open();
  EXPECT_GT(store_->resolve(tenant_, Labels{{"__name__", "new"}}).value(), first);
}

TEST_P(StoreBlocks, KilledAfterAFlushTheSeriesThatLiveKeepTheirIds) {
  append("a", 0, 1);
  const auto first = store_->resolve(tenant_, Labels{{"__name__", "a"}}).value();
  ASSERT_TRUE(store_->flush());
  append("a", 1, 2);
  files_.power_cut();
  open();
  EXPECT_EQ(store_->resolve(tenant_, Labels{{"__name__", "a"}}).value(), first);
  EXPECT_EQ(contents(), (StoreModel{{"a", {{0, 1}, {1, 2}}}}));
}

/// Somebody takes out what was wrong and sends it again.
TEST_P(StoreBlocks, WhatWasDeletedMayComeAgain) {
  open();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(append("a", i, i));
  ASSERT_TRUE(store_->delete_series(tenant_, {Matcher::equal("__name__", "a")}, {}));
  EXPECT_TRUE(contents().empty());
  for (int i = 9; i >= 0; --i) EXPECT_EQ(append("a", i, 10 * i).value().accepted, 1u) << i;
  StoreModel wanted;
  for (int i = 0; i < 10; ++i) wanted["a"][i] = 10 * i;
  EXPECT_EQ(contents(), wanted);
  store_->maintain();
  EXPECT_EQ(contents(), wanted);
}

/// An import may bring all days since 1970, each series its own.
TEST_P(StoreBlocks, MoreStretchesThanFilesAreOpenAtOnceAreFlushed) {
  constexpr int kStretches = 3 * static_cast<int>(PartitionedWriter::kMostOpen) + 5;
  const auto length = options_.partition.count();
  clock_.jump_to(from_ms(kStart + (kStretches + 1) * std::max(length, kDay)));
  options_.retention = 2 * (clock_.now() - from_ms(kStart));
  open();
  StoreModel wanted;
  std::mt19937_64 random(5);
  for (const auto* name : {"a", "b", "c"}) {
    storage::SampleBatch batch;
    for (int i = 0; i < kStretches; ++i) {
      if (random() % 4 == 0) continue;
      const auto ms = i * length + 7;
      batch.samples.push_back({id(name), from_ms(kStart + ms), i * 0.5});
      wanted[name][ms] = i * 0.5;
    }
    ASSERT_TRUE(append(std::move(batch)));
  }
  ASSERT_TRUE(store_->flush());
  EXPECT_EQ(contents(), wanted);
  files_.power_cut();
  open();
  EXPECT_EQ(contents(), wanted);
}

/// A year of blocks is not written anew for one series of a day.
TEST_P(StoreBlocks, OnlyThoseThatHaveADeletedSeriesAreWrittenAnew) {
  open();
  for (const auto* name : {"a", "b"}) ASSERT_TRUE(append(name, 0, 1));
  ASSERT_TRUE(append("b", kDay, 2));
  ASSERT_TRUE(store_->flush());
  ASSERT_TRUE(store_->compact());
  const auto names = [&] {
    std::set<std::string> out;
    const auto entries = files_.list("series/blocks").value();
    for (const auto& entry : entries) out.insert(entry.name);
    return out;
  };
  const auto before = names();
  ASSERT_EQ(before.size(), 2u);
  ASSERT_TRUE(store_->delete_series(tenant_, {Matcher::equal("__name__", "a")}, {}));
  ASSERT_TRUE(store_->compact());
  const auto after = names();
  std::vector<std::string> stayed;
  std::set_intersection(before.begin(), before.end(), after.begin(), after.end(), std::back_inserter(stayed));
  EXPECT_EQ(stayed.size(), 1u);
  EXPECT_EQ(after.size(), 2u);
  EXPECT_EQ(contents(), (StoreModel{{"b", {{0, 1}, {kDay, 2}}}}));
}

/// Of a series that lives on: however far behind its youngest that is.
TEST_P(StoreBlocks, WhatWasDeletedInTheMidstMayComeAgain) {
  open();
  for (const auto* name : {"a", "b"}) {
    ASSERT_TRUE(append(name, kDay, 1));
    ASSERT_TRUE(append(name, 3 * kDay, 2));
  }
  ASSERT_TRUE(store_->delete_series(tenant_, {Matcher::equal("__name__", "a")},
                                    {from_ms(kStart + kDay - 10), from_ms(kStart + kDay + 10)}));
  EXPECT_EQ(append("a", kDay, 5).value().accepted, 1u);
  EXPECT_EQ(append("a", kDay + 5, 6).value().accepted, 1u);
  EXPECT_EQ(append("a", kDay + 11, 7).value().too_old, 1u);
  EXPECT_EQ(append("b", kDay + 5, 7).value().too_old, 1u);
  const StoreModel wanted{{"a", {{kDay, 5}, {kDay + 5, 6}, {3 * kDay, 2}}}, {"b", {{kDay, 1}, {3 * kDay, 2}}}};
  EXPECT_EQ(contents(), wanted);
  store_->maintain();
  ASSERT_TRUE(store_->compact());
  EXPECT_EQ(contents(), wanted);
}

TEST_P(StoreBlocks, TheYoungestSampleAloneMayComeAgain) {
  open();
  ASSERT_TRUE(append("a", 0, 1));
  ASSERT_TRUE(append("a", 1000, 2));
  ASSERT_TRUE(append("b", 1000, 3));
  ASSERT_TRUE(store_->delete_series(tenant_, {Matcher::equal("__name__", "a")}, {from_ms(kStart + 500), kMaxTime}));
  EXPECT_EQ(append("a", 1000, 4).value().accepted, 1u);
  EXPECT_EQ(contents(), (StoreModel{{"a", {{0, 1}, {1000, 4}}}, {"b", {{1000, 3}}}}));
}

TEST_P(StoreBlocks, NobodyIsToldTheLabelsOfASeriesThatIsDeletedWholly) {
  open();
  const auto names = [&](const Matchers& matchers) { return store_->label_values(tenant_, "__name__", matchers); };
  using Names = std::vector<std::string>;
  for (const auto* name : {"a", "b"}) ASSERT_TRUE(append(name, 0, 1));
  ASSERT_TRUE(store_->delete_series(tenant_, {Matcher::equal("__name__", "a")}, {}));
  ASSERT_TRUE(store_->compact());
  EXPECT_EQ(names({}), Names{"b"});
  EXPECT_EQ(names({Matcher::make("__name__", Matcher::Op::kRegex, ".+").value()}), Names{"b"});
  EXPECT_EQ(store_->label_names(tenant_, {}), Names{"__name__"});
  ASSERT_TRUE(append("a", 5, 1));
  EXPECT_EQ(names({}), (Names{"a", "b"}));
  ASSERT_TRUE(store_->delete_series(tenant_, {Matcher::make("__name__", Matcher::Op::kRegex, ".+").value()}, {}));
  ASSERT_TRUE(store_->compact());
  EXPECT_TRUE(names({}).empty());
  EXPECT_TRUE(store_->label_names(tenant_, {}).empty());
}

}  // namespace
}  // namespace atalaya::tsdb
