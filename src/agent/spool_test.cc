#include "agent/spool.h"

#include <gtest/gtest.h>

#include "io/faulty_file_system.h"
#include "io/memory_file_system.h"

namespace atalaya::agent {
namespace {

using collect::Batch;

constexpr Time kStart = from_ms(1'700'000'000'000);

SpoolOptions small_options() {
  SpoolOptions options;
  options.directory = "/data/spool";
  options.boot = 7;
  return options;
}

struct Read {
  std::uint64_t sequence;
  std::string payload;
  bool operator==(const Read&) const = default;
};

std::vector<Read> read_all(Spool& spool, SpoolCursor cursor = {}) {
  std::vector<Read> out;
  SpoolRecord record;
  while (spool.next(cursor, record)) out.push_back({record.sequence, std::string{record.payload}});
  return out;
}

std::uint64_t add(Spool& spool, const std::string& payload, Time now = kStart, std::vector<Batch::Mark> marks = {}) {
  spool.begin(now);
  const auto sequence = spool.append(kRecordSamples, payload.size(), payload, marks);
  return sequence ? *sequence : 0;
}

std::unique_ptr<Spool> open(io::FileSystem& files, SpoolOptions options = small_options()) {
  auto spool = Spool::open(files, std::move(options));
  EXPECT_TRUE(spool) << to_string(spool.error());
  return std::move(*spool);
}

TEST(Spool, GivesBackWhatWasAppendedInOrder) {
  io::MemoryFileSystem files;
  auto spool = open(files);
  add(*spool, "one");
  add(*spool, "two");
  EXPECT_EQ(read_all(*spool), (std::vector<Read>{{1, "one"}, {2, "two"}}));
}

TEST(Spool, KeepsRecordsIdAndMarksAcrossAKill) {
  io::MemoryFileSystem files;
  std::string id;
  {
    auto spool = open(files);
    id = spool->id();
    add(*spool, "one", kStart, {{"log/a", "10"}, {"log/b", "3"}});
    add(*spool, "two", kStart, {{"log/a", "20"}, {"log/b", ""}});
  }
  auto spool = open(files);
  EXPECT_EQ(spool->id(), id);
  EXPECT_EQ(spool->marks(), (collect::Marks{{"log/a", "20"}}));
  const auto third = add(*spool, "three");
  EXPECT_EQ(read_all(*spool), (std::vector<Read>{{1, "one"}, {2, "two"}, {third, "three"}}));
}

TEST(Spool, IsForOneProcessAtATime) {
  io::MemoryFileSystem files;
  auto spool = open(files);
  const auto second = Spool::open(files, small_options());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
}

TEST(Spool, ReaderSeesARecordAppendedAfterItReachedTheEnd) {
  io::MemoryFileSystem files;
  auto spool = open(files);
  SpoolCursor cursor;
  SpoolRecord record;
  EXPECT_FALSE(spool->next(cursor, record));
  add(*spool, "one");
  ASSERT_TRUE(spool->next(cursor, record));
  EXPECT_EQ(record.payload, "one");
  EXPECT_FALSE(spool->next(cursor, record));
  spool->begin(kStart, true);
  add(*spool, "two");
  ASSERT_TRUE(spool->next(cursor, record));
  EXPECT_EQ(record.payload, "two");
}

TEST(Spool, RemovesSegmentsWhoseRecordsAreAcknowledgedButTheNewest) {
  io::MemoryFileSystem files;
  auto options = small_options();
  options.segment_bytes = 200;
  auto spool = open(files, options);
  for (int i = 0; i < 20; ++i) add(*spool, std::string(80, 'x'));
  EXPECT_GT(spool->stats().segments, 5u);
  spool->acknowledge(20);
  EXPECT_EQ(spool->stats().segments, 1u);
  EXPECT_EQ(spool->stats().dropped_records, 0u);
}

TEST(Spool, AnIdleRestartAfterEverythingWasAcknowledgedKeepsMarksAndGoesOnAbove) {
  io::MemoryFileSystem files;
  {
    auto spool = open(files);
    add(*spool, "one", kStart, {{"log/a", "10"}});
    spool->acknowledge(1);
  }
  {
    auto spool = open(files);
  }
  auto spool = open(files);
  EXPECT_EQ(spool->marks(), (collect::Marks{{"log/a", "10"}}));
  EXPECT_GT(add(*spool, "two"), 2u);
}

TEST(Spool, DropsTheOldestAboveTheBoundAndCountsTheUnacknowledged) {
  io::MemoryFileSystem files;
  auto options = small_options();
  options.max_bytes = 8000;
  auto spool = open(files, options);
  for (int i = 0; i < 100; ++i) add(*spool, std::string(200, 'x'));
  const auto left = read_all(*spool);
  EXPECT_LE(spool->stats().bytes, 8000u);
  EXPECT_EQ(left.size() + spool->stats().dropped_records, 100u);
  EXPECT_EQ(left.back().sequence, 100u);
  for (std::size_t i = 1; i < left.size(); ++i) EXPECT_EQ(left[i].sequence, left[i - 1].sequence + 1);
}

TEST(Spool, EveryStartBeginsAboveAllThatMayHaveLeft) {
  io::MemoryFileSystem files;
  std::uint64_t last = 0;
  {
    auto spool = open(files);
    last = add(*spool, "on the disk");
    ASSERT_TRUE(files.sync_directory("/data/spool"));
  }
  // Each power cut takes the whole segment of the run before it, of which the server may know.
  for (int i = 0; i < 4; ++i) {
    auto spool = open(files);
    const auto next = add(*spool, "lost");
    EXPECT_GT(next, last);
    last = next;
    spool.reset();
    files.power_cut();
  }
}

TEST(Spool, ARecordThatWentOutFromMemoryLeavesItsNumberUsed) {
  io::MemoryFileSystem files;
  std::uint64_t last = 0;
  {
    auto spool = open(files);
    add(*spool, "one");
    files.set_capacity(0);
    last = add(*spool, "in memory");
  }
  files.set_capacity(1 << 20);
  auto spool = open(files);
  EXPECT_GT(add(*spool, "two"), last);
}

TEST(Spool, WithoutSegmentsCountsAnewUnderAnotherId) {
  io::MemoryFileSystem files;
  std::string id;
  {
    auto spool = open(files);
    id = spool->id();
    add(*spool, "one");
  }
  ASSERT_TRUE(files.remove("/data/spool/" + segment_name(1)));
  auto spool = open(files);
  EXPECT_NE(spool->id(), id);
}

TEST(Spool, HoldsRecordsInMemoryWhileTheDiskIsFullAndRefusesThoseWithMarks) {
  io::MemoryFileSystem disk;
  io::FaultyFileSystem files(disk);
  auto spool = open(files);
  add(*spool, "one");
  files.arm(io::Fault::kNoSpace, 1, true);
  spool->begin(kStart);
  EXPECT_FALSE(spool->append(kRecordSamples, 3, "two", {}));
  EXPECT_NE(add(*spool, "two"), 0u);
  EXPECT_FALSE(spool->on_disk());
  EXPECT_EQ(add(*spool, "line", kStart, {{"log/a", "5"}}), 0u);
  EXPECT_TRUE(spool->marks().empty());

  files.disarm();
  const auto later = kStart + Duration{6000};
  EXPECT_NE(add(*spool, "line", later, {{"log/a", "5"}}), 0u);
  EXPECT_TRUE(spool->on_disk());
  std::vector<std::string> payloads;
  for (const auto& read : read_all(*spool)) payloads.push_back(read.payload);
  EXPECT_EQ(payloads, (std::vector<std::string>{"one", "two", "line"}));
}

TEST(Spool, AFlippedBitCostsTheRestOfItsSegmentOnly) {
  io::MemoryFileSystem files;
  {
    auto spool = open(files);
    add(*spool, "one");
    add(*spool, "two");
    spool->begin(kStart, true);
    add(*spool, "three");
  }
  ASSERT_TRUE(files.flip_bits("/data/spool/" + segment_name(1), kSegmentHeaderBytes + 10, 4));
  auto spool = open(files);
  EXPECT_EQ(read_all(*spool), (std::vector<Read>{{3, "three"}}));
  EXPECT_EQ(spool->stats().damaged, 1u);
}

/// What a writer was told is kept: sequence and payload of every append that succeeded on disk, and
/// the marks after it.
struct Told {
  std::vector<Read> records;
  collect::Marks marks;
};

Told work(io::FileSystem& files, bool sync) {
  Told told;
  auto options = small_options();
  options.segment_bytes = 300;
  options.sync = sync;
  auto spool = Spool::open(files, options);
  if (!spool) return told;
  for (int i = 1; i <= 12; ++i) {
    const auto payload = "payload " + std::to_string(i);
    (*spool)->begin(kStart + Duration{i * 1000});
    const auto offset = std::to_string(i);
    const auto sequence =
        (*spool)->append(kRecordLogs, payload.size(), payload, std::vector<Batch::Mark>{{"log/a", offset}});
    if (!sequence) continue;
    told.records.push_back({*sequence, payload});
    told.marks["log/a"] = offset;
  }
  return told;
}

void expect_kept(io::FileSystem& files, const Told& told, std::uint64_t boot) {
  auto options = small_options();
  options.boot = boot;
  auto spool = open(files, options);
  if (told.records.empty()) return;
  EXPECT_EQ(spool->marks(), told.marks);
  const auto read = read_all(*spool);
  EXPECT_EQ(read, told.records);
  EXPECT_GT(add(*spool, "next"), told.records.back().sequence);
}

TEST(Spool, SurvivesAKillAtEveryCallThatFailsOrTears) {
  for (const auto fault : {io::Fault::kNoSpace, io::Fault::kIoError, io::Fault::kTear}) {
    const auto struck = io::for_every_call([&](std::uint64_t n) {
      io::MemoryFileSystem disk;
      io::FaultyFileSystem files(disk);
      files.arm(fault, n);
      const auto told = work(files, false);
      const bool hit = files.struck();
      expect_kept(disk, told, 7);
      return hit;
    });
    EXPECT_GT(struck, 12u);
  }
}

TEST(Spool, WithSyncEveryAcknowledgedAppendSurvivesAPowerCutAtEveryCall) {
  const auto struck = io::for_every_call([&](std::uint64_t n) {
    io::MemoryFileSystem disk;
    io::FaultyFileSystem files(disk);
    files.arm(io::Fault::kPowerCut, n);
    const auto told = work(files, true);
    const bool hit = files.struck();
    disk.power_cut();
    auto options = small_options();
    options.boot = 8;
    auto spool = open(disk, options);
    const auto read = read_all(*spool);
    // The record under way may be there as well; nothing that was told is missing.
    EXPECT_GE(read.size(), told.records.size());
    for (std::size_t i = 0; i < told.records.size() && i < read.size(); ++i) EXPECT_EQ(read[i], told.records[i]);
    return hit;
  });
  EXPECT_GT(struck, 24u);
}

TEST(Spool, AfterAPowerCutThatKeepsSomeNoSequenceIsUsedTwice) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    io::MemoryFileSystem disk;
    const auto told = work(disk, false);
    disk.power_cut_keeping_some(seed);
    auto options = small_options();
    options.boot = 8;
    auto spool = open(disk, options);
    const auto sequence = add(*spool, "next");
    const bool anew = spool->last_sequence() == 1;  // nothing survived: another id
    EXPECT_TRUE(anew || sequence > told.records.back().sequence) << "seed " << seed;
  }
}

