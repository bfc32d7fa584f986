// What a Store refuses, and how it comes back.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <optional>
#include <random>
#include <thread>

#include "tsdb/store_test_support.h"

namespace atalaya::tsdb {
namespace {

class StoreLimits : public StoreTest {};
INSTANTIATE_TEST_SUITE_P(Under, StoreLimits, testing::ValuesIn(kHostileOptions), name_of);

TEST_P(StoreLimits, AFullDiskRefusesWritesServesReadsAndRecovers) {
  open();
  ASSERT_TRUE(append("up", 1000, 1, {"agent:a", 1}));
  files_.set_capacity(0);
  const auto refused = append("up", 2000, 2, {"agent:a", 2});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(refused.error().remedy.empty());
  EXPECT_EQ(contents(), (StoreModel{{"up", {{1000, 1}}}}));
  EXPECT_TRUE(metrics_say("atalaya_tsdb_read_only 1"));
  files_.set_capacity(1 << 20);
  EXPECT_FALSE(append("up", 2000, 2, {"agent:a", 2}));  // not tried again yet
  clock_.advance(Duration{1000});
  EXPECT_TRUE(append("up", 2000, 2, {"agent:a", 2}));
  EXPECT_TRUE(metrics_say("atalaya_tsdb_read_only 0"));
  files_.power_cut();
  open();
  EXPECT_EQ(contents(), (StoreModel{{"up", {{1000, 1}, {2000, 2}}}}));
}

TEST_P(StoreLimits, WithLessThanItsReserveItRefusesWritesAndComesBackByItself) {
  options_.disk_reserve_bytes = 1 << 20;
  open();
  ASSERT_TRUE(append("up", 1000, 1));
  files_.set_capacity((1 << 20) - 1);
  clock_.advance(Duration{1000});
  const auto refused = append("up", 2000, 2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(refused.error().message.find("reserve of 1048576 bytes"), std::string::npos);
  EXPECT_TRUE(metrics_say("atalaya_tsdb_read_only 1"));
  files_.set_capacity(3 << 20);
  clock_.advance(Duration{1000});
  EXPECT_TRUE(append("up", 2000, 2));
  EXPECT_TRUE(metrics_say("atalaya_tsdb_read_only 0"));
}

TEST_P(StoreLimits, MoreSamplesThanATenantMaySendAreRefusedByName) {
  options_.max_samples_per_second = 1;
  open();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(append("up", i, i));
  const auto refused = append("up", 11000, 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  EXPECT_NE(refused.error().message.find("max_samples_per_second is 1"), std::string::npos);
  const auto mine = std::exchange(tenant_, TenantId{"other"});
  EXPECT_TRUE(append("up", 11000, 1));  // another tenant notices nothing
  tenant_ = mine;
  clock_.advance(Duration{1000});
  EXPECT_TRUE(append("up", 12000, 1));
}

TEST_P(StoreLimits, ThatSeriesAreRefusedIsLoggedOnceAMinute) {
  options_.max_series_per_tenant = 1;
  open();
  id("first");
  const auto complaints = [&] {
    testing::internal::CaptureStderr();
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(store_->resolve(tenant_, Labels{{"__name__", "other"}}));
    const auto log = testing::internal::GetCapturedStderr();
    int count = 0;
    for (auto at = log.find("series are refused"); at != std::string::npos;
         at = log.find("series are refused", at + 1)) {
      ++count;
    }
    return count;
  };
  EXPECT_EQ(complaints(), 1);
  EXPECT_EQ(complaints(), 0);
  clock_.advance(std::chrono::minutes{1});
  EXPECT_EQ(complaints(), 1);
}

TEST_P(StoreLimits, BeyondItsMemoryNoNewSeriesAreMadeAndKnownOnesGoOn) {
  options_.memory_bytes = 200'000;
  open();
  ASSERT_TRUE(append("known", 1000, 1));
  Result<SeriesId> made = SeriesId{0};
  for (int i = 0; i < 5000 && made; ++i) {
    if (i % 100 == 0) store_->maintain();
    made = store_->resolve(tenant_, Labels{{"__name__", "bomb"}, {"n", std::to_string(i)}});
  }
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kResourceExhausted);
  EXPECT_NE(made.error().message.find("memory_bytes is 200000"), std::string::npos);
  EXPECT_TRUE(append("known", 2000, 1));
  EXPECT_TRUE(metrics_say("atalaya_tsdb_refused_series_total{reason=\"memory\"} 1\n"));
}

/// Of the whole process, which other things than series fill as well.
TEST_P(StoreLimits, BeyondTheBudgetOfTheProcessNoNewSeriesAreMadeUntilThereIsRoom) {
  testing::internal::CaptureStderr();
  std::uint64_t taken = 0;
  telemetry::MemoryBudget budget(1'000'000, {[&] { return taken; }, [] {}}, metrics_);
  options_.budget = &budget;
  options_.memory_bytes = 0;
  open();
  ASSERT_TRUE(append("known", 1000, 1));
  const auto make = [&] { return store_->resolve(tenant_, Labels{{"__name__", "new"}}); };
  taken = 950'000;
  budget.look();
  const auto made = make();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kResourceExhausted);
  EXPECT_NE(made.error().message.find("budget is 1000000"), std::string::npos) << made.error().message;
  EXPECT_TRUE(append("known", 2000, 1)) << "known ones go on";
  store_->maintain();
  EXPECT_EQ(contents(), (StoreModel{{"known", {{1000, 1}, {2000, 1}}}}));
  taken = 750'000;
  budget.look();
  EXPECT_FALSE(make());
  taken = 690'000;
  budget.look();
  EXPECT_TRUE(make());
  EXPECT_TRUE(metrics_say("atalaya_tsdb_refused_series_total{reason=\"memory\"} 2\n"));
  testing::internal::GetCapturedStderr();
}

/// A flush builds an index of all series: what that will take is not given away.
TEST_P(StoreLimits, RoomForTheIndexOfTheNextFlushIsKeptFree) {
  testing::internal::CaptureStderr();
  telemetry::MemoryBudget budget(1'000'000, {[] { return std::uint64_t{500'000}; }, [] {}}, metrics_);
  options_.budget = &budget;
  options_.memory_bytes = 0;
  open();
  std::optional<Error> refused;
  int made = 0;
  for (; made < 5000 && !refused; ++made) {
    if (made % 100 == 0) {
      store_->maintain();
      budget.look();
    }
    auto one = store_->resolve(tenant_, Labels{{"__name__", "bomb"}, {"n", std::to_string(made)}});
    if (!one) refused = std::move(one).error();
  }
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code, ErrorCode::kResourceExhausted);
  EXPECT_GT(made, 100);
  EXPECT_LT(made, 1500) << "300,000 bytes, 400 a series, and a hundred between two looks";
  budget.look();
  EXPECT_TRUE(budget.is_tight());
  EXPECT_FALSE(budget.is_short()) << "what is only expected makes nobody give back what serves, nor flush the sooner";
  testing::internal::GetCapturedStderr();
}

/// Who has most is refused first; nobody gets the last of it.
TEST_P(StoreLimits, WhereMemoryIsLittleATenantWithFewSeriesGetsNewOnesWhileOneWithManyDoesNot) {
  testing::internal::CaptureStderr();
  std::uint64_t taken = 0;
  telemetry::MemoryBudget budget(1'000'000, {[&] { return taken; }, [] {}}, metrics_);
  options_.budget = &budget;
  options_.memory_bytes = 0;
  open();
  const TenantId bomber{"bomber"};
  int made = 0;
  const auto make = [&](const TenantId& tenant) {
    return store_->resolve(tenant, Labels{{"__name__", "x"}, {"n", std::to_string(++made)}});
  };
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(make(bomber));
  ASSERT_TRUE(make(tenant_));
  taken = 900'000;
  budget.look();
  store_->maintain();
  const auto refused = make(bomber);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("budget is 1000000"), std::string::npos);
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(make(tenant_)) << i;
  EXPECT_FALSE(make(tenant_)) << "a third of 31, one more tenant counted, is its share";
  EXPECT_TRUE(make(TenantId{"newcomer"}));
  ASSERT_TRUE(store_->delete_series(bomber, {Matcher::equal("__name__", "x")}, {}));
  store_->maintain();
  EXPECT_TRUE(make(bomber));
  for (int i = 0; i < 9; ++i) {
    EXPECT_TRUE(make(TenantId{"newcomer"})) << i << ": a quarter of 41, as what is deleted takes memory for a while";
  }
  EXPECT_FALSE(make(TenantId{"newcomer"}));
  taken = 1000;
  EXPECT_FALSE(make(TenantId{"newcomer"}));
  testing::internal::GetCapturedStderr();
}

TEST_P(StoreLimits, SeriesThatWereDeletedWhollyLeaveRoomForOthersAlsoAfterAKill) {
  options_.memory_bytes = 0;
  options_.max_series_per_tenant = 3;
  options_.flush_on_stop = false;
  open();
  for (const auto* name : {"a", "b", "stays"}) ASSERT_TRUE(append(name, 1000, 1));
  const auto known = id("a");
  EXPECT_FALSE(store_->resolve(tenant_, Labels{{"__name__", "c"}}));
  ASSERT_TRUE(store_->delete_series(tenant_, {Matcher::make("__name__", Matcher::Op::kRegex, "a|b").value()}, {}));
  EXPECT_EQ(store_->cardinality(tenant_, 10).series, 1u);
  ASSERT_TRUE(append("c", 2000, 3));
  // Whoever has an id may use it still.
  storage::SampleBatch batch{{{known, from_ms(kStart + 3000), 4}}, {}};
  bool done = false;
  store_->append(tenant_, batch, [&](const Result<storage::Appended>& result) { done = result.has_value(); });
  EXPECT_TRUE(done);
  EXPECT_EQ(store_->cardinality(tenant_, 10).series, 3u);
  EXPECT_FALSE(store_->resolve(tenant_, Labels{{"__name__", "b"}})) << "it comes as a new one";
  const StoreModel wanted{{"stays", {{1000, 1}}}, {"c", {{2000, 3}}}, {"a", {{3000, 4}}}};
  EXPECT_EQ(contents(), wanted);
  ASSERT_TRUE(store_->flush());  // until then the log that judges may ask for knows them
  store_.reset();
  open();
  EXPECT_EQ(contents(), wanted);
  EXPECT_EQ(store_->cardinality(tenant_, 10).series, 3u);
  ASSERT_TRUE(store_->delete_series(tenant_, {Matcher::equal("__name__", "a")}, {}));
  ASSERT_TRUE(store_->flush());
  store_.reset();
  open();
  EXPECT_EQ(store_->cardinality(tenant_, 10).series, 2u);
  EXPECT_TRUE(store_->resolve(tenant_, Labels{{"__name__", "d"}}));
}

TEST_P(StoreLimits, BelowTheReserveDeletionFlushAndSnapshotStillRunAndGiveRoom) {
  options_.disk_reserve_bytes = 8 << 20;
  int asked = 0;
  options_.make_room = [&] { ++asked; };
  open();
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(append("stays", i * 100, i));
    ASSERT_TRUE(append("goes", i * 100, i * 0.37));
  }
  ASSERT_TRUE(store_->flush());
  EXPECT_EQ(asked, 0);
  auto wanted = contents();
  wanted.erase("goes");
  testing::internal::CaptureStderr();
  files_.set_capacity(4 << 20);
  clock_.advance(Duration{1000});
  ASSERT_FALSE(append("stays", 20'000, 1));
  const auto deleted = store_->delete_series(tenant_, {Matcher::equal("__name__", "goes")}, {});
  ASSERT_TRUE(deleted) << to_string(deleted.error());
  EXPECT_EQ(contents(), wanted);
  store_->maintain();
  std::uint64_t samples = 0;
  for (const auto& block : store_->blocks()) samples += block.samples;
  EXPECT_EQ(samples, 50u) << "erased, not only hidden";
  EXPECT_TRUE(store_->flush());
  EXPECT_TRUE(store_->snapshot());
  EXPECT_EQ(asked, 1) << "by the deletion alone";
  EXPECT_FALSE(append("stays", 20'000, 1)) << "samples still are not taken";
  files_.set_capacity(64 << 20);
  clock_.advance(Duration{1000});
  EXPECT_TRUE(append("stays", 20'000, 1));
  wanted["stays"][20'000] = 1;
  files_.power_cut();
  open();
  EXPECT_EQ(contents(), wanted);
  testing::internal::GetCapturedStderr();
}

/// However many records that makes of it in the log.
TEST_P(StoreLimits, WhatTheWireTakesIsNeverTooMuchForTheLog) {
  options_.retention = std::chrono::hours{24 * 60};
  open();
  if (GetParam().little_memory) GTEST_SKIP() << "there a writer is told to come again";
  storage::SampleBatch batch{{}, {"agent:1", 7}};
  const auto series = id("far");
  constexpr int kSamples = 900'000;
  batch.samples.push_back({series, from_ms(kStart - 30 * kDay), 1});
  for (int i = 1; i < kSamples; ++i) batch.samples.push_back({series, from_ms(kStart - kSamples + i), i * 1.0});
  ASSERT_EQ(append(batch).value().accepted, static_cast<unsigned>(kSamples));
  storage::SampleBatch many;
  for (int i = 0; i < 4200; ++i) {
    const auto number = std::to_string(i);
    const Labels labels{{"__name__", "long" + number}, {"text", std::string(4096 - number.size(), 'x') + number}};
    many.samples.push_back({store_->resolve(tenant_, labels).value(), from_ms(kStart), 1});
  }
  ASSERT_EQ(append(std::move(many)).value().accepted, 4200u);
  open();
  const auto there = contents();
  EXPECT_EQ(there.at("far").size(), static_cast<unsigned>(kSamples));
  EXPECT_EQ(there.size(), 4201u);
  EXPECT_TRUE(append(std::move(batch)).value().repeated);
}

/// Of the rest one merge after the other is made: each needs room for itself alone.
TEST_P(StoreLimits, ADiskThatIsNearlyFullStillMergesWhatItHasRoomFor) {
  options_.retention = std::chrono::hours{24 * 365};
  clock_.jump_to(from_ms(kStart + 40 * kDay));
  open();
  if (GetParam().little_memory) GTEST_SKIP() << "there everything is merged as it comes";
  std::mt19937_64 random(9);
  for (int day = 0; day < 20; ++day) {
    for (int part = 0; part < 2; ++part) {
      storage::SampleBatch batch;
      for (int i = 0; i < 500; ++i) {
        batch.samples.push_back(
            {id("a"), from_ms(kStart + day * kDay + part * 1000 + i), static_cast<double>(random())});
      }
      ASSERT_TRUE(append(std::move(batch)));
      ASSERT_TRUE(store_->flush());
    }
  }
  std::uint64_t bytes = 0;
  for (const auto& block : store_->blocks()) bytes += block.bytes;
  const auto before = store_->blocks().size();
  const std::uint64_t plenty = std::uint64_t{1} << 40;
  files_.set_capacity(plenty - files_.free_bytes("series").value() + bytes / 6);
  store_->maintain();
  EXPECT_LT(store_->blocks().size(), before);
}

/// What a deletion hides would be in a block that is younger than it.
TEST_P(StoreLimits, WithoutRoomToEraseNoMergeBringsBackWhatIsDeleted) {
  options_.retention = std::chrono::hours{24 * 30};
  open();
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(append("stays", i * 100, i));
    ASSERT_TRUE(append("goes", i * 100, i * 0.37));
  }
  ASSERT_TRUE(store_->flush());
  ASSERT_TRUE(store_->delete_series(tenant_, {Matcher::equal("__name__", "goes")}, {}));
  ASSERT_TRUE(append("stays", 6000, 1));
  ASSERT_TRUE(store_->flush());
  const auto wanted = contents();
  ASSERT_FALSE(wanted.contains("goes"));
  const std::uint64_t plenty = std::uint64_t{1} << 40;
  files_.set_capacity(plenty - files_.free_bytes("series").value() + (512 << 10));
  clock_.advance(Duration{3 * kDay});
  store_->maintain();
  EXPECT_EQ(contents(), wanted);
  files_.set_capacity(plenty);
  store_->maintain();
  store_->maintain();
  EXPECT_EQ(contents(), wanted);
  std::uint64_t samples = 0;
  for (const auto& block : store_->blocks()) samples += block.resolution == 0 ? block.samples : 0;
  EXPECT_EQ(samples, 51u) << "erased as soon as there is room";
}

TEST_P(StoreLimits, ADeletionThatFindsNoRoomAtAllSaysWhatToDo) {
  open();
  ASSERT_TRUE(append("goes", 1000, 1));
  files_.set_capacity(0);
  const auto deleted = store_->delete_series(tenant_, {Matcher::equal("__name__", "goes")}, {});
  ASSERT_FALSE(deleted);
  EXPECT_NE(deleted.error().remedy.find("free a few megabytes"), std::string::npos);
  files_.set_capacity(64 << 20);
  clock_.advance(Duration{1000});
  EXPECT_TRUE(store_->delete_series(tenant_, {Matcher::equal("__name__", "goes")}, {}));
  EXPECT_EQ(contents(), StoreModel{});
}

/// A sample that is written where a block has another already is taken, and goes when blocks are merged.
TEST_P(StoreLimits, ASecondValueOfAnInstantInABlockIsCountedWhenItGoes) {
  open();
  ASSERT_TRUE(append_unflushed("a", 1000, 1));
  ASSERT_TRUE(store_->flush());
  store_.reset();
  open();  // what memory knew of the series is forgotten
  ASSERT_TRUE(append_unflushed("a", 1000, 2));
  ASSERT_TRUE(append_unflushed("a", 2000, 3));
  ASSERT_TRUE(store_->compact());
  EXPECT_TRUE(metrics_say("atalaya_tsdb_conflicting_samples_total 0\n"));
  ASSERT_TRUE(store_->flush());
  ASSERT_TRUE(store_->compact());
  EXPECT_TRUE(metrics_say("atalaya_tsdb_conflicting_samples_total 1\n"));
  EXPECT_EQ(contents(), (StoreModel{{"a", {{1000, 1}, {2000, 3}}}}));
}

/// Appends from a thread of its own; where memory is little a writer is told to come again, and does.
Result<storage::Appended> append_and_wait(Store& store, const TenantId& tenant, const storage::SampleBatch& batch,
                                          std::atomic<int>& sent_away) {
  for (;;) {
    std::promise<Result<storage::Appended>> done;
    store.append(tenant, batch, [&](Result<storage::Appended> result) { done.set_value(std::move(result)); });
    auto result = done.get_future().get();
    if (result || result.error().code != ErrorCode::kResourceExhausted) return result;
    ++sent_away;
    std::this_thread::yield();
  }
}

double metric(const telemetry::Registry& metrics, const std::string& name) {
  const auto text = metrics.expose();
  const auto at = text.find("\n" + name + " ");
  return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
}

/// What series of two tenants take of a store that was asked for no others.
double memory_of_series(int quiet, int bombs, Options options) {
  const ManualClock clock(from_ms(kStart + kMinute));
  telemetry::Registry metrics;
  io::MemoryFileSystem disk;
  options.commit_inline = true;
  const auto store = Store::open(disk, clock, metrics, options).value();
  for (int i = 0; i < quiet; ++i) {
    EXPECT_TRUE(store->resolve(default_tenant(), Labels{{"__name__", "quiet" + std::to_string(i)}}));
  }
  for (int i = 0; i < bombs; ++i) {
    EXPECT_TRUE(store->resolve(TenantId{"bomber"}, Labels{{"__name__", "bomb"}, {"n", std::to_string(1000 + i)}}));
  }
  store->maintain();
  return metric(metrics, "atalaya_tsdb_series_memory_bytes");
}

/// One tenant makes ten times the series that it may, as fast as it can, while another writes and reads.
TEST_P(StoreLimits, ATenantThatMakesSeriesWithoutEndDisturbsNobody) {
  constexpr int kLimit = 500;
  constexpr int kSeries = 20;
  constexpr int kRounds = 100;
  options_.commit_inline = false;
  options_.maintenance = Duration{1};
  options_.max_series_per_tenant = kLimit;
  open();
  store_->start();
  const TenantId bomber{"bomber"};
  std::atomic<int> refused = 0;
  std::atomic<int> bomber_sent_away = 0;
  std::atomic<int> sent_away = 0;
  std::vector<SeriesId> mine;
  for (int i = 0; i < kSeries; ++i) mine.push_back(id("quiet" + std::to_string(i)));
  std::thread bomb([&] {
    for (int i = 0; i < 10 * kLimit; ++i) {
      const auto made = store_->resolve(bomber, Labels{{"__name__", "bomb"}, {"n", std::to_string(i)}});
      if (made) {
        EXPECT_TRUE(append_and_wait(*store_, bomber, {{{*made, from_ms(kStart), 1}}, {}}, bomber_sent_away));
        continue;
      }
      EXPECT_EQ(made.error().code, ErrorCode::kResourceExhausted);
      EXPECT_TRUE(made.error().message.contains("max_series_per_tenant is 500") ||
                  (GetParam().little_memory && made.error().message.contains("memory_bytes is")))
          << made.error().message;
      ++refused;
    }
  });
  StoreModel wanted;
  for (int round = 0; round < kRounds; ++round) {
    storage::SampleBatch batch;
    for (int i = 0; i < kSeries; ++i) {
      batch.samples.push_back({mine[static_cast<std::size_t>(i)], from_ms(kStart + round), round * 1.0});
      wanted["quiet" + std::to_string(i)][round] = round;
    }
    const auto done = append_and_wait(*store_, tenant_, batch, sent_away);
    EXPECT_TRUE(done);
    EXPECT_EQ(done->accepted, static_cast<std::uint32_t>(kSeries));
    EXPECT_TRUE(contents() == wanted) << "in round " << round;
  }
  bomb.join();
  store_->maintain();
  const auto made = store_->cardinality(bomber, 1).series;
  EXPECT_EQ(refused, 10 * kLimit - static_cast<int>(made));
  EXPECT_EQ(metric(metrics_, "atalaya_tsdb_refused_series_total{reason=\"limit\"}") +
                metric(metrics_, "atalaya_tsdb_refused_series_total{reason=\"memory\"}"),
            refused);
  if (!GetParam().little_memory) {
    EXPECT_EQ(sent_away, 0);
    EXPECT_EQ(made, static_cast<std::uint64_t>(kLimit));
  }
  store_->stop();

  EXPECT_LE(metric(metrics_, "atalaya_tsdb_series_memory_bytes"),
            1.1 * memory_of_series(kSeries, static_cast<int>(made), options_));
  files_.power_cut();
  options_.commit_inline = true;
  open();
  EXPECT_TRUE(contents() == wanted);
  EXPECT_EQ(store_->select(bomber, {Matcher::equal("__name__", "bomb")}, {})->size(), made);
}

}  // namespace
}  // namespace atalaya::tsdb
