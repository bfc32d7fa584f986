// Every call of the file system that a Store makes, gone wrong: what was acknowledged is there, and nothing
// is there that was never sent.
#include <gtest/gtest.h>

#include <optional>

#include "io/faulty_file_system.h"
#include "tsdb/store_test_support.h"

namespace atalaya::tsdb {
namespace {

using storage::Appended;

constexpr std::array kFaults{io::Fault::kNoSpace, io::Fault::kIoError, io::Fault::kTear, io::Fault::kPowerCut};

/// A disk of its own for every call that goes wrong. What is logged of it is kept off the screen.
class StoreFaults : public StoreTest {
 protected:
  StoreFaults() {
    options_.segment_bytes = 512;
    testing::internal::CaptureStderr();
  }
  ~StoreFaults() override { testing::internal::GetCapturedStderr(); }

  /// One sample; a writer that gets an error sends the same batch again, as agents do.
  bool send(Store& store, ManualClock& clock, const std::string& name, std::int64_t at, double value,
            std::uint64_t sequence) {
    const auto series = store.resolve(tenant_, Labels{{"__name__", name}});
    if (!series) return false;
    for (int attempt = 0; attempt < 3; ++attempt) {
      if (append_to(store, {{{*series, from_ms(kStart + at), value}}, {"agent:a", sequence}})) return true;
      clock.advance(Duration{1000});
    }
    return false;
  }

  Result<std::unique_ptr<Store>> try_open(io::FileSystem& files, ManualClock& clock) {
    return Store::open(files, clock, metrics_, options_);
  }

