#include "tsdb/store.h"

#include <gtest/gtest.h>

#include <future>
#include <map>
#include <random>

#include "io/faulty_file_system.h"
#include "io/memory_file_system.h"

namespace atalaya::tsdb {
namespace {

using storage::Appended;
using storage::CommittedSamples;
using storage::LogPosition;
using storage::SampleBatch;

constexpr std::int64_t kStart = 1'700'000'000'000;

Options options_for_tests() {
  Options options;
  options.directory = "series";
  options.commit_inline = true;
  options.flush_on_stop = false;
  options.disk_reserve_bytes = 0;
  return options;
}

/// What must be there: series → time → value.
using Model = std::map<std::string, std::map<std::int64_t, double>>;

/// A machine with a disk on which stores are opened one after another.
class TsdbStore : public testing::Test {
 protected:
  Result<std::unique_ptr<Store>> try_open(io::FileSystem& files, Options options = options_for_tests()) {
    return Store::open(files, clock_, metrics_, std::move(options));
  }
  void open(Options options = options_for_tests()) {
    store_.reset();
    store_ = try_open(files_, std::move(options)).value();
  }
  SeriesId id(const std::string& name) { return store_->resolve(tenant_, Labels{{"__name__", name}}).value(); }

  /// Appends and returns what `done` was told.
  Result<Appended> append(SampleBatch batch) {
    Result<Appended> out = fail(ErrorCode::kInternal, "done was not called");
    store_->append(tenant_, std::move(batch), [&](Result<Appended> result) { out = std::move(result); });
    return out;
  }
  Result<Appended> append(const std::string& name, std::int64_t seconds, double value,
                          storage::WriteOrigin origin = {}) {
    return append({{{id(name), from_ms(kStart + seconds * 1000), value}}, std::move(origin)});
  }

  static Model contents(const Store& store, const TenantId& tenant = default_tenant()) {
    Model out;
    auto found = store.select(tenant, {Matcher::make("__name__", Matcher::Op::kRegex, ".+").value()}, {});
    EXPECT_TRUE(found);
    for (auto& series : *found) {
      auto& samples = out[std::string(series.labels->get("__name__"))];
      for (Sample sample; series.samples->next(sample);) {
        EXPECT_TRUE(samples.emplace(to_ms(sample.time) - kStart, sample.value).second);
      }
    }
    return out;
  }
  static std::vector<std::tuple<LogPosition, std::uint64_t, double>> replayed(const Store& store, LogPosition after) {
    std::vector<std::tuple<LogPosition, std::uint64_t, double>> out;
    EXPECT_TRUE(store.replay(after, [&](const CommittedSamples& committed) {
      for (const auto& sample : committed.samples) {
        out.emplace_back(committed.position, sample.series.value(), sample.value);
      }
    }));
    return out;
  }

