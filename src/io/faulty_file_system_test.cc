#include "io/faulty_file_system.h"

#include <gtest/gtest.h>

#include <set>

#include "io/memory_file_system.h"

namespace atalaya::io {
namespace {

TEST(MemoryFileSystem, APowerCutForgetsUnsyncedBytes) {
  MemoryFileSystem disk;
  auto file = disk.open_append("a").value();
  ASSERT_TRUE(file->append("kept"));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(disk.sync_directory("."));
  ASSERT_TRUE(file->append("lost"));
  disk.power_cut();
  EXPECT_EQ(read_file(disk, "a").value(), "kept");
  EXPECT_EQ(file->append("x").error().code, ErrorCode::kUnavailable);
}

TEST(MemoryFileSystem, APowerCutForgetsNamesWhoseDirectoryWasNotSynced) {
  MemoryFileSystem disk;
  auto file = disk.open_append("a").value();
  ASSERT_TRUE(file->append("x"));
  ASSERT_TRUE(file->sync());
  disk.power_cut();
  EXPECT_FALSE(disk.exists("a"));
}

TEST(MemoryFileSystem, APowerCutUndoesRenamesAndRemovalsThatWereNotSynced) {
  MemoryFileSystem disk;
  ASSERT_TRUE(disk.create_directories("d"));
  for (const auto* name : {"d/a", "d/b"}) {
    auto file = disk.open_append(name).value();
    ASSERT_TRUE(file->append(name));
    ASSERT_TRUE(file->sync());
  }
  ASSERT_TRUE(disk.sync_directory("d"));
  ASSERT_TRUE(disk.rename("d/a", "d/c"));
  ASSERT_TRUE(disk.remove("d/b"));
  disk.power_cut();
  EXPECT_EQ(read_file(disk, "d/a").value(), "d/a");
  EXPECT_EQ(read_file(disk, "d/b").value(), "d/b");
  EXPECT_FALSE(disk.exists("d/c"));
}

TEST(MemoryFileSystem, ATruncationThatWasNotSyncedIsUndone) {
  MemoryFileSystem disk;
  auto file = disk.open_append("a").value();
  ASSERT_TRUE(file->append("12345"));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(disk.sync_directory("."));
  ASSERT_TRUE(file->truncate(2));
  disk.power_cut();
  EXPECT_EQ(read_file(disk, "a").value(), "12345");
}

TEST(MemoryFileSystem, ACutThatKeepsSomeLeavesAPrefixOfWhatWasAppended) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 64; ++seed) {
    MemoryFileSystem disk;
    auto file = disk.open_append("a").value();
    ASSERT_TRUE(file->append("ab"));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(disk.sync_directory("."));
    ASSERT_TRUE(file->append("cd"));
    disk.power_cut_keeping_some(seed);
    seen.insert(read_file(disk, "a").value());
  }
  EXPECT_EQ(seen, (std::set<std::string>{"ab", "abc", "abcd"}));
}

TEST(MemoryFileSystem, AFullDiskTakesWhatFitsAndSaysSo) {
  MemoryFileSystem disk(6);
  auto file = disk.open_append("a").value();
  ASSERT_TRUE(file->append("1234"));
  EXPECT_EQ(disk.free_bytes(".").value(), 2u);
  EXPECT_EQ(file->append("5678").error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(read_file(disk, "a").value(), "123456");
  disk.set_capacity(100);
  EXPECT_TRUE(file->append("7"));
}

TEST(MemoryFileSystem, FlippedBitsStayFlippedThroughAPowerCut) {
  MemoryFileSystem disk;
  ASSERT_TRUE(write_file_atomically(disk, "a", "abc"));
  ASSERT_TRUE(disk.flip_bits("a", 1, 0x01));
  disk.power_cut();
  EXPECT_EQ(read_file(disk, "a").value(), "acc");
  EXPECT_FALSE(disk.flip_bits("a", 3, 1));
}

TEST(FaultyFileSystem, OnlyTheArmedCallFails) {
  MemoryFileSystem disk;
  FaultyFileSystem faulty(disk);
  auto file = faulty.open_append("a").value();
  faulty.arm(Fault::kIoError, 2);
  EXPECT_TRUE(file->append("1"));
  EXPECT_EQ(file->append("2").error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(file->append("3"));
  EXPECT_TRUE(faulty.struck());
  EXPECT_EQ(faulty.calls(), 3u);
  EXPECT_EQ(read_file(disk, "a").value(), "13");
}

TEST(FaultyFileSystem, ATornAppendLeavesHalf) {
  MemoryFileSystem disk;
  FaultyFileSystem faulty(disk);
  auto file = faulty.open_append("a").value();
  faulty.arm(Fault::kTear, 1);
  EXPECT_FALSE(file->append("1234"));
  EXPECT_EQ(read_file(disk, "a").value(), "12");
}

TEST(FaultyFileSystem, AFullDiskStaysFullButLetsOneReadAndDelete) {
  MemoryFileSystem disk;
  ASSERT_TRUE(write_file_atomically(disk, "a", "x"));
  FaultyFileSystem faulty(disk);
  faulty.arm(Fault::kNoSpace, 1, true);
  EXPECT_EQ(faulty.open_append("b").error().code, ErrorCode::kResourceExhausted);
  EXPECT_TRUE(faulty.open_read("a"));
  EXPECT_TRUE(faulty.remove("a"));
  EXPECT_EQ(faulty.create_directories("c").error().code, ErrorCode::kResourceExhausted);
  faulty.disarm();
  EXPECT_TRUE(faulty.create_directories("c"));
}

TEST(WriteFileAtomically, AtEveryFaultAReaderSeesTheOldBytesOrTheNew) {
  for (const auto fault : {Fault::kNoSpace, Fault::kIoError, Fault::kTear, Fault::kPowerCut}) {
    const auto struck = for_every_call([&](std::uint64_t n) {
      MemoryFileSystem disk;
      EXPECT_TRUE(write_file_atomically(disk, "f", "old"));
      FaultyFileSystem faulty(disk);
      faulty.arm(fault, n);
      const auto done = write_file_atomically(faulty, "f", "new");
      const auto visible = read_file(disk, "f").value();
      EXPECT_TRUE(visible == "new" || (visible == "old" && !done)) << visible;
      disk.power_cut();
      const auto durable = read_file(disk, "f").value();
      EXPECT_TRUE(durable == "new" || (durable == "old" && !done)) << durable;
      return faulty.struck();
    });
    EXPECT_EQ(struck, 6u);  // open, truncate, append, sync, rename, sync of the directory
  }
}

}  // namespace
}  // namespace atalaya::io
