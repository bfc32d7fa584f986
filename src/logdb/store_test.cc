#include "logdb/store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <random>
#include <set>

#include "io/faulty_file_system.h"
#include "io/memory_file_system.h"

namespace atalaya::logdb {
namespace {

using storage::Appended;
using storage::CommittedLogs;
using storage::FoundLog;
using storage::LogBatch;
using storage::LogPosition;
using storage::LogQuery;
using Strings = std::vector<std::string>;

constexpr std::int64_t kStart = 1'700'000'000'000;

Options options_for_tests() {
  Options options;
  options.directory = "logs";
  options.commit_inline = true;
  return options;
}

class LogStore : public testing::Test {
 protected:
  Result<std::unique_ptr<Store>> try_open(io::FileSystem& files, Options options = options_for_tests()) {
    return Store::open(files, clock_, metrics_, std::move(options));
  }
  void open(Options options = options_for_tests()) {
    store_.reset();
    store_ = try_open(files_, std::move(options)).value();
  }
  static LogRecord line(std::int64_t seconds, std::string text, const Labels& labels = Labels{{"file", "a.log"}}) {
    return {from_ms(kStart + seconds * 1000), labels, std::move(text)};
  }
  Result<Appended> append(std::vector<LogRecord> records, storage::WriteOrigin origin = {}) {
    Result<Appended> out = fail(ErrorCode::kInternal, "done was not called");
    store_->append(tenant_, {std::move(records), std::move(origin)},
                   [&](Result<Appended> result) { out = std::move(result); });
    return out;
  }
  Strings lines(const LogQuery& query = {}) { return lines_of(*store_, query); }
  static Strings lines_of(const Store& store, const LogQuery& query = {}) {
    Strings out;
    const auto found = store.query(default_tenant(), query);
    EXPECT_TRUE(found);
    for (const auto& log : *found) out.push_back(log.record.line);
    return out;
  }