  static void expect_holds(const StoreModel& found, const StoreModel& wanted) {
    for (const auto& [name, samples] : wanted) {
      for (const auto& [at, value] : samples) {
        EXPECT_TRUE(found.contains(name) && found.at(name).contains(at) && found.at(name).at(at) == value)
            << "lost " << name << " at " << at;
      }
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Under, StoreFaults, testing::ValuesIn(kHostileOptions), name_of);

TEST_P(StoreFaults, OfWritingFlushingAndMergingLoseNothingAcknowledged) {
  const int writes = GetParam().little_memory ? 5 : 12;  // each of them a flush and more
  for (const auto fault : kFaults) {
    const auto struck = io::for_every_call([&](std::uint64_t n) {
      const testing::ScopedTrace trace(__FILE__, __LINE__,
                                       testing::Message() << "fault " << static_cast<int>(fault) << " at call " << n);
      io::MemoryFileSystem disk;
      io::FaultyFileSystem faulty(disk);
      ManualClock clock(from_ms(kStart + kMinute));
      StoreModel acknowledged;
      StoreModel sent;
      std::uint64_t last_acknowledged = 0;
      faulty.arm(fault, n);
      for (int life = 0; life < 2; ++life) {
        auto store = Store::open(faulty, clock, metrics_, options_);
        if (!store) continue;
        for (int i = 0; i < writes; ++i) {
          clock.advance(Duration{1000});
          const auto name = "m" + std::to_string(i % 3);
          const auto at = life * 100'000 + i * 1000;
          const std::uint64_t sequence = static_cast<std::uint64_t>(life) * 100 + static_cast<std::uint64_t>(i) + 1;
          sent[name][at] = i;
          if (send(**store, clock, name, at, i, sequence)) {
            acknowledged[name][at] = i;
            last_acknowledged = sequence;
          }
          if (i % 4 == 3) (void)(*store)->flush();
          if (i == writes - 3) (void)(*store)->compact();
        }
      }
      const bool hit = faulty.struck();
      disk.power_cut_keeping_some(n);
      auto again = Store::open(disk, clock, metrics_, options_);
      EXPECT_TRUE(again);
      if (!again) return hit;
      EXPECT_GE((*again)->last_sequence(tenant_, "agent:a"), last_acknowledged);
      const auto found = contents(**again);
      expect_holds(found, acknowledged);
      expect_holds(sent, found);
      return hit;
    });
    EXPECT_GT(struck, 50u);
  }
}

/// The disk fails for a while, and what it failed to confirm is there after all when the process
/// starts again: beside the copy that the writer sent a second time.
/// Two stretches: the flush fails at each call, the deletion comes behind it, then a start.
TEST_P(StoreFaults, WhatIsDeletedStaysSoAfterAFlushThatFailedHalfWay) {
  options_.flush_bytes = 512 << 20;
  options_.memory_bytes = 0;
  options_.retention = std::chrono::hours{24 * 30};
  const auto struck = io::for_every_call([&](std::uint64_t n) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, testing::Message() << "no room at call " << n);
    io::MemoryFileSystem disk;
    io::FaultyFileSystem faulty(disk);
    ManualClock clock(from_ms(kStart + 2 * kDay));
    auto store = try_open(faulty, clock).value();
    std::uint64_t sequence = 0;
    for (std::int64_t at = 0; at < 10; ++at) {
      EXPECT_TRUE(send(*store, clock, "gone", at * 1000, 1.0, ++sequence));
      EXPECT_TRUE(send(*store, clock, "stays", kDay + at * 1000, 1.0, ++sequence));
    }
    faulty.arm(io::Fault::kIoError, n);
    (void)store->flush();
    const bool hit = faulty.struck();
    faulty.disarm();
    if (store->delete_series(tenant_, {Matcher::equal("__name__", "gone")}, {})) {
      EXPECT_TRUE(store->compact());
      store.reset();
      store = try_open(disk, clock).value();
      store->maintain();
      const auto left = contents(*store);
      EXPECT_FALSE(left.contains("gone"));
      EXPECT_EQ(left.at("stays").size(), 10u);
    } else {
      ADD_FAILURE() << "the disk works again";
    }
    return hit;
  });
  EXPECT_GT(struck, 10u);
}

TEST_P(StoreFaults, AKillAfterAFlushLosesNothingThatAgentsSentMeanwhile) {
  options_.flush_bytes = 512 << 20;
  options_.memory_bytes = 0;
  io::MemoryFileSystem disk;
  io::FaultyFileSystem faulty(disk);
  ManualClock clock(from_ms(kStart + kMinute));
  auto store = try_open(faulty, clock).value();
  StoreModel acknowledged;
  std::uint64_t sequence = 0;
  const auto sent = [&](std::int64_t at) {  // nobody looks after the store: that waits for the flush
    const auto name = "m" + std::to_string(at % 3);
    const auto series = store->resolve(tenant_, Labels{{"__name__", name}});
    ASSERT_TRUE(series);
    store->append(tenant_, {{{*series, from_ms(kStart + at), 1.0 * at}}, {"agent:a", ++sequence}},
                  [&](const Result<Appended>& done) { EXPECT_TRUE(done); });
    acknowledged[name].emplace(at, at);
  };
  for (std::int64_t at = 0; at < 10; ++at) sent(at);
  bool between = false;
  faulty.before_rename(".block", [&] {
    between = true;
    for (std::int64_t at = 10; at < 20; ++at) sent(at);
  });
  ASSERT_TRUE(store->flush());
  ASSERT_TRUE(between);
  for (std::int64_t at = 20; at < 30; ++at) sent(at);
  store.reset();
  disk.power_cut();
  store = try_open(disk, clock).value();
  store->maintain();
  EXPECT_EQ(contents(*store), acknowledged);
  EXPECT_EQ(store->last_sequence(tenant_, "agent:a"), sequence);
}

/// The disk is full for one flush; series that are new since then are defined in the log alone.
TEST_P(StoreFaults, AKillInAStopAfterAFlushThatFailedLosesNothing) {
  options_.flush_bytes = 512 << 20;
  options_.memory_bytes = 0;
  options_.flush_on_stop = true;
  const auto struck = io::for_every_call([&](std::uint64_t n) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, testing::Message() << "killed at call " << n);
    io::MemoryFileSystem disk;
    io::FaultyFileSystem faulty(disk);
    ManualClock clock(from_ms(kStart + kMinute));
    auto store = try_open(faulty, clock).value();
    StoreModel acknowledged;
    std::uint64_t sequence = 0;
    const auto sent = [&](const std::string& name, std::int64_t at) {
      EXPECT_TRUE(send(*store, clock, name, at, 1.0 * at, ++sequence));
      acknowledged[name].emplace(at, at);
    };
    for (std::int64_t at = 0; at < 10; ++at) sent("old", at);
    bool failed = false;
    faulty.before_rename(".block", [&] {
      faulty.arm(io::Fault::kNoSpace, 1);
      failed = true;
    });
    EXPECT_FALSE(store->flush());
    EXPECT_TRUE(failed);
    faulty.disarm();
    for (std::int64_t at = 10; at < 20; ++at) sent(at % 2 == 0 ? "old" : "young", at);
    faulty.arm(io::Fault::kPowerCut, n);
    store->stop();
    const bool hit = faulty.struck();
    store.reset();
    disk.power_cut_keeping_some(n);
    auto again = try_open(disk, clock);
    EXPECT_TRUE(again);
    if (!again) return hit;
    (*again)->maintain();
    EXPECT_EQ(contents(**again), acknowledged);
    return hit;
  });
  EXPECT_GT(struck, 10u);
}

