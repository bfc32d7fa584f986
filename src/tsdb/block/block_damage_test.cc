// What a disk can do to a block: flipped bits, cut ends, calls that fail.
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "io/checksum.h"
#include "io/faulty_file_system.h"
#include "tsdb/block/block_test_support.h"

namespace atalaya::tsdb {
namespace {

const BlockOptions kTiny{4, 64, 3};

PlainBlock some_plain(std::uint32_t columns = 1) {
  std::mt19937_64 random(columns);
  return random_plain(random, columns);
}

void put_file(io::FileSystem& disk, const std::string& path, std::string_view bytes) {
  ASSERT_TRUE(io::write_file_atomically(disk, path, bytes));
}

/// Opens, reads everything, verifies. Whoever does not complain must have read the truth; true when
/// somebody complained.
bool is_noticed(io::FileSystem& disk, const PlainBlock& truth) {
  const auto block = Block::open(disk, "b");
  if (!block) return true;
  const auto read = read_plain(**block);
  const bool verified = (*block)->verify().has_value();
  if (verified) {
    EXPECT_TRUE(read) << "verified, but " << to_string(read.error());
  }
  if (!read) return true;
  EXPECT_EQ(*read, truth) << "wrong data";
  return !verified;
}

TEST(BlockDamage, AFlippedBitAnywhereIsNoticedAndNeverBecomesData) {
  for (const std::uint32_t columns : {1u, 5u}) {
    const auto plain = some_plain(columns);
    for (const auto& options : {kTiny, BlockOptions{}}) {
      io::MemoryFileSystem disk;
      ASSERT_TRUE(write_plain(disk, "b", plain, options));
      const auto size = io::read_file(disk, "b").value().size();
      ASSERT_FALSE(is_noticed(disk, plain));
      for (std::size_t i = 0; i < size; ++i) {
        const auto mask = static_cast<unsigned char>(1U << (i * 5 % 8));
        ASSERT_TRUE(disk.flip_bits("b", i, mask));
        EXPECT_TRUE(is_noticed(disk, plain)) << "byte " << i << " of " << size;
        ASSERT_TRUE(disk.flip_bits("b", i, mask));
      }
    }
  }
}

TEST(BlockDamage, AFileCutAnywhereOrContinuedDoesNotOpen) {
  io::MemoryFileSystem disk;
  ASSERT_TRUE(write_plain(disk, "b", some_plain()));
  const auto good = io::read_file(disk, "b").value();
  for (std::size_t size = 0; size < good.size(); ++size) {
    put_file(disk, "b", good.substr(0, size));
    const auto block = Block::open(disk, "b");
    ASSERT_FALSE(block) << size;
    EXPECT_EQ(block.error().code, ErrorCode::kCorruption);
  }
  put_file(disk, "b", good + "x");
  EXPECT_EQ(Block::open(disk, "b").error().code, ErrorCode::kCorruption);
  put_file(disk, "b", good);
  EXPECT_TRUE(Block::open(disk, "b"));
}

TEST(BlockDamage, ANewerVersionIsNoDamage) {
  io::MemoryFileSystem disk;
  ASSERT_TRUE(write_plain(disk, "b", some_plain()));
  auto bytes = io::read_file(disk, "b").value();
  std::string header = bytes.substr(0, 8);
  ByteWriter(header).u32(2);
  ByteWriter(header).u32(io::crc32c(header));
  put_file(disk, "b", header + bytes.substr(16));
  const auto block = Block::open(disk, "b");
  ASSERT_FALSE(block);
  EXPECT_EQ(block.error().code, ErrorCode::kUnprocessable);
  EXPECT_NE(block.error().message.find("version 2"), std::string::npos) << block.error().message;
}

TEST(BlockDamage, AnErrorNamesFilePartAndOffset) {
  io::MemoryFileSystem disk;
  ASSERT_TRUE(write_plain(disk, "b", {{named("acme", "up"), {{1, bits({1})}, {2, bits({5})}}}}));
  std::size_t reported = 0;
  for (std::size_t i = 0; i < io::read_file(disk, "b").value().size(); ++i) {
    ASSERT_TRUE(disk.flip_bits("b", i, 1));
    const auto block = Block::open(disk, "b");
    if (!block) {
      EXPECT_TRUE(block.error().message.starts_with("block b")) << block.error().message;
    } else {
      EXPECT_EQ((*block)->verify().error().code, ErrorCode::kCorruption);
      ColumnsRead read;
      const auto found = (*block)->read(TenantId{"acme"}, 0, {}, read);
      if (!found && found.error().message.find("page 0 of values at offset ") != std::string::npos) ++reported;
      if (!found) {
        EXPECT_TRUE(found.error().message.starts_with("block b, series 0 of acme: ")) << found.error().message;
      }
    }
    ASSERT_TRUE(disk.flip_bits("b", i, 1));
  }
  EXPECT_GT(reported, 3u);
}

TEST(BlockDamage, AtEveryFaultOfWritingTheOldFilesStandAndTheNewOneIsWholeOrNone) {
  const auto old = some_plain();
  std::mt19937_64 random(7);
  const auto fresh = random_plain(random);
  for (const auto fault : {io::Fault::kNoSpace, io::Fault::kIoError, io::Fault::kTear, io::Fault::kPowerCut}) {
    for (const bool lasting : {false, true}) {
      const auto struck = io::for_every_call([&](std::uint64_t n) {
        SCOPED_TRACE(n);
        io::MemoryFileSystem disk;
        EXPECT_TRUE(write_plain(disk, "old", old, kTiny));
        io::FaultyFileSystem faulty(disk);
        faulty.arm(fault, n, lasting);
        const auto done = write_plain(faulty, "b", fresh, kTiny);
        const auto look = [&] {
          EXPECT_EQ(read_plain(*Block::open(disk, "old").value()).value(), old);
          if (disk.exists("b")) {
            const auto block = Block::open(disk, "b").value();
            EXPECT_TRUE(block->verify());
            EXPECT_EQ(read_plain(*block).value(), fresh);
          } else {
            EXPECT_FALSE(done);
          }
          const auto entries = disk.list(".").value();
          for (const auto& entry : entries) {
            EXPECT_TRUE(entry.name == "old" || entry.name == "b" || (entry.name == "b.new" && !done)) << entry.name;
          }
        };
        look();
        if (done) {
          EXPECT_EQ(read_plain(**done).value(), fresh);
        }
        disk.power_cut();
        look();
        return faulty.struck();
      });
      EXPECT_GT(struck, 8u);
    }
  }
}

TEST(BlockDamage, WhatTheDiskMadeOfAWriteIsLookedAtBeforeTheNameIsGiven) {
  /// Turns a bit of the third thing that is written, as a bad controller would.
  class LyingFiles final : public io::FileSystem {
   public:
    explicit LyingFiles(io::MemoryFileSystem& below) : below_(below) {}
    Result<std::unique_ptr<io::File>> open_append(const std::string& path) override { return below_.open_append(path); }
    Result<std::unique_ptr<io::File>> open_read(const std::string& path) override { return below_.open_read(path); }
    Result<std::unique_ptr<io::Mapping>> map(const std::string& path, io::MapSource source) override {
      EXPECT_EQ(source, io::MapSource::kDevice) << "not from the memory of the operating system";
      AT_TRY(below_.flip_bits(path, 20, 4));
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
    io::MemoryFileSystem& below_;
  };
  io::MemoryFileSystem disk;
  LyingFiles lying(disk);
  EXPECT_EQ(write_plain(lying, "b", some_plain(), kTiny).error().code, ErrorCode::kCorruption);
  EXPECT_TRUE(disk.list(".").value().empty());
}

}  // namespace
}  // namespace atalaya::tsdb
