#include "io/file_system.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "io/errno.h"
#include "io/memory_file_system.h"

namespace atalaya::io {
namespace {

/// Both file systems keep the same promises; each test runs on both.
class FileSystems : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      files_ = std::make_unique<MemoryFileSystem>();
      root_ = "/data";
    } else {
      files_ = real_file_system();
      auto pattern = (std::filesystem::temp_directory_path() / "atalaya-io-XXXXXX").string();
      ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
      root_ = pattern;
    }
    ASSERT_TRUE(files_->create_directories(root_));
  }
  void TearDown() override { EXPECT_TRUE(files_->remove_all(root_)); }

  std::string at(const std::string& name) const { return root_ + "/" + name; }
  std::unique_ptr<File> make(const std::string& name, std::string_view bytes) {
    auto file = files_->open_append(at(name)).value();
    EXPECT_TRUE(file->append(bytes));
    return file;
  }

  std::unique_ptr<FileSystem> files_;
  std::string root_;
};

TEST_P(FileSystems, AppendedBytesAreReadBackFromAnyOffset) {
  const auto file = make("a", "hello ");
  ASSERT_TRUE(file->append("world"));
  EXPECT_EQ(file->size(), 11u);
  EXPECT_EQ(file->read(0, 100).value(), "hello world");
  EXPECT_EQ(file->read(6, 3).value(), "wor");
  EXPECT_EQ(file->read(11, 3).value(), "");
  EXPECT_EQ(file->read(50, SIZE_MAX / 2).value(), "");
}

TEST_P(FileSystems, OpeningForAppendKeepsWhatIsThere) {
  make("a", "one");
  const auto again = make("a", "two");
  EXPECT_EQ(again->read(0, 100).value(), "onetwo");
}

TEST_P(FileSystems, TruncateShortensAndAppendGoesOnFromThere) {
  const auto file = make("a", "0123456789");
  ASSERT_TRUE(file->truncate(4));
  ASSERT_TRUE(file->append("x"));
  EXPECT_EQ(file->read(0, 100).value(), "0123x");
}

TEST_P(FileSystems, AnAbsentFileIsNotFoundWithItsPath) {
  const auto file = files_->open_read(at("absent"));
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::kNotFound);
  EXPECT_NE(file.error().message.find(at("absent")), std::string::npos);
  EXPECT_EQ(files_->open_append(at("no/such/dir")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files_->remove(at("absent")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files_->list(at("absent")).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(files_->remove_all(at("absent")));
}

TEST_P(FileSystems, ADirectoryIsListedByName) {
  make("b", "12");
  make("a", "");
  ASSERT_TRUE(files_->create_directories(at("c/d")));
  const auto entries = files_->list(root_).value();
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].name, "a");
  EXPECT_EQ(entries[1].name, "b");
  EXPECT_EQ(entries[1].size_bytes, 2u);
  EXPECT_TRUE(entries[2].is_directory);
  EXPECT_FALSE(entries[1].is_directory);
}

TEST_P(FileSystems, RenameReplacesTheTarget) {
  make("old", "1");
  make("new", "2");
  ASSERT_TRUE(files_->rename(at("new"), at("old")));
  EXPECT_FALSE(files_->exists(at("new")));
  EXPECT_EQ(read_file(*files_, at("old")).value(), "2");
}

TEST_P(FileSystems, ARemovedFileStaysReadableForWhoHasItOpen) {
  const auto file = make("a", "still");
  ASSERT_TRUE(files_->remove(at("a")));
  EXPECT_EQ(file->read(0, 10).value(), "still");
  EXPECT_FALSE(files_->exists(at("a")));
}

TEST_P(FileSystems, ADirectoryWithFilesIsNotRemovedSingly) {
  ASSERT_TRUE(files_->create_directories(at("d")));
  make("d/a", "1");
  EXPECT_FALSE(files_->remove(at("d")));
  EXPECT_TRUE(files_->exists(at("d/a")));
  EXPECT_TRUE(files_->remove_all(at("d")));
  EXPECT_FALSE(files_->exists(at("d")));
}

TEST_P(FileSystems, ALockIsHeldUntilItsObjectDies) {
  auto held = files_->lock(at("lock"));
  ASSERT_TRUE(held);
  EXPECT_EQ(files_->lock(at("lock")).error().code, ErrorCode::kConflict);
  held->reset();
  EXPECT_TRUE(files_->lock(at("lock")));
}

TEST_P(FileSystems, AFileAboveTheLimitIsTooLarge) {
  make("a", "12345");
  EXPECT_EQ(read_file(*files_, at("a"), 5).value(), "12345");
  EXPECT_EQ(read_file(*files_, at("a"), 4).error().code, ErrorCode::kTooLarge);
}

TEST_P(FileSystems, AnAtomicWriteReplacesTheWholeFileAndLeavesNothingBeside) {
  make("a", "old and long");
  make("a.new", "left by a crash");
  ASSERT_TRUE(write_file_atomically(*files_, at("a"), "new"));
  EXPECT_EQ(read_file(*files_, at("a")).value(), "new");
  EXPECT_EQ(files_->list(root_).value().size(), 1u);
}

TEST_P(FileSystems, FreeSpaceIsKnown) { EXPECT_GT(files_->free_bytes(root_).value(), 0u); }

INSTANTIATE_TEST_SUITE_P(All, FileSystems, testing::Bool(),
                         [](const auto& chosen) { return chosen.param ? "memory" : "real"; });

TEST(RealFileSystem, NewFilesBelongToTheirOwnerAlone) {
  const auto files = real_file_system();
  auto pattern = (std::filesystem::temp_directory_path() / "atalaya-io-XXXXXX").string();
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  ASSERT_TRUE(files->create_directories(pattern + "/d"));
  ASSERT_TRUE(write_file_atomically(*files, pattern + "/d/key", "secret"));
  struct stat status{};
  ASSERT_EQ(::stat((pattern + "/d/key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat((pattern + "/d").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  ASSERT_TRUE(files->remove_all(pattern));
}

TEST(RealFileSystem, FilesOfProcAreReadThoughTheirSizeIsZero) {
  EXPECT_GT(read_file(*real_file_system(), "/proc/self/status").value().size(), 100u);
}

TEST(RealFileSystem, ReadingADirectoryIsAnErrorNotEmptiness) {
  EXPECT_EQ(read_file(*real_file_system(), "/tmp").error().code, ErrorCode::kInvalidArgument);
}

TEST(ParentPath, IsTheDirectoryOfAPath) {
  EXPECT_EQ(parent_path("a"), ".");
  EXPECT_EQ(parent_path("/a"), "/");
  EXPECT_EQ(parent_path("/a/b"), "/a");
  EXPECT_EQ(parent_path("a/b/c"), "a/b");
}

TEST(RealFileSystem, APipeIsRefusedInsteadOfWaitedFor) {
  std::string pattern = "/tmp/atalaya-io-XXXXXX";
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  const auto pipe = pattern + "/pipe.yaml";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const auto files = real_file_system();
  const auto text = read_file(*files, pipe);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::kInvalidArgument);
  EXPECT_FALSE(text.error().remedy.empty());
  ASSERT_TRUE(files->remove_all(pattern));
}

TEST(Errno, AFullDiskIsTheServersStateWithARemedy) {
  const auto full = fail_errno(ENOSPC, "write", "/data/x").error();
  EXPECT_EQ(full.code, ErrorCode::kUnavailable);
  EXPECT_FALSE(full.remedy.empty());
}

}  // namespace
}  // namespace atalaya::io