TEST_P(StoreFaults, ABatchThatWasSentAgainAfterAFailureIsToldOnce) {
  io::for_every_call([&](std::uint64_t n) {
    io::MemoryFileSystem disk;
    io::FaultyFileSystem faulty(disk);
    ManualClock clock(from_ms(kStart + kMinute));
    auto store = Store::open(faulty, clock, metrics_, options_).value();
    const auto write = [&](std::uint64_t sequence) {
      const auto series = store->resolve(tenant_, Labels{{"__name__", "up"}}).value();
      const auto at = from_ms(kStart + static_cast<int>(sequence));
      return append_to(*store, {{{series, at, 1}}, {"agent:a", sequence}}).has_value();
    };
    EXPECT_TRUE(write(1));
    faulty.arm(io::Fault::kIoError, n, true);
    bool ok = write(2);
    const bool hit = faulty.struck();
    faulty.disarm();
    for (int attempt = 0; attempt < 2 && !ok; ++attempt) {
      clock.advance(Duration{1000});
      ok = write(2);
    }
    EXPECT_TRUE(ok);
    store.reset();
    const auto again = Store::open(disk, clock, metrics_, options_).value();
    EXPECT_EQ(contents(*again), (StoreModel{{"up", {{1, 1}, {2, 1}}}})) << "at call " << n;
    if (!GetParam().little_memory) {
      EXPECT_EQ(replayed(*again, {}).size(), 2u) << "at call " << n;
    }
    return hit;
  });
}

/// The disk is full from some call on, until somebody makes room.
TEST_P(StoreFaults, ADiskThatIsFullForAWhileTakesWritesAgain) {
  const auto struck = io::for_every_call([&](std::uint64_t n) {
    SCOPED_TRACE(n);
    io::MemoryFileSystem disk;
    io::FaultyFileSystem faulty(disk);
    ManualClock clock(from_ms(kStart + kMinute));
    auto store = Store::open(faulty, clock, metrics_, options_).value();
    StoreModel acknowledged;
    StoreModel sent;
    std::uint64_t sequence = 0;
    const auto write = [&](int count) {
      bool all = true;
      for (int i = 0; i < count; ++i) {
        const auto at = static_cast<std::int64_t>(++sequence);
        sent["m"][at] = 1;
        if (send(*store, clock, "m", at, 1, sequence)) acknowledged["m"][at] = 1;
        all = all && acknowledged["m"].contains(at);
        if (i == 2) (void)store->flush();
      }
      return all;
    };
    faulty.arm(io::Fault::kNoSpace, n, true);
    write(5);
    (void)store->compact();
    const bool hit = faulty.struck();
    expect_holds(contents(*store), acknowledged);  // reading goes on
    faulty.disarm();
    clock.advance(Duration{1000});
    store->maintain();
    EXPECT_TRUE(write(5));
    EXPECT_TRUE(store->flush());
    EXPECT_TRUE(store->compact());
    expect_holds(contents(*store), acknowledged);
    store.reset();
    disk.power_cut();
    const auto found = contents(*Store::open(disk, clock, metrics_, options_).value());
    expect_holds(found, acknowledged);
    expect_holds(sent, found);
    return hit;
  });
  EXPECT_GT(struck, 20u);
}

