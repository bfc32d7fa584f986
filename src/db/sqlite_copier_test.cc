#include "db/sqlite_copier.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace atalaya::db {
namespace {

namespace fs = std::filesystem;

class SqliteCopierTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "atalaya-db-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    writer_ = open(SqliteConnection::Mode::kWriter);
    ASSERT_TRUE(writer_->execute("CREATE TABLE item(id INTEGER PRIMARY KEY, bytes TEXT)", {}));
    copier_ = std::make_unique<SqliteCopier>(open(SqliteConnection::Mode::kReader), writing_,
                                             CopyOptions{.pages = 50, .few = 4});
    writer_->on_commit([this](int pages) {
      pages_ = pages;
      copier_->grown(pages);
    });
  }
  void TearDown() override {
    copier_.reset();
    writer_.reset();
    fs::remove_all(directory_);
  }

  std::unique_ptr<SqliteConnection> open(SqliteConnection::Mode mode) {
    auto opened = SqliteConnection::open(path(), mode);
    EXPECT_TRUE(opened) << to_string(opened.error());
    return opened ? std::move(*opened) : nullptr;
  }
  std::string path() const { return directory_ + "/state.db"; }
  /// About a page each, a transaction each.
  void insert(int rows) {
    const std::lock_guard lock(writing_);
    for (int i = 0; i < rows; ++i) {
      ASSERT_TRUE(writer_->execute("INSERT INTO item(bytes) VALUES(?)", {std::string(3000, 'x')}));
    }
  }
  static std::int64_t count(SqliteConnection& connection) {
    const auto rows = connection.query("SELECT count(*) FROM item", {});
    return rows && rows->size() == 1 ? rows->front().integer(0) : -1;
  }

  std::string directory_;
  std::mutex writing_;
  std::unique_ptr<SqliteConnection> writer_;
  std::unique_ptr<SqliteCopier> copier_;
  int pages_ = 0;  ///< of the log, after the last commit
};

TEST_F(SqliteCopierTest, TheLogBeginsAnewWhenItIsCopied) {
  insert(100);
  const auto grown = pages_;
  ASSERT_GE(grown, 100);
  const auto before = fs::file_size(path());
  copier_->start();
  copier_->stop();
  EXPECT_GT(fs::file_size(path()), before + 90 * 4096);
  insert(1);
  EXPECT_LT(pages_, 10);
  EXPECT_EQ(count(*open(SqliteConnection::Mode::kReader)), 101);
}

TEST_F(SqliteCopierTest, AShortLogIsLeftAlone) {
  insert(10);
  const auto grown = pages_;
  const auto before = fs::file_size(path());
  copier_->start();
  copier_->stop();
  EXPECT_EQ(fs::file_size(path()), before);
  insert(1);
  EXPECT_GT(pages_, grown);
}

TEST_F(SqliteCopierTest, AReaderOfAnOldStateKeepsItAndTheLogGoesOn) {
  const auto reader = open(SqliteConnection::Mode::kReader);
  insert(10);
  ASSERT_TRUE(reader->execute("BEGIN", {}));
  EXPECT_EQ(count(*reader), 10);
  insert(100);
  const auto grown = pages_;
  copier_->start();
  copier_->stop();
  insert(1);
  EXPECT_GT(pages_, grown) << "the reader needs what is in the log";
  EXPECT_EQ(count(*reader), 10);
  ASSERT_TRUE(reader->execute("COMMIT", {}));
  EXPECT_EQ(count(*reader), 111);
}

TEST_F(SqliteCopierTest, WritersGoOnWhileItCopies) {
  copier_->start();
  for (int i = 0; i < 60; ++i) insert(10);
  copier_->stop();
  EXPECT_EQ(count(*writer_), 600);
  const auto whole = writer_->query("PRAGMA integrity_check", {});
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->front().text(0), "ok");
  insert(1);
  EXPECT_LT(pages_, 60) << "what was asked for last was done";
}

}  // namespace
}  // namespace atalaya::db