  ManualClock clock_{from_ms(kStart)};
  telemetry::Registry metrics_;
  io::MemoryFileSystem files_;
  std::unique_ptr<Store> store_;
  TenantId tenant_ = default_tenant();
};

TEST_F(LogStore, AnAcknowledgedLineIsFoundAndSurvivesAPowerCut) {
  open();
  ASSERT_TRUE(append({line(1, "first"), line(2, "second")}));
  EXPECT_EQ(lines(), (Strings{"second", "first"}));
  const auto before = store_->query(tenant_, {}).value();
  files_.power_cut();
  open();
  EXPECT_EQ(store_->report().lines, 2u);
  const auto after = store_->query(tenant_, {}).value();
  ASSERT_EQ(after.size(), 2u);
  EXPECT_EQ(after[0].id, before[0].id);
  EXPECT_GT(after[0].id, after[1].id);
  EXPECT_EQ(after[1].record.labels, (Labels{{"file", "a.log"}}));
  EXPECT_EQ(after[1].record.time, from_ms(kStart + 1000));
}

TEST_F(LogStore, FindsByLabelTextExpressionAndTime) {
  open();
  const Labels b{{"file", "b.log"}, {"level", "error"}};
  ASSERT_TRUE(append({line(1, "Start of A"), line(2, "disk ERROR 17", b), line(3, "disk error 18"), line(4, "a.b")}));
  EXPECT_EQ(lines({.matchers = {Matcher::equal("file", "b.log")}}), (Strings{"disk ERROR 17"}));
  EXPECT_EQ(lines({.matchers = {Matcher::make("level", Matcher::Op::kNotEqual, "error").value()}}),
            (Strings{"a.b", "disk error 18", "Start of A"}));
  EXPECT_EQ(lines({.contains = "Error"}), (Strings{"disk error 18", "disk ERROR 17"}));
  EXPECT_EQ(lines({.contains = "a.b"}), (Strings{"a.b"}));
  EXPECT_EQ(lines({.regex = "1[78]$", .newest_first = false}), (Strings{"disk ERROR 17", "disk error 18"}));
  EXPECT_EQ(lines({.range = {from_ms(kStart + 2000), from_ms(kStart + 3000)}}),
            (Strings{"disk error 18", "disk ERROR 17"}));
  EXPECT_EQ(store_->query(tenant_, {.regex = "("}).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(LogStore, NamesTheStreamsOfARange) {
  open();
  const Labels b{{"file", "b.log"}};
  ASSERT_TRUE(append({line(1, "one"), line(2, "two", b)}));
  const auto streams = [&](const TenantId& tenant, storage::TimeRange range) {
    return store_->streams(tenant, {Matcher::make("file", Matcher::Op::kRegex, "b.*").value()}, range);
  };
  EXPECT_EQ(streams(tenant_, {}), std::vector<Labels>{b});
  EXPECT_TRUE(streams(tenant_, {from_ms(kStart + 10'000), kMaxTime}).empty());
  EXPECT_TRUE(streams(TenantId{"other"}, {}).empty());
}

TEST_F(LogStore, TheLimitKeepsTheWantedEnd) {
  open();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(append({line(i, std::to_string(i))}));
  EXPECT_EQ(lines({.limit = 3}), (Strings{"49", "48", "47"}));
  EXPECT_EQ(lines({.limit = 2, .newest_first = false}), (Strings{"0", "1"}));
  EXPECT_EQ(lines({.limit = 0}), Strings{});
}

TEST_F(LogStore, LinesOutOfOrderAreFoundInOrderOfTime) {
  open();
  ASSERT_TRUE(append({line(5, "5"), line(1, "1")}));
  ASSERT_TRUE(append({line(3, "3"), line(5, "5 again")}));
  EXPECT_EQ(lines(), (Strings{"5 again", "5", "3", "1"}));
  EXPECT_EQ(lines({.limit = 1, .newest_first = false}), (Strings{"1"}));
}

TEST_F(LogStore, AQueryReadsOnlyTheEndThatItNeeds) {
  auto options = options_for_tests();
  options.segment_bytes = 16 << 10;
  open(options);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(append({line(i, std::to_string(i) + std::string(1000, 'x'))}));
  io::FaultyFileSystem counted(files_);
  store_.reset();
  store_ = try_open(counted, options).value();
  counted.disarm();
  EXPECT_EQ(lines({.limit = 5}).size(), 5u);
  EXPECT_LE(counted.calls(), 6u);
}

TEST_F(LogStore, ARepeatedSequenceIsAcknowledgedWithoutEffectAlsoAfterARestart) {
  open();
  EXPECT_FALSE(append({line(1, "a")}, {"agent:a", 3})->repeated);
  EXPECT_TRUE(append({line(1, "a")}, {"agent:a", 3})->repeated);
  files_.power_cut();
  open();
  EXPECT_EQ(store_->last_sequence(tenant_, "agent:a"), 3u);
  EXPECT_TRUE(append({line(1, "a")}, {"agent:a", 2})->repeated);
  EXPECT_EQ(lines(), (Strings{"a"}));
}

TEST_F(LogStore, TheOldestFilesGoWhenTheCapIsReached) {
  auto options = options_for_tests();
  options.segment_bytes = 4 << 10;
  options.max_bytes = 32 << 10;
  open(options);
  std::mt19937_64 random(3);
  for (int i = 0; i < 300; ++i) {
    std::string noise(500, ' ');
    for (char& c : noise) c = static_cast<char>('!' + random() % 90);
    ASSERT_TRUE(append({line(i, std::to_string(i) + " " + noise)}, {"agent:a", static_cast<std::uint64_t>(i + 1)}));
  }
  const auto left = lines({.limit = 1000});
  EXPECT_TRUE(left.front().starts_with("299 "));
  EXPECT_LT(left.size(), 70u);
  EXPECT_GT(left.size(), 30u);
  files_.power_cut();
  open(options);
  EXPECT_EQ(lines({.limit = 1000}), left);
  EXPECT_EQ(store_->last_sequence(tenant_, "agent:a"), 300u);
}

TEST_F(LogStore, FilesGoWhenTheirYoungestLineIsTooOld) {
  auto options = options_for_tests();
  options.max_age = std::chrono::hours{24};
  options.segment_age = std::chrono::hours{1};
  open(options);
  ASSERT_TRUE(append({line(0, "old", Labels{{"file", "old.log"}})}));
  clock_.advance(std::chrono::hours{2});
  ASSERT_TRUE(append({line(7200, "new")}));
  clock_.advance(std::chrono::hours{23});
  store_->maintain();
  EXPECT_EQ(lines(), (Strings{"new"}));
  EXPECT_EQ(store_->label_values(tenant_, "file"), (Strings{"a.log"}));
}

TEST_F(LogStore, ListenersHearBatchesInOrderAndReplayRepeatsThem) {
  open();
  std::vector<std::pair<LogPosition, std::string>> heard;
  store_->listen([&](const CommittedLogs& committed) {
    for (const auto& record : committed.records) heard.emplace_back(committed.position, record.line);
  });
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(append({line(i, std::to_string(i)), line(i, "again")}));
  EXPECT_TRUE(std::is_sorted(heard.begin(), heard.end(), [](auto& a, auto& b) { return a.first < b.first; }));
  const auto replayed = [&](LogPosition after) {
    std::vector<std::pair<LogPosition, std::string>> out;
    EXPECT_TRUE(store_->replay(after, [&](const CommittedLogs& committed) {
      for (const auto& record : committed.records) out.emplace_back(committed.position, record.line);
    }));
    return out;
  };
  EXPECT_EQ(replayed({}), heard);
  files_.power_cut();
  open();
  EXPECT_EQ(replayed({}), heard);
  EXPECT_EQ(replayed(heard[3].first), std::vector(heard.begin() + 4, heard.end()));
}

TEST_F(LogStore, TenantsDoNotSeeOneAnother) {
  open();
  ASSERT_TRUE(append({line(1, "secret")}));
  EXPECT_TRUE(store_->query(TenantId{"other"}, {})->empty());
  EXPECT_TRUE(store_->label_values(TenantId{"other"}, "file").empty());
}

TEST_F(LogStore, LongLinesAreCutAtACharacterAndCounted) {
  auto options = options_for_tests();
  options.max_line_bytes = 4;
  open(options);
  ASSERT_TRUE(append({line(1, "abc\xc3\xa9z")}));
  EXPECT_EQ(lines(), (Strings{"abc"}));
  EXPECT_NE(metrics_.expose().find("atalaya_logdb_cut_lines_total 1"), std::string::npos);
}

TEST_F(LogStore, LimitsOfLabelSetsAreNamed) {
  auto options = options_for_tests();
  options.max_streams_per_tenant = 2;
  open(options);
  ASSERT_TRUE(append({line(1, "a"), line(1, "b", Labels{{"file", "b"}})}));
  const auto refused = append({line(1, "c", Labels{{"file", "c"}})});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  EXPECT_NE(refused.error().message.find("max_streams_per_tenant"), std::string::npos);
  EXPECT_TRUE(append({line(2, "a")}));
}

TEST_F(LogStore, AFullDiskRefusesWritesServesReadsAndRecovers) {
  testing::internal::CaptureStderr();
  open();
  ASSERT_TRUE(append({line(1, "a")}));
  files_.set_capacity(0);
  EXPECT_EQ(append({line(2, "b")}).error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(lines(), (Strings{"a"}));
  files_.set_capacity(1 << 20);
  clock_.advance(Duration{1000});
  EXPECT_TRUE(append({line(2, "b")}));
  files_.power_cut();
  open();
  EXPECT_EQ(lines(), (Strings{"b", "a"}));
  testing::internal::GetCapturedStderr();
}

TEST_F(LogStore, EveryFaultAtEveryCallLosesNothingAcknowledged) {
  testing::internal::CaptureStderr();  // each fault is logged, as it should be
  auto options = options_for_tests();
  options.segment_bytes = 512;
  for (const auto fault : {io::Fault::kNoSpace, io::Fault::kIoError, io::Fault::kTear, io::Fault::kPowerCut}) {
    const auto struck = io::for_every_call([&](std::uint64_t n) {
      io::MemoryFileSystem disk;
      io::FaultyFileSystem faulty(disk);
      ManualClock clock(from_ms(kStart));
      std::set<std::string> acknowledged;
      std::set<std::string> sent;
      faulty.arm(fault, n);
      for (int life = 0; life < 2; ++life) {
        auto store = Store::open(faulty, clock, metrics_, options);
        if (!store) continue;
        for (int i = 0; i < 12; ++i) {
          const auto text = std::to_string(life) + "/" + std::to_string(i);
          const auto sequence = static_cast<std::uint64_t>(life * 100 + i + 1);
          sent.insert(text);
          // A writer that gets an error sends the same batch again, as agents do.
          for (int attempt = 0; attempt < 3; ++attempt) {
            bool ok = false;
            (*store)->append(tenant_, {{line(i, text)}, {"agent:a", sequence}},
                             [&](const Result<Appended>& done) { ok = done.has_value(); });
            if (ok) acknowledged.insert(text);
            if (ok) break;
            clock.advance(Duration{1000});
          }
        }
      }
      const bool hit = faulty.struck();
      disk.power_cut_keeping_some(n);
      auto again = Store::open(disk, clock, metrics_, options);
      EXPECT_TRUE(again) << "fault " << static_cast<int>(fault) << " at call " << n;
      if (!again) return hit;
      const auto found = lines_of(**again);
      for (const auto& text : acknowledged) {
        EXPECT_EQ(std::count(found.begin(), found.end(), text), 1)
            << "fault " << static_cast<int>(fault) << " at call " << n << ": " << text;
      }
      for (const auto& text : found) EXPECT_TRUE(sent.contains(text)) << text;
      EXPECT_EQ(std::set(found.begin(), found.end()).size(), found.size());
      return hit;
    });
    EXPECT_GT(struck, 50u);
  }
  testing::internal::GetCapturedStderr();
}

/// The disk fails for a while, and what it failed to confirm is there after all when the process
/// starts again: beside the copy that the writer sent a second time.
TEST_F(LogStore, ALineThatWasSentAgainAfterAFailureIsThereOnce) {
  testing::internal::CaptureStderr();
  int found_twice_on_disk = 0;
  io::for_every_call([&](std::uint64_t n) {
    io::MemoryFileSystem disk;
    io::FaultyFileSystem faulty(disk);
    ManualClock clock(from_ms(kStart));
    auto store = Store::open(faulty, clock, metrics_, options_for_tests()).value();
    bool ok = false;
    const auto send = [&](std::uint64_t sequence) {
      store->append(tenant_, {{line(1, std::to_string(sequence))}, {"agent:a", sequence}},
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
    EXPECT_EQ(lines_of(*again), (Strings{"2", "1"})) << "at call " << n;
    int heard = 0;
    EXPECT_TRUE(again->replay(
        {}, [&](const CommittedLogs& committed) { heard += static_cast<int>(committed.records.size()); }));
    EXPECT_EQ(heard, 2) << "at call " << n;
    std::string bytes;
    const auto files = disk.list("logs").value();
    for (const auto& file : files) bytes += io::read_file(disk, "logs/" + file.name).value();
    std::size_t copies = 0;
    for (auto at = bytes.find("\x01"
                              "2");
         at != bytes.npos; at = bytes.find("\x01"
                                           "2",
                                           at + 1))
      ++copies;
    found_twice_on_disk += copies > 1;
    return hit;
  });
  EXPECT_GT(found_twice_on_disk, 0);  // or the test has tested nothing
  testing::internal::GetCapturedStderr();
}

TEST_F(LogStore, AFlippedBitIsReportedAndTheRestServes) {
  testing::internal::CaptureStderr();
  open();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(append({line(i, std::to_string(i))}));
  store_.reset();
  const std::string path = "logs/000000000001.log";
  const auto bytes = io::read_file(files_, path).value();
  for (std::size_t offset = 0; offset < bytes.size(); offset += 3) {
    io::MemoryFileSystem disk;
    ASSERT_TRUE(disk.create_directories("logs"));
    ASSERT_TRUE(io::write_file_atomically(disk, path, bytes));
    ASSERT_TRUE(disk.flip_bits(path, offset, 0x04));
    auto store = try_open(disk);
    ASSERT_TRUE(store) << offset;
    EXPECT_TRUE(!(*store)->report().damaged.empty() || (*store)->report().torn_bytes > 0) << offset;
    EXPECT_GE(lines_of(**store).size(), 19u) << offset;
  }
  testing::internal::GetCapturedStderr();
}

/// Random batches, restarts and queries against a list.
TEST_F(LogStore, MatchesAListOverRandomLives) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  auto options = options_for_tests();
  options.segment_bytes = 8192;
  open(options);
  std::vector<LogRecord> model;
  for (int i = 0; i < 400; ++i) {
    std::vector<LogRecord> batch;
    for (auto n = random() % 6; n > 0; --n) {
      batch.push_back(line(static_cast<std::int64_t>(random() % 1000), "word" + std::to_string(random() % 50),
                           Labels{{"file", std::to_string(random() % 4)}}));
    }
    model.insert(model.end(), batch.begin(), batch.end());
    ASSERT_TRUE(append(std::move(batch)));
    if (random() % 50 == 0) {
      files_.power_cut();
      open(options);
    }
    LogQuery query;
    query.limit = 1 + random() % 40;
    query.newest_first = random() % 2 == 0;
    if (random() % 2) query.matchers = {Matcher::equal("file", std::to_string(random() % 4))};
    const auto wanted_text = "word" + std::to_string(random() % 5);
    if (random() % 2) query.contains = "WORD" + wanted_text.substr(4);
    query.range.from = from_ms(kStart + static_cast<std::int64_t>(random() % 900'000));
    query.range.to = query.range.from + Duration{random() % 500'000};
    std::vector<std::pair<std::int64_t, std::size_t>> wanted;
    for (std::size_t j = 0; j < model.size(); ++j) {
      const auto& record = model[j];
      const bool in = record.time >= query.range.from && record.time <= query.range.to;
      const bool text = query.contains.empty() || record.line.starts_with(wanted_text);
      if (in && text && matches(query.matchers, record.labels)) wanted.emplace_back(to_ms(record.time), j);
    }
    std::sort(wanted.begin(), wanted.end());
    if (query.newest_first) std::reverse(wanted.begin(), wanted.end());
    wanted.resize(std::min(wanted.size(), query.limit));
    Strings texts;
    for (const auto& [time, j] : wanted) texts.push_back(model[j].line);
    ASSERT_EQ(lines(query), texts);
  }
}

TEST_F(LogStore, ManyWritersAtOnceAreAllCommitted) {
  auto options = options_for_tests();
  options.commit_inline = false;
  store_ = try_open(files_, options).value();
  store_->start();
  std::vector<std::thread> writers;
  for (int w = 0; w < 4; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < 100; ++i) {
        std::promise<bool> done;
        store_->append(tenant_, {{line(i, std::to_string(w) + "/" + std::to_string(i))}, {}},
                       [&](const Result<Appended>& result) { done.set_value(result.has_value()); });
        EXPECT_TRUE(done.get_future().get());
        EXPECT_TRUE(store_->query(tenant_, {.limit = 3}));
      }
    });
  }
  for (auto& writer : writers) writer.join();
  store_->stop();
  files_.power_cut();
  open();
  EXPECT_EQ(lines().size(), 400u);
}

}  // namespace
}  // namespace atalaya::logdb