TEST_P(StoreFaults, OfDeletingAndErasingShowNothingDeletedAndHideNothingElse) {
  for (const auto fault : kFaults) {
    const auto struck = io::for_every_call([&](std::uint64_t n) {
      const testing::ScopedTrace trace(__FILE__, __LINE__,
                                       testing::Message() << "fault " << static_cast<int>(fault) << " at call " << n);
      io::MemoryFileSystem disk;
      io::FaultyFileSystem faulty(disk);
      ManualClock clock(from_ms(kStart + kMinute));
      auto store = Store::open(faulty, clock, metrics_, options_).value();
      StoreModel acknowledged;
      StoreModel perhaps;  // of a deletion that failed: there or not
      std::uint64_t sequence = 0;
      const auto write = [&](const std::string& name, std::int64_t at, double value) {
        if (send(*store, clock, name, at, value, ++sequence)) acknowledged[name][at] = value;
        perhaps[name][at] = value;
      };
      for (int i = 0; i < 6; ++i) {
        write("a", i, i);
        write("b", i, i);
      }
      faulty.arm(fault, n);
      const auto deleted =
          store->delete_series(tenant_, {Matcher::equal("__name__", "a")}, {from_ms(kStart + 2), from_ms(kStart + 3)});
      for (const auto at : {2, 3}) {
        acknowledged["a"].erase(at);
        if (deleted) perhaps["a"].erase(at);
      }
      if (deleted) write("a", 3, 33);  // what comes after it stays
      (void)store->compact();
      write("a", 10, 10);
      store->maintain();
      const bool hit = faulty.struck();
      expect_holds(contents(*store), acknowledged);
      expect_holds(perhaps, contents(*store));
      store.reset();
      disk.power_cut_keeping_some(n);
      auto again = Store::open(disk, clock, metrics_, options_);
      EXPECT_TRUE(again);
      if (!again) return hit;
      expect_holds(contents(**again), acknowledged);
      expect_holds(perhaps, contents(**again));
      (void)(*again)->compact();
      expect_holds(contents(**again), acknowledged);
      expect_holds(perhaps, contents(**again));
      return hit;
    });
    EXPECT_GT(struck, 20u);
  }
}

TEST_P(StoreFaults, OfASnapshotLeaveAWholeOneOrNoneAndTheStoreAsItWas) {
  for (const auto fault : kFaults) {
    const auto struck = io::for_every_call([&](std::uint64_t n) {
      const testing::ScopedTrace trace(__FILE__, __LINE__,
                                       testing::Message() << "fault " << static_cast<int>(fault) << " at call " << n);
      io::MemoryFileSystem disk;
      io::FaultyFileSystem faulty(disk);
      ManualClock clock(from_ms(kStart + kMinute));
      auto store = Store::open(faulty, clock, metrics_, options_).value();
      for (int i = 0; i < 3; ++i) EXPECT_TRUE(send(*store, clock, "a", i * kDay / 10 - kDay / 2, i, i + 1U));
      EXPECT_TRUE(send(*store, clock, "gone", 0, 1, 10));
      EXPECT_TRUE(store->flush());
      EXPECT_TRUE(store->delete_series(tenant_, {Matcher::equal("__name__", "gone")}, {}));
      EXPECT_TRUE(send(*store, clock, "a", 1, 9, 11));
      const auto wanted = contents(*store);
      faulty.arm(fault, n);
      const auto place = store->snapshot();
      const bool hit = faulty.struck();
      faulty.disarm();
      EXPECT_EQ(contents(*store), wanted);
      store.reset();
      disk.power_cut_keeping_some(n);
      EXPECT_EQ(contents(*Store::open(disk, clock, metrics_, options_).value()), wanted);
      const auto entries = disk.list("series/snapshots").value_or(std::vector<io::DirectoryEntry>{});
      EXPECT_TRUE(!place || entries.size() == 1);
      for (const auto& entry : entries) {
        EXPECT_FALSE(entry.name.ends_with(".new")) << "room taken for nothing";
        auto copy_options = options_;
        copy_options.directory = "series/snapshots/" + entry.name;
        EXPECT_EQ(contents(*Store::open(disk, clock, metrics_, copy_options).value()), wanted);
      }
      return hit;
    });
    EXPECT_GT(struck, 10u);
  }
}

