#include "storage/segment_log.h"

#include <gtest/gtest.h>

#include <random>

#include "io/faulty_file_system.h"
#include "io/memory_file_system.h"
#include "storage/segment_scanner.h"

namespace atalaya::storage {
namespace {

struct Opened {
  std::unique_ptr<SegmentLog> log;
  std::vector<std::string> payloads;
  std::vector<LogPosition> positions;
  LogDamage damage;
};

Result<Opened> open(io::FileSystem& files, std::uint64_t segment_bytes = 1 << 20) {
  Opened out;
  auto log = SegmentLog::open(
      files, {"log", "TEST", segment_bytes}, 0x5a17,
      [&](const Segment&, const SegmentRecord& record) -> Status {
        out.payloads.emplace_back(record.payload);
        out.positions.push_back(record.position);
        return {};
      },
      out.damage);
  if (!log) return std::unexpected(std::move(log).error());
  out.log = std::move(*log);
  return out;
}

std::string payload(int i) { return "record " + std::to_string(i) + std::string(static_cast<std::size_t>(i * 7), 'x'); }

void write(SegmentLog& log, const std::vector<int>& records) {
  if (!log.is_writable()) {
    ASSERT_TRUE(log.start_segment(from_ms(1)));
  }
  for (const int i : records) ASSERT_TRUE(log.stage(payload(i)));
  ASSERT_TRUE(log.flush());
}

TEST(SegmentLog, WhatIsFlushedComesBackInOrder) {
  io::MemoryFileSystem files;
  {
    auto opened = open(files);
    write(*opened->log, {1, 2});
    write(*opened->log, {100});
  }
  files.power_cut();
  const auto again = open(files);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->payloads, (std::vector<std::string>{payload(1), payload(2), payload(100)}));
  EXPECT_EQ(again->damage.torn_bytes, 0u);
  EXPECT_TRUE(again->damage.damaged.empty());
}

TEST(SegmentLog, PositionsGrowOverRestartsAndDroppedSegments) {
  io::MemoryFileSystem files;
  LogPosition last;
  for (int round = 0; round < 4; ++round) {
    auto opened = open(files);
    ASSERT_TRUE(opened);
    EXPECT_GE(opened->log->last_position(), last);
    ASSERT_TRUE(opened->log->start_segment(from_ms(1)));
    const auto position = opened->log->stage("x", 3).value();
    EXPECT_GT(position, last);
    last = opened->log->stage("y").value();
    EXPECT_EQ(last.value, position.value + 3);
    ASSERT_TRUE(opened->log->flush());
    for (const auto& segment : opened->log->segments()) {
      if (segment.number == opened->log->current().number) continue;
      ASSERT_TRUE(opened->log->drop(segment.number));
    }
  }
}

TEST(SegmentLog, ATornTailIsCutOffAndReported) {
  io::MemoryFileSystem files;
  {
    auto opened = open(files);
    write(*opened->log, {1, 2});
  }
  const std::string path = "log/000000000001.log";
  {
    auto file = files.open_append(path).value();
    ASSERT_TRUE(file->append("half a rec"));
  }
  const auto again = open(files);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->payloads.size(), 2u);
  EXPECT_EQ(again->damage.torn_bytes, 10u);
  EXPECT_EQ(open(files).error().code, ErrorCode::kConflict);
}

TEST(SegmentLog, AFlippedBitCostsOneRecordAndIsReported) {
  io::MemoryFileSystem clean;
  {
    auto opened = open(clean);
    write(*opened->log, {1, 2, 3});
    opened->log->seal();
  }
  const std::string path = "log/000000000001.log";
  const auto bytes = io::read_file(clean, path).value();
  for (std::size_t offset = 0; offset < bytes.size(); ++offset) {
    io::MemoryFileSystem files;
    ASSERT_TRUE(files.create_directories("log"));
    ASSERT_TRUE(io::write_file_atomically(files, path, bytes));
    ASSERT_TRUE(files.flip_bits(path, offset, static_cast<unsigned char>(1U << (offset % 8))));
    const auto opened = open(files);
    ASSERT_TRUE(opened) << offset;
    const auto lost = 3 - opened->payloads.size();
    EXPECT_LE(lost, offset < kSegmentHeaderBytes ? 0u : 1u) << offset;
    EXPECT_TRUE(!opened->damage.damaged.empty() || opened->damage.torn_bytes > 0) << offset;
    if (!opened->damage.damaged.empty()) {
      EXPECT_EQ(io::read_file(files, path + ".damaged")->size(), bytes.size()) << offset;
    }
  }
}

TEST(SegmentLog, WhatWasRescuedOpensWithoutDamage) {
  io::MemoryFileSystem files;
  {
    auto opened = open(files);
    write(*opened->log, {1, 2, 3});
  }
  ASSERT_TRUE(files.flip_bits("log/000000000001.log", kSegmentHeaderBytes + 20, 1));
  EXPECT_EQ(open(files)->damage.damaged.size(), 1u);
  const auto again = open(files);
  EXPECT_TRUE(again->damage.damaged.empty());
  EXPECT_EQ(again->payloads, (std::vector<std::string>{payload(2), payload(3)}));
  EXPECT_EQ(again->positions[0].value, (1ULL << 32) + 2);
}

