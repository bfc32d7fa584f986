// What a Store keeps how long: buckets, classes of series, a size.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <random>
#include <set>

#include "io/memory_file_system.h"
#include "tsdb/block/block.h"
#include "tsdb/store_tiers_test_support.h"

namespace atalaya::tsdb {
namespace {

INSTANTIATE_TEST_SUITE_P(Under, StoreTiers, testing::ValuesIn(kHostileOptions), name_of);

TEST_P(StoreTiers, ADayThatIsOverIsRolledUpOnce) {
  append_day("a", 0);
  age();
  EXPECT_EQ(blocks_by_resolution(), (std::map<std::int64_t, int>{{0, 1}}));
  go_to(kDays(1) + std::chrono::hours{3});
  store_->maintain();
  const std::map<std::int64_t, int> wanted{{0, 1}, {kFiveMinutes, 1}, {kOneHour, 1}};
  EXPECT_EQ(blocks_by_resolution(), wanted);
  const auto names = [&] {
    std::set<std::string> out;
    const auto entries = files_.list("series/blocks").value();
    for (const auto& entry : entries) out.insert(entry.name);
    return out;
  };
  const auto before = names();
  store_->maintain();
  open();
  store_->maintain();
  EXPECT_EQ(names(), before);
}

TEST_P(StoreTiers, RawSamplesAreServedAsLongAsTheyAreKeptUnlessBucketsWillDo) {
  append_day("a", 0);
  go_to(kDays(1) + std::chrono::hours{3});
  age();
  EXPECT_EQ(read("a").size(), 1440u);
  EXPECT_TRUE(spans_.empty());
  using storage::BucketValue;
  const Duration five{kFiveMinutes};
  const auto last = read("a", {}, {five, BucketValue::kLast});
  EXPECT_EQ(last.size(), 288u);
  EXPECT_EQ(last.at(kFiveMinutes - 1), 4);
  EXPECT_EQ(spans_, (std::vector<storage::BucketSpan>{{{from_ms(kStart), from_ms(kStart + kDay - 1)}, five}}));
  EXPECT_EQ(read("a", {}, {five, BucketValue::kSum}).at(kFiveMinutes - 1), 10);
  EXPECT_EQ(read("a", {}, {five, BucketValue::kCount}).at(kFiveMinutes - 1), 5);
  EXPECT_EQ(read("a", {}, {five, BucketValue::kMin}).at(2 * kFiveMinutes - 1), 5);
  EXPECT_EQ(read("a", {}, {five, BucketValue::kMax}).at(2 * kFiveMinutes - 1), 9);
  EXPECT_EQ(read("a", {}, {Duration{kOneHour}, BucketValue::kCount}).size(), 24u);
  // A coarser one than is asked for will not do.
  EXPECT_EQ(read("a", {}, {Duration{kFiveMinutes - 1}, BucketValue::kCount}).size(), 1440u);
  EXPECT_EQ(read("a", {}, {Duration{kFiveMinutes - 1}, BucketValue::kCount}).at(7 * kMinute), 1);
}

TEST_P(StoreTiers, BucketsStandInForSamplesThatAgedOut) {
  for (const int day : {0, 1, 2}) {
    go_to(kDays(day + 1));
    append_day("a", day);
    go_to(kDays(day + 1) + std::chrono::hours{3});
    age();
  }
  go_to(kDays(3) + std::chrono::hours{12});  // raw from day 1, 12:00
  age();
  auto all = read("a");
  EXPECT_EQ(all.size(), 1440u + 720 + 144 + 288);
  EXPECT_EQ(all.at(kDay + 12 * kHour), 720);
  EXPECT_EQ(all.count(kDay + 12 * kHour - kMinute), 0u);
  EXPECT_EQ(all.at(kDay + 12 * kHour - 1), 719);
  EXPECT_EQ(spans_, (std::vector<storage::BucketSpan>{
                        {{from_ms(kStart), from_ms(kStart + kDay + 12 * kHour - 1)}, Duration{kFiveMinutes}}}));
  EXPECT_EQ(blocks_by_resolution(), (std::map<std::int64_t, int>{{0, 2}, {kFiveMinutes, 3}, {kOneHour, 3}}));
  go_to(kDays(11));  // no raw, five minutes from day 1
  age();
  EXPECT_EQ(read("a").size(), 24u + 2 * 288);
  EXPECT_EQ(spans_.size(), 2u);
  go_to(kDays(32));
  age();
  EXPECT_EQ(read("a").size(), 24u);
  go_to(kDays(34));
  age();
  EXPECT_TRUE(read("a").empty());
  EXPECT_TRUE(store_->blocks().empty());
}

TEST_P(StoreTiers, SamplesThatComeLateGetIntoTheBuckets) {
  append("a", 0, 5);
  go_to(kDays(1) + std::chrono::hours{3});
  age();
  const storage::SelectHints sums{Duration{kOneHour}, storage::BucketValue::kSum};
  EXPECT_EQ(read("a", {}, sums), (Points{{kHour - 1, 5}}));
  append("b", kMinute, 7);  // its first sample may be as old as it likes
  ASSERT_TRUE(store_->flush());
  EXPECT_EQ(read("b", {}, sums), (Points{{kMinute, 7}}));  // not rolled up yet
  store_->maintain();
  EXPECT_EQ(read("b", {}, sums), (Points{{kHour - 1, 7}}));
  EXPECT_EQ(read("a", {}, sums), (Points{{kHour - 1, 5}}));
  EXPECT_EQ(blocks_by_resolution(), (std::map<std::int64_t, int>{{0, 1}, {kFiveMinutes, 1}, {kOneHour, 1}}));
}

TEST_P(StoreTiers, AClassIsKeptItsOwnTime) {
  options_.classes = {
      {{Matcher::equal("__name__", "short")}, {kDays(1), Duration{0}, Duration{0}}},
      {{Matcher::make("__name__", Matcher::Op::kRegex, "long.*").value()}, {kDays(5), Duration{0}, kDays(60)}},
  };
  open();
  go_to(kDays(1));
  for (const auto* name : {"short", "long", "usual"}) append_day(name, 0);
  go_to(kDays(1) + std::chrono::hours{3});
  age();
  EXPECT_EQ(read("short").size(), 1440u - 180);
  EXPECT_EQ(read("long").size(), 1440u);
  const storage::SelectHints hour{Duration{kOneHour}, storage::BucketValue::kLast};
  EXPECT_EQ(read("long", {}, hour).size(), 24u);
  EXPECT_EQ(read("long", {}, {Duration{kFiveMinutes}, storage::BucketValue::kLast}).size(), 1440u);
  go_to(kDays(2) + std::chrono::hours{1});
  age();
  EXPECT_TRUE(read("short").empty());
  EXPECT_TRUE(read("short", {}, hour).empty());
  EXPECT_EQ(store_->blocks()[0].series, 2u);  // it left the block
  go_to(kDays(4));
  age();
  EXPECT_EQ(read("long").size(), 1440u);
  EXPECT_EQ(read("usual").size(), 288u);
  // Made anew with what came late, the buckets of what is gone stay.
  append("longer", 5, 1);
  age();
  EXPECT_EQ(read("usual").size(), 288u);
  go_to(kDays(20));
  age();
  EXPECT_EQ(read("usual").size(), 24u);
  EXPECT_EQ(read("long").size(), 24u);
  go_to(kDays(40));
  age();
  EXPECT_TRUE(read("usual").empty());
  EXPECT_EQ(read("long").size(), 24u);
}

TEST_P(StoreTiers, WhatAgedOutOfItsClassGivesRoomBelowTheReserveWhereTheDiskTakesTheRest) {
  options_.classes = {
      {{Matcher::equal("__name__", "short")}, {kDays(1), Duration{0}, Duration{0}}},
      {{Matcher::make("__name__", Matcher::Op::kRegex, "long.*").value()}, {kDays(5), Duration{0}, kDays(60)}},
  };
  options_.disk_reserve_bytes = 64 << 20;
  open();
  go_to(kDays(1));
  for (const auto* name : {"short", "long"}) append_day(name, 0);
  go_to(kDays(1) + std::chrono::hours{3});
  age();
  const auto raw_series = [&] {
    const auto blocks = store_->blocks();
    return std::find_if(blocks.begin(), blocks.end(), [](const auto& meta) { return meta.resolution == 0; })->series;
  };
  ASSERT_EQ(raw_series(), 2u);
  ASSERT_TRUE(store_->flush());
  go_to(kDays(2) + std::chrono::hours{1});
  const auto plenty = std::uint64_t{1} << 40;
  const auto used = plenty - files_.free_bytes("series").value();
  const auto size = store_->blocks().front().bytes;
  files_.set_capacity(used + (std::uint64_t{1} << 20) + 100);
  store_->maintain();
  EXPECT_EQ(raw_series(), 2u);
  // Where the reserve is used up, what ages out is what gives room.
  files_.set_capacity(used + options_.disk_reserve_bytes / 2);
  ASSERT_GT(options_.disk_reserve_bytes / 2, size + (std::uint64_t{1} << 20));
  store_->maintain();
  EXPECT_EQ(raw_series(), 1u);
}

TEST_P(StoreTiers, WhatIsDeletedIsInNoBucket) {
  append_day("a", 0);
  go_to(kDays(1) + std::chrono::hours{3});
  age();
  ASSERT_TRUE(store_->delete_series(tenant_, {Matcher::equal("__name__", "a")},
                                    {from_ms(kStart + kHour + kMinute), from_ms(kStart + 2 * kHour + kMinute)}));
  const storage::SelectHints hour{Duration{kOneHour}, storage::BucketValue::kMax};
  EXPECT_EQ(read("a", {}, hour).size(), 1440u - 61);  // until they are made anew, what is there for certain
  EXPECT_EQ(read("a").size(), 1440u - 61);
  store_->maintain();
  // Made anew of what is left.
  const auto anew = read("a", {}, hour);
  EXPECT_EQ(anew.size(), 24u);
  EXPECT_EQ(anew.at(2 * kHour - 1), 60);
  EXPECT_EQ(anew.at(3 * kHour - 1), 179);
  EXPECT_EQ(read("a").size(), 1440u - 61);
}

TEST_P(StoreTiers, WhatIsDeletedIsInNoBucketThatReplacesADamagedOne) {
  append_day("a", 0);
  append_day("b", 0);
  go_to(kDays(1) + std::chrono::hours{3});
  age();
  ASSERT_TRUE(store_->delete_series(tenant_, {Matcher::equal("__name__", "a")}, {}));
  append("b", kMinute + 1, 5);
  ASSERT_TRUE(store_->flush());
  store_.reset();
  const auto entries = files_.list("series/blocks").value();
  for (const auto& entry : entries) {
    const auto path = "series/blocks/" + entry.name;
    const auto block = Block::open(files_, path);
    if (!block || (*block)->meta().resolution == 0) continue;
    ASSERT_TRUE(files_.flip_bits(path, 100, 0x10));
  }
  open();
  // Damage that a start does not see, in some of these worlds.
  EXPECT_TRUE(!store_->report().damaged.empty() || !store_->verify()->empty());
  const storage::SelectHints counts{Duration{kOneHour}, storage::BucketValue::kCount};
  EXPECT_TRUE(read("a", {}, counts).empty());
  store_->maintain();
  store_->maintain();
  open();
  EXPECT_TRUE(read("a").empty());
  EXPECT_TRUE(read("a", {}, counts).empty());
  EXPECT_FALSE(read("b", {}, counts).empty());
}

/// By a look that keeps no buckets itself, as that of `fsck` without a server.
TEST_P(StoreTiers, OfADamagedOneThatWasSetAsideAreMadeAnewWhileRawSamplesAreThere) {
  std::vector<std::string> names;
  for (int i = 0; i < 40; ++i) names.push_back("s" + std::to_string(i));
  for (const auto& name : names) append_day(name, 0);
  go_to(kDays(1) + std::chrono::hours{3});
  age();
  store_.reset();
  const auto entries = files_.list("series/blocks").value();
  for (const auto& entry : entries) {
    const auto path = "series/blocks/" + entry.name;
    if (Block::open(files_, path).value()->meta().resolution == 0) continue;
    ASSERT_TRUE(files_.flip_bits(path, 40, 0x01));
  }
  const auto usual = options_;
  options_.keep_five_minutes = options_.keep_one_hour = Duration{0};
  open();
  EXPECT_TRUE(!store_->report().damaged.empty() || !store_->verify()->empty());
  for (const auto& path : store_->set_aside()) ASSERT_TRUE(files_.remove(path));
  options_ = usual;
  open();
  store_->maintain();
  const auto made = files_.list("series/blocks").value();
  store_->maintain();
  EXPECT_EQ(files_.list("series/blocks").value().size(), made.size());
  for (const auto& entry : made) EXPECT_TRUE(files_.exists("series/blocks/" + entry.name)) << "made once";
  go_to(kDays(4));
  store_->maintain();
  for (const auto& name : names) {
    EXPECT_EQ(read(name, {}, {Duration{kOneHour}, storage::BucketValue::kCount}).size(), 24u) << name;
  }
}

TEST_P(StoreTiers, ABucketOfStaleMarkersHasNoSum) {
  append("a", 0, stale_marker());
  append("a", kHour, std::nan(""));
  go_to(kDays(1) + std::chrono::hours{3});
  age();
  using storage::BucketValue;
  EXPECT_TRUE(read("a", {}, {Duration{kOneHour}, BucketValue::kSum}).empty());
  EXPECT_TRUE(is_stale(read("a", {}, {Duration{kOneHour}, BucketValue::kLast}).at(kHour - 1)));
}

TEST_P(StoreTiers, BeyondItsSizeTheOldestGoesRawFirst) {
  options_.retention = kDays(20);
  options_.keep_five_minutes = kDays(30);
  open();
  for (const int day : {0, 1, 2}) {
    go_to(kDays(day + 1));
    append_day("a", day);
    go_to(kDays(day + 1) + std::chrono::hours{3});
    age();
  }
  ASSERT_EQ(blocks_by_resolution(), (std::map<std::int64_t, int>{{0, 3}, {kFiveMinutes, 3}, {kOneHour, 3}}));
  std::map<std::int64_t, std::uint64_t> bytes;
  for (const auto& meta : store_->blocks()) bytes[meta.resolution] += meta.bytes;
  options_.max_bytes = bytes[0] / 3 + bytes[kFiveMinutes] + bytes[kOneHour] + 200;
  open();
  store_->maintain();
  EXPECT_EQ(blocks_by_resolution(), (std::map<std::int64_t, int>{{0, 1}, {kFiveMinutes, 3}, {kOneHour, 3}}));
  EXPECT_EQ(read("a").size(), 2u * 288 + 1440);
  options_.max_bytes = bytes[0] / 3 + bytes[kOneHour] + 200;
  open();
  store_->maintain();
  EXPECT_EQ(blocks_by_resolution(), (std::map<std::int64_t, int>{{0, 1}, {kOneHour, 3}}));
  options_.max_bytes = 1;
  open();
  store_->maintain();
  EXPECT_EQ(blocks_by_resolution(), (std::map<std::int64_t, int>{{0, 1}}));  // the youngest stays
}

TEST_P(StoreTiers, BeyondItsSizeWhatHasNoBucketsYetGoesLast) {
  options_.retention = kDays(20);
  open();
  for (const int day : {0, 1, 2}) {
    go_to(kDays(day + 1) + std::chrono::minutes{30});
    append_day("a", day);
    age();
  }
  append("a", 3 * kDay + 1, 1);
  age();
  const auto resolutions = blocks_by_resolution();
  ASSERT_EQ(resolutions.at(0), 4);
  ASSERT_EQ(resolutions.at(kOneHour), 2) << "the day that has just ended may get more";
  std::uint64_t of_two_days = 0;
  for (const auto& meta : store_->blocks()) {
    if (meta.resolution == 0 && meta.last >= kStart + 2 * kDay) of_two_days += meta.bytes;
  }
  options_.max_bytes = of_two_days;
  open();
  store_->maintain();
  EXPECT_EQ(blocks_by_resolution(), (std::map<std::int64_t, int>{{0, 2}}));
  EXPECT_EQ(read("a").size(), 1441u);
}

TEST_P(StoreTiers, StretchesThatHoldNoWholeHourCannotBeRolledUp) {
  options_.partition = std::chrono::minutes{1};
  store_.reset();
  EXPECT_FALSE(Store::open(files_, clock_, metrics_, options_));
}

/// Classes of other series are no reason to lose what nobody deleted.
TEST_P(StoreTiers, WithClassesTooBucketsAreMadeAnewOfWhatADeletionLeaves) {
  options_.classes = {{{Matcher::equal("__name__", "other")}, {kDays(20), kDays(20), kDays(60)}},
                      {{Matcher::equal("__name__", "aged")}, {kDays(1), kDays(20), kDays(60)}}};
  options_.retention = kDays(5);
  open();
  for (const auto* name : {"a", "b", "aged"}) append_day(name, 0);
  go_to(kDays(1) + std::chrono::hours{3});
  age();
  go_to(kDays(2) + std::chrono::hours{3});
  age();  // raw samples of a class are not there any more
  for (const auto* name : {"a", "aged"}) {
    ASSERT_TRUE(store_->delete_series(tenant_, {Matcher::equal("__name__", name)},
                                      {from_ms(kStart + kHour + kMinute), from_ms(kStart + kHour + 2 * kMinute)}));
  }
  store_->maintain();
  store_->maintain();
  const storage::SelectHints counts{Duration{kOneHour}, storage::BucketValue::kCount};
  const auto left = read("a", {}, counts);
  EXPECT_EQ(left.size(), 24u);
  EXPECT_EQ(left.at(2 * kHour - 1), 58);
  EXPECT_EQ(read("b", {}, counts).at(2 * kHour - 1), 60);
  EXPECT_EQ(read("aged", {}, counts).size(), 23u);  // nothing to make it of
  EXPECT_EQ(read("a", {}, {Duration{kFiveMinutes}, storage::BucketValue::kCount}).size(), 288u);
}

double sum_of(const Points& points) {
  double out = 0;
  for (const auto& [ms, value] : points) out += value;
  return out;
}

TEST_P(StoreTiers, WhatIsSentAgainIsCountedOnce) {
  append_day("a", 0);
  go_to(kDays(1) + std::chrono::hours{3});
  age();
  open();  // memory knows nothing of it
  append_day("a", 0);
  for (const auto resolution : {kFiveMinutes, kOneHour}) {
    const storage::SelectHints counts{Duration{resolution}, storage::BucketValue::kCount};
    EXPECT_EQ(sum_of(read("a", {}, counts)), 1440);
    EXPECT_EQ(sum_of(read("a", {}, {Duration{resolution}, storage::BucketValue::kSum})), 1440 * 1439 / 2);
  }
  const storage::SelectHints counts{Duration{kOneHour}, storage::BucketValue::kCount};
  ASSERT_TRUE(store_->flush());
  EXPECT_EQ(sum_of(read("a", {}, counts)), 1440);
  store_->maintain();
  EXPECT_EQ(sum_of(read("a", {}, counts)), 1440);
  EXPECT_EQ(read("a", {}, counts).size(), 24u);
}

/// The raw block of a day may be gone before its time: damaged, or for room.
class StoreTiersWithoutRaw : public StoreTiers {
 protected:
  void lose_raw_samples() {
    open();
    append_day("a", 0);
    go_to(kDays(1) + std::chrono::hours{3});
    age();
    store_.reset();
    const auto blocks = files_.list("series/blocks").value();
    for (const auto& block : blocks) {
      if (block.name.ends_with("-0.block")) {
        ASSERT_TRUE(files_.remove("series/blocks/" + block.name));
      }
    }
    open();
    EXPECT_EQ(read("a").size(), 288u);
  }
  void expect_that_a_sample_hides_no_buckets() {
    append("b", kMinute, 7);
    append("a", kMinute, 1);
    for (const bool flushed : {false, true, true}) {
      if (flushed) age();
      EXPECT_EQ(read("a").size(), 288u);
      EXPECT_EQ(read("b").size(), 1u);
      for (const auto coarsest : {std::int64_t{0}, kFiveMinutes, kOneHour}) {
        const storage::SelectHints counts{Duration{coarsest}, storage::BucketValue::kCount};
        EXPECT_EQ(sum_of(read("a", {}, counts)), 1440) << coarsest;
        EXPECT_EQ(sum_of(read("b", {}, counts)), 1) << coarsest;
      }
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Under, StoreTiersWithoutRaw, testing::ValuesIn(kHostileOptions), name_of);

TEST_P(StoreTiersWithoutRaw, ASampleHidesNoBuckets) {
  lose_raw_samples();
  expect_that_a_sample_hides_no_buckets();
}

TEST_P(StoreTiersWithoutRaw, ASampleHidesNoBucketsOfAClass) {
  options_.classes = {{{Matcher::equal("__name__", "x")}, {kDays(1), kDays(1), kDays(1)}}};
  lose_raw_samples();
  expect_that_a_sample_hides_no_buckets();
}

TEST_P(StoreTiers, ASampleOlderThanItsClassIsKeptIsRefused) {
  options_.retention = kDays(20);
  options_.classes = {{{Matcher::equal("__name__", "short")}, {kDays(2), kDays(20), kDays(60)}}};
  open();
  go_to(kDays(5));
  const auto counts_of = [&](const std::string& name, std::int64_t ms) {
    storage::Appended out;
    const auto series = store_->resolve(tenant_, Labels{{"__name__", name}}).value();
    store_->append(tenant_, {{{series, from_ms(kStart + ms), 1}}, {}},
                   [&](Result<storage::Appended> done) { out = done.value(); });
    return out;
  };
  EXPECT_EQ(counts_of("short", 3 * kDay - 1).too_old, 1u);
  EXPECT_EQ(counts_of("short", 3 * kDay - 1).accepted, 0u);
  EXPECT_NE(metrics_.expose().find(R"(atalaya_tsdb_dropped_samples_total{reason="too_old"} 2)"), std::string::npos);
  EXPECT_EQ(counts_of("short", 3 * kDay).accepted, 1u);
  EXPECT_EQ(counts_of("usual", 3 * kDay - 1).accepted, 1u);
  EXPECT_EQ(counts_of("usual", 3 * kDay).accepted, 1u);
  EXPECT_EQ(counts_of("usual", 3 * kDay - 5).accepted, 1u);
  EXPECT_TRUE(read("short").contains(3 * kDay));
  EXPECT_EQ(read("usual").size(), 3u);
}

/// Random samples over days, some late, some restarts and flushes: each bucket is what its samples say.
TEST_P(StoreTiers, BucketsSayWhatTheirSamplesSaid) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  options_.retention = kDays(30);
  options_.keep_five_minutes = kDays(30);
  open();
  std::map<std::string, Points> model;
  for (int step = 0; step < 400; ++step) {
    const auto now = clock_.now();
    const std::string name(1, static_cast<char>('a' + random() % 3));
    const auto ms = to_ms(now) - kStart - static_cast<std::int64_t>(random() % (random() % 4 == 0 ? kDay : kHour));
    const auto value = static_cast<double>(random() % 100);
    const auto series = store_->resolve(tenant_, Labels{{"__name__", name}}).value();
    store_->append(tenant_, {{{series, from_ms(kStart + ms), value}}, {}}, [&](Result<storage::Appended> done) {
      if (done.value().accepted == 1) model[name].emplace(ms, value);
    });
    if (random() % 20 == 0) {
      ASSERT_TRUE(store_->flush());
    }
    if (random() % 20 == 0) store_->maintain();
    if (random() % 40 == 0) open();
    clock_.advance(Duration{static_cast<std::int64_t>(random() % kHour)});
  }
  clock_.advance(kDays(2));
  age();
  for (const auto& [name, points] : model) {
    for (const auto resolution : {kFiveMinutes, kOneHour}) {
      Points sums;
      Points lasts;
      for (const auto& [ms, value] : points) {
        sums[bucket_instant(ms, resolution)] += value;
        lasts[bucket_instant(ms, resolution)] = value;
      }
      using storage::BucketValue;
      EXPECT_EQ(read(name, {}, {Duration{resolution}, BucketValue::kSum}), sums);
      EXPECT_EQ(read(name, {}, {Duration{resolution}, BucketValue::kLast}), lasts);
    }
    EXPECT_EQ(read(name), points);
  }
}

}  // namespace
}  // namespace atalaya::tsdb