TEST_P(StoreFaults, OfRollingUpLoseNoBucketAndLeaveNothingLying) {
  constexpr std::int64_t kHour = 60 * kMinute;
  options_.partition = std::chrono::hours{24};
  options_.retention = std::chrono::hours{48};
  options_.keep_five_minutes = std::chrono::hours{240};
  options_.keep_one_hour = std::chrono::hours{720};
  /// Of each hour the sum: in the model each hour has one sample.
  const auto sums = [&](const Store& store) {
    StoreModel out;
    const storage::SelectHints hints{Duration{kHour}, storage::BucketValue::kSum};
    auto found =
        store.select_hinted(tenant_, {Matcher::make("__name__", Matcher::Op::kRegex, ".+").value()}, {}, hints);
    EXPECT_TRUE(found);
    for (auto& one : *found) {
      auto& samples = out[std::string(one.labels->get("__name__"))];
      for (Sample sample; one.samples->next(sample);) {
        const auto ms = to_ms(sample.time) - kStart;
        EXPECT_TRUE(samples.emplace(ms - ms % kHour, sample.value).second);
      }
      EXPECT_TRUE(one.samples->status());
    }
    return out;
  };
  for (const auto fault : kFaults) {
    const auto struck = io::for_every_call([&](std::uint64_t n) {
      const testing::ScopedTrace trace(__FILE__, __LINE__,
                                       testing::Message() << "fault " << static_cast<int>(fault) << " at call " << n);
      io::MemoryFileSystem disk;
      io::FaultyFileSystem faulty(disk);
      ManualClock clock(from_ms(kStart + kDay));
      auto store = Store::open(faulty, clock, metrics_, options_).value();
      StoreModel acknowledged;
      StoreModel sent;
      std::uint64_t sequence = 0;
      const auto write = [&](const std::string& name, std::int64_t hour) {
        sent[name][hour * kHour] = static_cast<double>(hour + 1);
        if (send(*store, clock, name, hour * kHour + kMinute, static_cast<double>(hour + 1), ++sequence)) {
          acknowledged[name][hour * kHour] = static_cast<double>(hour + 1);
        }
      };
      for (const int hour : {3, 9, 20}) write("a", hour);
      EXPECT_TRUE(store->flush());
      clock.advance(std::chrono::hours{4});
      faulty.arm(fault, n);
      store->maintain();
      write("late", 5);  // joins buckets that are there
      (void)store->flush();
      store->maintain();
      clock.advance(std::chrono::hours{48});
      store->maintain();  // the samples go, the buckets stay
      const bool hit = faulty.struck();
      faulty.disarm();
      if (fault != io::Fault::kPowerCut) {
        const auto entries = disk.list("series/blocks").value();
        for (const auto& entry : entries) EXPECT_TRUE(entry.name.ends_with(".block")) << entry.name;
      }
      store.reset();
      disk.power_cut_keeping_some(n);
      auto again = Store::open(disk, clock, metrics_, options_);
      EXPECT_TRUE(again);
      if (!again) return hit;
      for (int pass = 0; pass < 2; ++pass) {
        EXPECT_TRUE((*again)->flush());
        (*again)->maintain();
        const auto found = sums(**again);
        expect_holds(found, acknowledged);
        expect_holds(sent, found);
      }
      return hit;
    });
    EXPECT_GT(struck, 40u);
  }
}

}  // namespace
}  // namespace atalaya::tsdb