TEST(SegmentLog, ARescueSurvivesEveryFault) {
  io::MemoryFileSystem prepared;
  {
    auto opened = open(prepared);
    write(*opened->log, {1, 2, 3});
  }
  const std::string path = "log/000000000001.log";
  ASSERT_TRUE(prepared.flip_bits(path, kSegmentHeaderBytes + 20, 1));
  const auto bytes = io::read_file(prepared, path).value();
  for (const auto fault : {io::Fault::kIoError, io::Fault::kNoSpace, io::Fault::kTear, io::Fault::kPowerCut}) {
    io::for_every_call([&](std::uint64_t n) {
      io::MemoryFileSystem files;
      EXPECT_TRUE(files.create_directories("log"));
      EXPECT_TRUE(io::write_file_atomically(files, path, bytes));
      io::FaultyFileSystem faulty(files);
      faulty.arm(fault, n);
      (void)open(faulty);
      const bool struck = faulty.struck();
      files.power_cut_keeping_some(n);
      const auto again = open(files);
      EXPECT_TRUE(again) << "fault " << static_cast<int>(fault) << " at call " << n;
      if (again) {
        EXPECT_EQ(again->payloads, (std::vector<std::string>{payload(2), payload(3)}))
            << "fault " << static_cast<int>(fault) << " at call " << n;
      }
      return struck;
    });
  }
}

TEST(SegmentLog, TextThatLooksLikeARecordIsNotOne) {
  std::string forged;
  append_record(forged, 12345, 9, std::string(1, '\0') + "forged");
  io::MemoryFileSystem files;
  {
    auto opened = open(files);
    ASSERT_TRUE(opened->log->start_segment(from_ms(1)));
    ASSERT_TRUE(opened->log->stage(forged));
    ASSERT_TRUE(opened->log->stage("true"));
    ASSERT_TRUE(opened->log->flush());
  }
  ASSERT_TRUE(files.flip_bits("log/000000000001.log", kSegmentHeaderBytes, 1));
  EXPECT_EQ(open(files)->payloads, std::vector<std::string>{"true"});
}

TEST(SegmentLog, ANewerVersionEndsTheStart) {
  io::MemoryFileSystem files;
  {
    auto opened = open(files);
    write(*opened->log, {1});
  }
  std::unique_ptr<SegmentLog> log;
  LogDamage damage;
  auto other = SegmentLog::open(
      files, {"log", "ELSE", 1 << 20}, 1, [](const Segment&, const SegmentRecord&) -> Status { return {}; }, damage);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kUnprocessable);
  EXPECT_TRUE(open(files));
}

TEST(SegmentLog, AFailedFlushAbandonsTheSegmentAndTheNextOneServes) {
  io::MemoryFileSystem files(4096);
  auto opened = open(files);
  auto& log = *opened->log;
  write(log, {1});
  std::mt19937 random(1);
  std::string big(8192, '\0');  // that no compression makes small
  for (char& c : big) c = static_cast<char>(random());
  ASSERT_TRUE(log.stage(big));
  EXPECT_EQ(log.flush().error().code, ErrorCode::kResourceExhausted);
  EXPECT_FALSE(log.is_writable());
  files.set_capacity(1 << 20);
  write(log, {2});
  opened->log.reset();
  files.power_cut();
  const auto again = open(files);
  EXPECT_EQ(again->payloads, (std::vector<std::string>{payload(1), payload(2)}));
}

TEST(SegmentLog, WhatAKilledProcessLeftUnsyncedIsKeptOnceAStartHasShownIt) {
  io::MemoryFileSystem files;
  io::FaultyFileSystem faulty(files);
  {
    auto opened = open(faulty);
    write(*opened->log, {1});
    ASSERT_TRUE(opened->log->stage(payload(2)));
    faulty.arm(io::Fault::kPowerCut, 2);  // the append succeeds, its sync does not, nor anything after
    ASSERT_FALSE(opened->log->flush());
  }
  const std::vector<std::string> both{payload(1), payload(2)};
  {
    const auto shown = open(files);
    ASSERT_TRUE(shown);
    ASSERT_EQ(shown->payloads, both);
  }
  files.power_cut();
  EXPECT_EQ(open(files)->payloads, both);
}

TEST(SegmentLog, ABodyAboveTheLimitIsRefused) {
  io::MemoryFileSystem files;
  auto opened = open(files);
  ASSERT_TRUE(opened->log->start_segment(from_ms(1)));
  EXPECT_EQ(opened->log->stage(std::string(kMaxPayloadBytes + 1, 'x')).error().code, ErrorCode::kTooLarge);
  EXPECT_TRUE(opened->log->stage(std::string(kMaxPayloadBytes, 'x')));
  EXPECT_TRUE(opened->log->flush());
}

}  // namespace
}  // namespace atalaya::storage