  ManualClock clock_{from_ms(kStart + 60'000)};
  telemetry::Registry metrics_;
  io::MemoryFileSystem files_;
  std::unique_ptr<Store> store_;
  TenantId tenant_ = default_tenant();
};

TEST_F(TsdbStore, AnAcknowledgedSampleIsSeenByTheNextQueryAndAfterAPowerCut) {
  open();
  const auto done = append("up", 1, 1.5);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->accepted, 1u);
  EXPECT_GT(done->position.value, 0u);
  const Model wanted{{"up", {{1000, 1.5}}}};
  EXPECT_EQ(contents(*store_), wanted);
  files_.power_cut();
  open();
  EXPECT_EQ(contents(*store_), wanted);
  EXPECT_EQ(store_->report().samples, 1u);
}

TEST_F(TsdbStore, TheFirstValueOfATimeStays) {
  open();
  append("up", 1, 1);
  append("up", 2, 2);
  const auto again = append("up", 1, 9);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->duplicate, 1u);
  EXPECT_EQ(again->conflicting, 1u);
  ASSERT_EQ(again->named.size(), 1u);
  EXPECT_EQ(again->named[0].why, storage::Refusal::kDuplicate);
  EXPECT_EQ(again->named[0].sample.value, 9);
  EXPECT_EQ(again->accepted, 0u);
  open();
  EXPECT_EQ(contents(*store_), (Model{{"up", {{1000, 1}, {2000, 2}}}}));
  EXPECT_EQ(replayed(*store_, {}).size(), 2u);
}

TEST_F(TsdbStore, TheSameSampleAgainIsNoContradiction) {
  open();
  append("up", 1, 1);
  const auto again = append("up", 1, 1);
  EXPECT_EQ(again->duplicate, 1u);
  EXPECT_EQ(again->conflicting, 0u);
  EXPECT_TRUE(again->named.empty());
}

TEST_F(TsdbStore, SamplesOutsideRetentionAreRefusedAlone) {
  open();
  const auto series = id("up");
  const auto old = clock_.now() - std::chrono::hours{25};
  const auto done = append({{{series, old, 1}, {series, clock_.now(), 2}}, {}});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->too_old, 1u);
  EXPECT_EQ(done->named.at(0).why, storage::Refusal::kTooOld);
  EXPECT_EQ(done->accepted, 1u);
}

TEST_F(TsdbStore, SamplesOfAClockThatIsAheadAreRefusedAlone) {
  open();
  const auto series = id("up");
  const auto now = clock_.now();
  const auto minute = std::chrono::minutes{1};
  const auto done =
      append({{{series, now + minute + Duration{1}, 1}, {series, now + minute, 2}, {series, now, 3}}, {}});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->too_new, 1u);
  EXPECT_EQ(done->accepted, 2u);
  EXPECT_NE(metrics_.expose().find("atalaya_tsdb_dropped_samples_total{reason=\"too_new\"} 1"), std::string::npos);
}