/// Three segments whose records lie on the disk alone.
void fill(io::FileSystem& files) {
  auto spool = open(files);
  for (int segment = 0; segment < 3; ++segment) {
    for (int i = 0; i < 3; ++i) {
      spool->begin(kStart, i == 0);
      const auto payload = std::to_string(segment) + "/" + std::to_string(i);
      ASSERT_TRUE(spool->append(kRecordSamples | kRecordDefinitions, payload.size(), payload, {}));
    }
  }
}

TEST(Spool, AReadThatFailsForATimeHidesNoRecordAndNoDefinition) {
  for (const bool lasting : {false, true}) {
    const auto struck = io::for_every_call([&](std::uint64_t n) {
      io::MemoryFileSystem disk;
      fill(disk);
      io::FaultyFileSystem files(disk);
      auto spool = open(files);
      files.arm(io::Fault::kIoError, n, lasting);
      std::vector<std::string> payloads;
      SpoolCursor cursor;
      SpoolRecord record;
      const auto read_on = [&] {
        for (auto at = cursor; spool->next(cursor, record); at = cursor) {
          const std::string payload{record.payload};
          std::vector<std::string> storage;
          const auto definitions = spool->defining_before(cursor, storage);
          if (!definitions) {
            EXPECT_EQ(definitions.error().code, ErrorCode::kUnavailable);
            cursor = at;
            return;
          }
          EXPECT_EQ(definitions->size(), static_cast<std::size_t>(payload.back() - '0') + 1);
          payloads.push_back(payload);
        }
      };
      for (int i = 0; i < 20; ++i) read_on();
      const bool hit = files.struck();
      files.disarm();
      read_on();
      EXPECT_EQ(payloads, (std::vector<std::string>{"0/0", "0/1", "0/2", "1/0", "1/1", "1/2", "2/0", "2/1", "2/2"}));
      EXPECT_EQ(spool->stats().damaged, 0u);
      return hit;
    });
    EXPECT_GT(struck, 5u);
  }
}

