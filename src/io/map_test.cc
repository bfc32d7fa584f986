#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <functional>

#include "io/descriptor.h"
#include "io/faulty_file_system.h"
#include "io/file_system.h"
#include "io/memory_file_system.h"
#include "io/memory_map.h"

namespace atalaya::io {
namespace {

/// Runs the same expectations on the machine's files and on those in memory.
void on_each(const std::function<void(FileSystem&, const std::string& folder)>& test) {
  MemoryFileSystem memory;
  ASSERT_TRUE(memory.create_directories("d"));
  test(memory, "d");
  std::string folder = testing::TempDir() + "atalaya-map-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  test(*real_file_system(), folder);
  std::filesystem::remove_all(folder);
}

TEST(Map, ShowsTheBytesOfTheFileAlsoAfterItIsGoneOrReplaced) {
  on_each([](FileSystem& files, const std::string& folder) {
    const auto path = folder + "/a";
    ASSERT_TRUE(write_file_atomically(files, path, "first"));
    const auto first = files.map(path, MapSource::kAny).value();
    ASSERT_TRUE(write_file_atomically(files, path, "second"));
    const auto second = files.map(path, MapSource::kDevice).value();
    ASSERT_TRUE(files.remove(path));
    first->will_read(0, 100);
    first->will_read(100, 100);
    EXPECT_EQ(first->bytes(), "first");
    EXPECT_EQ(second->bytes(), "second");
    EXPECT_FALSE(second->failed());
  });
}

TEST(Map, AnEmptyFileIsNoBytes) {
  on_each([](FileSystem& files, const std::string& folder) {
    ASSERT_TRUE(files.open_append(folder + "/a"));
    EXPECT_EQ(files.map(folder + "/a", MapSource::kAny).value()->bytes(), "");
  });
}

TEST(Map, WhatIsNoFileIsRefused) {
  on_each([](FileSystem& files, const std::string& folder) {
    EXPECT_EQ(files.map(folder + "/none", MapSource::kAny).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(files.map(folder, MapSource::kAny).error().code, ErrorCode::kInvalidArgument);
  });
}

TEST(Map, WhatCannotBeReadAnyMoreIsZerosAndSaysSo) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::string path = testing::TempDir() + "atalaya-cut-XXXXXX";
  const Descriptor fd(::mkstemp(path.data()));
  ASSERT_TRUE(fd);
  std::filesystem::remove(path);
  const std::string bytes(3 * page, 'x');
  ASSERT_EQ(::write(fd.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  const auto cut = map_file(fd.get(), bytes.size(), path).value();
  const auto again = map_file(fd.get(), bytes.size(), path).value();
  ASSERT_EQ(::ftruncate(fd.get(), static_cast<off_t>(page)), 0);
  EXPECT_EQ(std::string(cut->bytes()), std::string(page, 'x') + std::string(2 * page, '\0'));
  EXPECT_TRUE(cut->failed());
  EXPECT_FALSE(again->failed()) << "another mapping has not looked yet";
  EXPECT_EQ(again->bytes()[2 * page], '\0');
  EXPECT_TRUE(again->failed());
}

TEST(MapDeathTest, ABusErrorOfSomebodyElseIsNotHidden) {
  const auto mapping = map_file(-1, 0, "").value();
  EXPECT_EXIT(
      {
        std::string path = testing::TempDir() + "atalaya-bus-XXXXXX";
        const Descriptor fd(::mkstemp(path.data()));
        std::filesystem::remove(path);
        if (::write(fd.get(), "x", 1) == 1) (void)map_file(fd.get(), 1, path);
        ::raise(SIGBUS);
        ::raise(SIGBUS);
      },
      [](int status) { return status != 0; }, "");
}

TEST(Link, IsASecondNameOfTheSameBytes) {
  on_each([](FileSystem& files, const std::string& folder) {
    ASSERT_TRUE(write_file_atomically(files, folder + "/a", "x"));
    ASSERT_TRUE(files.link(folder + "/a", folder + "/b"));
    ASSERT_TRUE(files.remove(folder + "/a"));
    EXPECT_EQ(read_file(files, folder + "/b").value(), "x");
    EXPECT_EQ(files.link(folder + "/a", folder + "/c").error().code, ErrorCode::kNotFound);
    EXPECT_EQ(files.link(folder + "/b", folder + "/none/c").error().code, ErrorCode::kNotFound);
    EXPECT_EQ(files.link(folder + "/b", folder + "/b").error().code, ErrorCode::kAlreadyExists);
    ASSERT_TRUE(files.create_directories(folder + "/sub"));
    EXPECT_EQ(files.link(folder + "/sub", folder + "/c").error().code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(files.exists(folder + "/c"));
  });
}

TEST(Link, IsDurableWithItsDirectoryAndTakesNoSpace) {
  MemoryFileSystem disk(10);
  ASSERT_TRUE(write_file_atomically(disk, "a", "12345678"));
  ASSERT_TRUE(disk.link("a", "b"));
  EXPECT_EQ(disk.free_bytes(".").value(), 2u);
  disk.power_cut();
  EXPECT_FALSE(disk.exists("b"));
  ASSERT_TRUE(disk.link("a", "b"));
  ASSERT_TRUE(disk.sync_directory("."));
  disk.power_cut();
  EXPECT_EQ(read_file(disk, "b").value(), "12345678");
}

TEST(MapAndLink, CanFail) {
  MemoryFileSystem disk;
  ASSERT_TRUE(write_file_atomically(disk, "a", "x"));
  FaultyFileSystem faulty(disk);
  faulty.arm(Fault::kIoError, 1);
  EXPECT_EQ(faulty.map("a", MapSource::kAny).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(faulty.map("a", MapSource::kAny).value()->bytes(), "x");
  faulty.arm(Fault::kNoSpace, 1);
  EXPECT_EQ(faulty.link("a", "b").error().code, ErrorCode::kResourceExhausted);
  EXPECT_FALSE(disk.exists("b"));
  EXPECT_TRUE(faulty.link("a", "b"));
}

}  // namespace
}  // namespace atalaya::io