TEST_F(TsdbStore, AnUnknownSeriesRefusesTheBatch) {
  open();
  EXPECT_EQ(append({{{SeriesId{77}, clock_.now(), 1}}, {}}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(append("up", 1, 1));
}

TEST_F(TsdbStore, ARepeatedSequenceIsAcknowledgedWithoutEffectAlsoAfterARestart) {
  open();
  EXPECT_FALSE(append("up", 1, 1, {"agent:a", 1})->repeated);
  EXPECT_TRUE(append("up", 2, 2, {"agent:a", 1})->repeated);
  files_.power_cut();
  open();
  EXPECT_EQ(store_->last_sequence(tenant_, "agent:a"), 1u);
  EXPECT_EQ(store_->last_sequence(tenant_, "agent:b"), 0u);
  EXPECT_TRUE(append("up", 3, 3, {"agent:a", 1})->repeated);
  EXPECT_FALSE(append("up", 4, 4, {"agent:a", 2})->repeated);
  EXPECT_FALSE(append("up", 5, 5, {"agent:b", 1})->repeated);
  EXPECT_EQ(contents(*store_)["up"].size(), 3u);
}

TEST_F(TsdbStore, AnEmptyBatchMovesItsMark) {
  open();
  EXPECT_TRUE(append({{}, {"agent:a", 7}}));
  files_.power_cut();
  open();
  EXPECT_EQ(store_->last_sequence(tenant_, "agent:a"), 7u);
}

TEST_F(TsdbStore, ListenersHearInOrderBeforeDoneAndAfterVisibility) {
  open();
  std::vector<std::string> events;
  store_->listen([&](const CommittedSamples& committed) {
    events.push_back("heard " + std::to_string(committed.samples[0].value));
    EXPECT_EQ(contents(*store_)["up"].rbegin()->second, committed.samples[0].value);
  });
  LogPosition last;
  for (int i = 1; i <= 3; ++i) {
    store_->append(tenant_, {{{id("up"), from_ms(kStart + i), i * 1.0}}, {}}, [&](Result<Appended> done) {
      EXPECT_GT(done->position, last);
      last = done->position;
      events.push_back("done");
    });
  }
  EXPECT_EQ(events,
            (std::vector<std::string>{"heard 1.000000", "done", "heard 2.000000", "done", "heard 3.000000", "done"}));
}

TEST_F(TsdbStore, ReplayHandsOverWhatLiesAfterAPosition) {
  open();
  append("a", 1, 1);
  const auto middle = append("b", 2, 2)->position;
  append("a", 3, 3);
  files_.power_cut();
  open();
  append("c", 4, 4);
  const auto after = replayed(*store_, middle);
  ASSERT_EQ(after.size(), 2u);
  EXPECT_EQ(std::get<1>(after[0]), id("a").value());
  EXPECT_EQ(std::get<2>(after[0]), 3);
  EXPECT_EQ(std::get<1>(after[1]), id("c").value());
  EXPECT_LT(std::get<0>(after[0]), std::get<0>(after[1]));
  EXPECT_EQ(replayed(*store_, {}).size(), 4u);
  EXPECT_TRUE(replayed(*store_, std::get<0>(after[1])).empty());
}

TEST_F(TsdbStore, OldSegmentsGoAndMarksDefinitionsAndPositionsStay) {
  auto options = options_for_tests();
  options.retention = std::chrono::minutes{10};
  options.flush_age = std::chrono::minutes{5};
  options.keep_log = std::chrono::minutes{10};
  open(options);
  LogPosition last;
  for (int minute = 0; minute < 60; ++minute) {
    clock_.jump_to(from_ms(kStart + minute * 60'000));
    const auto origin = minute == 0 ? storage::WriteOrigin{"once", 5} : storage::WriteOrigin{};
    const auto done = append("up", minute * 60, minute, origin);
    ASSERT_TRUE(done);
    EXPECT_GT(done->position, last);
    last = done->position;
    store_->maintain();
  }
  EXPECT_LE(files_.list("series")->size(), 8u);
  EXPECT_GE(store_->blocks().size(), 1u);
  files_.power_cut();
  open(options);
  EXPECT_EQ(store_->last_sequence(tenant_, "once"), 5u);
  EXPECT_EQ(contents(*store_)["up"].size(), 11u);
  EXPECT_GT(append("up", 59 * 60 + 1, 1)->position, last);
}

TEST_F(TsdbStore, TenantsDoNotSeeOneAnother) {
  open();
  append("up", 1, 1);
  EXPECT_TRUE(contents(*store_, TenantId{"other"}).empty());
  EXPECT_EQ(store_->series(TenantId{"other"}, id("up"), {}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store_->labels_of(TenantId{"other"}, id("up")), nullptr);
  EXPECT_TRUE(store_->label_names(TenantId{"other"}, {}).empty());
  EXPECT_FALSE(store_->resolve(TenantId{"No Tenant"}, Labels{{"a", "b"}}));
}

TEST_F(TsdbStore, AFullDiskRefusesWritesServesReadsAndRecovers) {
  open();
  ASSERT_TRUE(append("up", 1, 1, {"agent:a", 1}));
  files_.set_capacity(0);
  const auto refused = append("up", 2, 2, {"agent:a", 2});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(refused.error().remedy.empty());
  EXPECT_EQ(contents(*store_), (Model{{"up", {{1000, 1}}}}));
  EXPECT_NE(metrics_.expose().find("atalaya_tsdb_read_only 1"), std::string::npos);
  files_.set_capacity(1 << 20);
  EXPECT_FALSE(append("up", 2, 2, {"agent:a", 2}));  // not tried again yet
  clock_.advance(Duration{1000});
  EXPECT_TRUE(append("up", 2, 2, {"agent:a", 2}));
  EXPECT_NE(metrics_.expose().find("atalaya_tsdb_read_only 0"), std::string::npos);
  files_.power_cut();
  open();
  EXPECT_EQ(contents(*store_), (Model{{"up", {{1000, 1}, {2000, 2}}}}));
}

TEST_F(TsdbStore, WithLessThanItsReserveItRefusesWritesAndComesBackByItself) {
  auto options = options_for_tests();
  options.disk_reserve_bytes = 1 << 20;
  open(options);
  ASSERT_TRUE(append("up", 1, 1));
  files_.set_capacity((1 << 20) - 1);
  clock_.advance(Duration{1000});
  const auto refused = append("up", 2, 2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(refused.error().message.find("reserve of 1048576 bytes"), std::string::npos);
  EXPECT_NE(metrics_.expose().find("atalaya_tsdb_read_only 1"), std::string::npos);
  files_.set_capacity(3 << 20);
  clock_.advance(Duration{1000});
  EXPECT_TRUE(append("up", 2, 2));
  EXPECT_NE(metrics_.expose().find("atalaya_tsdb_read_only 0"), std::string::npos);
}

TEST_F(TsdbStore, MoreSamplesThanATenantMaySendAreRefusedByName) {
  auto options = options_for_tests();
  options.max_samples_per_second = 1;
  open(options);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(append("up", i, i));
  const auto refused = append("up", 11, 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  EXPECT_NE(refused.error().message.find("max_samples_per_second is 1"), std::string::npos);
  const auto mine = std::exchange(tenant_, TenantId{"other"});
  EXPECT_TRUE(append("up", 11, 1));  // another tenant notices nothing
  tenant_ = mine;
  clock_.advance(Duration{1000});
  EXPECT_TRUE(append("up", 12, 1));
}

TEST_F(TsdbStore, BeyondItsMemoryNoNewSeriesAreMadeAndKnownOnesGoOn) {
  auto options = options_for_tests();
  options.memory_bytes = 200'000;
  open(options);
  ASSERT_TRUE(append("known", 1, 1));
  Result<SeriesId> made = SeriesId{0};
  for (int i = 0; i < 5000 && made; ++i) {
    if (i % 100 == 0) store_->maintain();
    made = store_->resolve(tenant_, Labels{{"__name__", "bomb"}, {"n", std::to_string(i)}});
  }
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kResourceExhausted);
  EXPECT_NE(made.error().message.find("memory_bytes is 200000"), std::string::npos);
  EXPECT_TRUE(append("known", 2, 1));
}

TEST_F(TsdbStore, ASecondProcessIsRefused) {
  open();
  EXPECT_EQ(try_open(files_).error().code, ErrorCode::kConflict);
}

TEST_F(TsdbStore, AppendsAfterStopAreRefused) {
  open();
  const auto series = id("up");
  store_->stop();
  EXPECT_EQ(append({{{series, clock_.now(), 1}}, {}}).error().code, ErrorCode::kUnavailable);
}

/// Random appends in and out of order, repeats, restarts, power cuts and shrinking retention of
/// segments, against a map.
TEST_F(TsdbStore, MatchesAMapOverRandomLives) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  auto options = options_for_tests();
  options.segment_bytes = 4096;
  options.head_chunk_samples = 4;
  options.partition = std::chrono::seconds{20};
  options.block.chunk_samples = 4;
  options.block.page_bytes = 256;
  open(options);
  Model model;
  std::uint64_t sequence = 0;
  for (int i = 0; i < 2000; ++i) {
    SampleBatch batch;
    std::vector<std::pair<std::string, Sample>> plain;
    for (std::uint64_t n = random() % 8; n > 0; --n) {
      const auto name = "m" + std::to_string(random() % 20);
      const Sample sample{from_ms(kStart + static_cast<std::int64_t>(random() % 60'000)),
                          static_cast<double>(random() % 1000) / 10};
      batch.samples.push_back({id(name), sample.time, sample.value});
      plain.emplace_back(name, sample);
    }
    const bool repeat = sequence > 0 && random() % 10 == 0;
    batch.origin = {"agent:x", repeat ? sequence : ++sequence};
    const auto done = append(std::move(batch));
    ASSERT_TRUE(done);
    ASSERT_EQ(done->repeated, repeat);
    std::uint32_t fresh = 0;
    if (!repeat) {
      for (const auto& [name, sample] : plain) {
        fresh += model[name].emplace(to_ms(sample.time) - kStart, sample.value).second;
      }
    }
    // What lies in blocks is not looked at, so more may be accepted; the first stays all the same.
    if (store_->blocks().empty()) {
      ASSERT_EQ(done->accepted, fresh);
    }
    ASSERT_GE(done->accepted, fresh);
    switch (random() % 100) {
      case 0:
        if (random() % 2 == 0) store_.reset();
        files_.power_cut();
        open(options);
        break;
      case 1: ASSERT_TRUE(store_->flush()); break;
      case 2: ASSERT_TRUE(store_->compact()); break;
      default: continue;
    }
    std::erase_if(model, [](const auto& entry) { return entry.second.empty(); });
    ASSERT_EQ(contents(*store_), model);
    ASSERT_TRUE(store_->report().damaged.empty());
  }
}

/// Whatever call of the file system goes wrong, in whatever way: what was acknowledged is there
/// once, and nothing is there that was never sent.
TEST_F(TsdbStore, EveryFaultAtEveryCallLosesNothingAcknowledged) {
  testing::internal::CaptureStderr();  // each fault is logged, as it should be
  auto options = options_for_tests();
  options.segment_bytes = 512;
  for (const auto fault : {io::Fault::kNoSpace, io::Fault::kIoError, io::Fault::kTear, io::Fault::kPowerCut}) {
    const auto struck = io::for_every_call([&](std::uint64_t n) {
      io::MemoryFileSystem disk;
      io::FaultyFileSystem faulty(disk);
      ManualClock clock(from_ms(kStart + 60'000));
      Model acknowledged;
      Model sent;
      std::uint64_t last_acknowledged = 0;
      faulty.arm(fault, n);
      for (int life = 0; life < 2; ++life) {
        auto store = Store::open(faulty, clock, metrics_, options);
        if (!store) continue;
        for (int i = 0; i < 12; ++i) {
          clock.advance(Duration{1000});
          const auto name = "m" + std::to_string(i % 3);
          const auto series = (*store)->resolve(tenant_, Labels{{"__name__", name}}).value();
          const auto at = life * 100'000 + i * 1000;
          const std::uint64_t sequence = static_cast<std::uint64_t>(life) * 100 + static_cast<std::uint64_t>(i) + 1;
          sent[name][at] = i;
          // A writer that gets an error sends the same batch again, as agents do.
          for (int attempt = 0; attempt < 3; ++attempt) {
            bool ok = false;
            (*store)->append(tenant_, {{{series, from_ms(kStart + at), i * 1.0}}, {"agent:a", sequence}},
                             [&](const Result<Appended>& done) { ok = done.has_value(); });
            if (ok) {
              acknowledged[name][at] = i;
              last_acknowledged = sequence;
              break;
            }
            clock.advance(Duration{1000});
          }
          if (i % 4 == 3) (void)(*store)->flush();
          if (i == 9) (void)(*store)->compact();
        }
      }
      const bool hit = faulty.struck();
      disk.power_cut_keeping_some(n);
      auto again = Store::open(disk, clock, metrics_, options);
      EXPECT_TRUE(again) << "fault " << static_cast<int>(fault) << " at call " << n;
      if (!again) return hit;
      EXPECT_GE((*again)->last_sequence(tenant_, "agent:a"), last_acknowledged);
      const auto found = contents(**again);
      for (const auto& [name, samples] : acknowledged) {
        for (const auto& [at, value] : samples) {
          EXPECT_TRUE(found.contains(name) && found.at(name).contains(at) && found.at(name).at(at) == value)
              << "fault " << static_cast<int>(fault) << " at call " << n << ": lost " << name << " at " << at;
        }
      }
      for (const auto& [name, samples] : found) {
        for (const auto& [at, value] : samples) EXPECT_TRUE(sent[name].contains(at) && sent[name][at] == value);
      }
      return hit;
    });
    EXPECT_GT(struck, 50u);
  }
  testing::internal::GetCapturedStderr();
}

/// The disk fails for a while, and what it failed to confirm is there after all when the process
/// starts again: beside the copy that the writer sent a second time.
TEST_F(TsdbStore, ABatchThatWasSentAgainAfterAFailureIsToldOnce) {
  testing::internal::CaptureStderr();
  io::for_every_call([&](std::uint64_t n) {
    io::MemoryFileSystem disk;
    io::FaultyFileSystem faulty(disk);
    ManualClock clock(from_ms(kStart + 60'000));
    auto store = Store::open(faulty, clock, metrics_, options_for_tests()).value();
    bool ok = false;
    const auto send = [&](std::uint64_t sequence) {
      const auto series = store->resolve(tenant_, Labels{{"__name__", "up"}}).value();
      store->append(tenant_, {{{series, from_ms(kStart + static_cast<int>(sequence)), 1}}, {"agent:a", sequence}},
                    [&](const Result<Appended>& done) { ok = done.has_value(); });
    };
    send(1);
    faulty.arm(io::Fault::kIoError, n, true);
    send(2);
    const bool hit = faulty.struck();
    faulty.disarm();
    if (!ok) {
      clock.advance(Duration{1000});
      send(2);
    }
    EXPECT_TRUE(ok);
    store.reset();
    const auto again = Store::open(disk, clock, metrics_, options_for_tests()).value();
    EXPECT_EQ(contents(*again), (Model{{"up", {{1, 1}, {2, 1}}}})) << "at call " << n;
    EXPECT_EQ(replayed(*again, {}).size(), 2u) << "at call " << n;
    return hit;
  });
  testing::internal::GetCapturedStderr();
}

TEST_F(TsdbStore, AFlippedBitIsReportedAndTheRestServes) {
  testing::internal::CaptureStderr();
  open();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(append("m" + std::to_string(i % 2), i, i));
  store_.reset();
  const std::string path = "series/000000000001.log";
  const auto bytes = io::read_file(files_, path).value();
  std::mt19937_64 random(5);
  for (std::size_t offset = 0; offset < bytes.size(); offset += 1 + random() % 5) {
    io::MemoryFileSystem disk;
    ASSERT_TRUE(disk.create_directories("series"));
    ASSERT_TRUE(io::write_file_atomically(disk, path, bytes));
    ASSERT_TRUE(disk.flip_bits(path, offset, 0x10));
    auto store = try_open(disk);
    ASSERT_TRUE(store) << offset;
    EXPECT_TRUE(!(*store)->report().damaged.empty() || (*store)->report().torn_bytes > 0) << offset;
    std::size_t left = 0;
    for (const auto& [name, samples] : contents(**store)) {
      for (const auto& [at, value] : samples) {
        EXPECT_EQ(at, static_cast<std::int64_t>(value) * 1000);
        ++left;
      }
    }
    // One record: a sample, or with the definition of a series all ten of it.
    EXPECT_GE(left, 10u) << offset;
  }
  EXPECT_NE(testing::internal::GetCapturedStderr().find("damage set aside"), std::string::npos);
}

TEST_F(TsdbStore, ManyWritersAtOnceAreAllCommittedInOrderOfPosition) {
  auto options = options_for_tests();
  options.commit_inline = false;
  store_ = try_open(files_, options).value();
  LogPosition last;
  std::size_t heard = 0;
  store_->listen([&](const CommittedSamples& committed) {
    EXPECT_GT(committed.position, last);
    last = committed.position;
    heard += committed.samples.size();
  });
  store_->start();
  constexpr int kWriters = 4;
  constexpr int kBatches = 200;
  std::vector<std::thread> writers;
  std::atomic<int> acknowledged = 0;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      const auto series = store_->resolve(tenant_, Labels{{"__name__", "m" + std::to_string(w)}}).value();
      for (int i = 0; i < kBatches; ++i) {
        std::promise<bool> done;
        store_->append(tenant_, {{{series, from_ms(kStart + i), i * 1.0}}, {}},
                       [&](const Result<Appended>& result) { done.set_value(result.has_value()); });
        if (done.get_future().get()) ++acknowledged;
        (void)store_->select(tenant_, {Matcher::equal("__name__", "m0")}, {});
      }
    });
  }
  for (auto& writer : writers) writer.join();
  store_->stop();
  EXPECT_EQ(acknowledged, kWriters * kBatches);
  EXPECT_EQ(heard, static_cast<std::size_t>(kWriters * kBatches));
  files_.power_cut();
  open();
  EXPECT_EQ(contents(*store_).size(), static_cast<std::size_t>(kWriters));
  for (const auto& [name, samples] : contents(*store_)) EXPECT_EQ(samples.size(), static_cast<std::size_t>(kBatches));
}

}  // namespace
}  // namespace atalaya::tsdb