TEST(Spool, AStartOnADiskThatCannotBeReadNowFailsAndTakesNothingAway) {
  const auto struck = io::for_every_call([&](std::uint64_t n) {
    io::MemoryFileSystem disk;
    fill(disk);
    const auto id = open(disk)->id();
    io::FaultyFileSystem files(disk);
    files.arm(io::Fault::kIoError, n, true);
    static_cast<void>(Spool::open(files, small_options()));
    const bool hit = files.struck();
    auto spool = open(disk);
    EXPECT_EQ(spool->id(), id);
    EXPECT_EQ(read_all(*spool).size(), 9u);
    return hit;
  });
  EXPECT_GT(struck, 8u);
}

TEST(Spool, APlaceThatStaysUnreadableIsGivenUpInTheEnd) {
  io::MemoryFileSystem disk;
  fill(disk);
  io::FaultyFileSystem files(disk);
  auto spool = open(files);
  files.arm(io::Fault::kIoError, 1, true);
  SpoolCursor cursor;
  SpoolRecord record;
  spool->begin(kStart);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(spool->next(cursor, record));
  EXPECT_EQ(spool->stats().damaged, 0u);
  spool->begin(kStart + small_options().give_up_reading_after);
  EXPECT_FALSE(spool->next(cursor, record));
  EXPECT_EQ(spool->stats().damaged, 1u);
}

TEST(Spool, TornTailIsCutAndTheNextRecordFollows) {
  io::MemoryFileSystem files;
  {
    auto spool = open(files);
    add(*spool, "one");
    add(*spool, "two");
  }
  const auto path = "/data/spool/" + segment_name(1);
  {
    auto file = files.open_append(path);
    ASSERT_TRUE((*file)->truncate((*file)->size() - 1));
  }
  auto spool = open(files);
  EXPECT_EQ(spool->stats().damaged, 1u);
  const auto next = add(*spool, "three");
  EXPECT_EQ(read_all(*spool), (std::vector<Read>{{1, "one"}, {next, "three"}}));
}

}  // namespace
}  // namespace atalaya::agent
