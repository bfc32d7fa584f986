#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "db/database.h"

namespace atalaya::db {
namespace {

using testing::HasSubstr;
using Values = std::vector<Value>;

// Each behaviour holds for a file and in memory.
class Sqlite : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      std::string pattern = (std::filesystem::temp_directory_path() / "atalaya-db-XXXXXX").string();
      ASSERT_NE(mkdtemp(pattern.data()), nullptr);
      directory_ = pattern;
      path_ = directory_ + "/state.db";
    }
    auto opened = open_sqlite(path_);
    ASSERT_TRUE(opened) << to_string(opened.error());
    database_ = std::move(*opened);
    ASSERT_TRUE(
        database_->migrate({{"test", 1, "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT UNIQUE, size REAL)"}}));
  }
  void TearDown() override {
    database_.reset();
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }

  Status insert(std::int64_t id, std::string name) {
    return database_->write([&](Session& session) -> Status {
      AT_TRY(session.execute("INSERT INTO item(id, name) VALUES(?, ?)", {id, std::move(name)}));
      return {};
    });
  }
  std::int64_t count() {
    std::int64_t result = -1;
    EXPECT_TRUE(database_->read([&](Session& session) -> Status {
      AT_TRY(auto rows, session.query("SELECT count(*) FROM item"));
      result = rows.at(0).integer(0);
      return {};
    }));
    return result;
  }

  std::string directory_;
  std::string path_ = ":memory:";
  std::unique_ptr<Database> database_;
};
INSTANTIATE_TEST_SUITE_P(, Sqlite, testing::Bool(), [](const auto& p) { return p.param ? "File" : "Memory"; });

TEST_P(Sqlite, ValuesComeBackAsTheyWentIn) {
  const std::string odd("a\0b'\xff", 5);
  ASSERT_TRUE(database_->write([&](Session& session) -> Status {
    AT_TRY(session.execute("INSERT INTO item VALUES(?, ?, ?)", {INT64_MIN, odd, 0.25}));
    AT_TRY(session.execute("INSERT INTO item VALUES(?, ?, ?)", {1, std::monostate{}, std::monostate{}}));
    return {};
  }));
  ASSERT_TRUE(database_->read([&](Session& session) -> Status {
    AT_TRY(auto rows, session.query("SELECT id, name, size FROM item ORDER BY id"));
    EXPECT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows.at(0).integer(0), INT64_MIN);
    EXPECT_EQ(rows.at(0).text(1), odd);
    EXPECT_EQ(rows.at(0).real(2), 0.25);
    EXPECT_TRUE(rows.at(1).is_null(1));
    EXPECT_EQ(rows.at(1).text(1), "");
    EXPECT_EQ(rows.at(1).real(2), 0);
    EXPECT_TRUE(rows.at(1).is_null(7)) << "a column that is not there reads as NULL";
    return {};
  }));
}

TEST_P(Sqlite, ExecuteTellsHowManyRowsChanged) {
  ASSERT_TRUE(insert(1, "a"));
  ASSERT_TRUE(insert(2, "b"));
  ASSERT_TRUE(database_->write([&](Session& session) -> Status {
    EXPECT_EQ(session.execute("UPDATE item SET size=1").value(), 2);
    EXPECT_EQ(session.execute("UPDATE item SET size=2 WHERE id=?", Values{99}).value(), 0);
    EXPECT_EQ(session.execute("CREATE TABLE other(x INTEGER)").value(), 0);
    return {};
  }));
}

TEST_P(Sqlite, AFailedWriteLeavesNothingBehind) {
  const auto status = database_->write([&](Session& session) -> Status {
    AT_TRY(session.execute("INSERT INTO item(id) VALUES(1)"));
    return fail(ErrorCode::kCancelled, "changed my mind");
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "changed my mind");
  EXPECT_EQ(count(), 0);
  EXPECT_TRUE(insert(1, "free again"));
}

TEST_P(Sqlite, AThrowingWriteLeavesNothingBehind) {
  EXPECT_THROW((void)database_->write([&](Session& session) -> Status {
    AT_TRY(session.execute("INSERT INTO item(id) VALUES(1)"));
    throw std::runtime_error("out of memory, say");
  }),
               std::runtime_error);
  EXPECT_EQ(count(), 0);
  EXPECT_TRUE(insert(1, "free again"));
}

TEST_P(Sqlite, AThrowingReadGivesItsReaderBack) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_THROW((void)database_->read([](Session&) -> Status { throw std::runtime_error("x"); }), std::runtime_error);
  }
  EXPECT_EQ(count(), 0);
  EXPECT_TRUE(insert(1, "and may write again"));
}

TEST_P(Sqlite, AViolatedConstraintIsAConflict) {
  ASSERT_TRUE(insert(1, "same"));
  const auto status = insert(2, "same");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kConflict);
  EXPECT_THAT(status.error().message, HasSubstr("item.name"));
  EXPECT_EQ(count(), 1);
}

TEST_P(Sqlite, ForeignKeysAreEnforced) {
  ASSERT_TRUE(database_->migrate({{"child", 1, "CREATE TABLE child(item INTEGER REFERENCES item(id))"}}));
  const auto status = database_->write([](Session& session) -> Status {
    AT_TRY(session.execute("INSERT INTO child VALUES(?)", {77}));
    return {};
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kConflict);
}

TEST_P(Sqlite, AReaderMayNotWrite) {
  const auto status = database_->read([](Session& session) -> Status {
    AT_TRY(session.execute("INSERT INTO item(id) VALUES(1)"));
    return {};
  });
  EXPECT_FALSE(status);
  EXPECT_EQ(count(), 0);
}

TEST_P(Sqlite, WrongSqlNamesTheStatement) {
  const auto status = database_->read([](Session& session) -> Status {
    AT_TRY(session.query("SELECT nothing FROM nowhere"));
    return {};
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kInternal);
  EXPECT_THAT(status.error().message, HasSubstr("nowhere"));
}

TEST_P(Sqlite, TheNumberOfValuesMustMatch) {
  ASSERT_TRUE(database_->read([](Session& session) -> Status {
    EXPECT_FALSE(session.query("SELECT * FROM item WHERE id=?"));
    EXPECT_FALSE(session.query("SELECT * FROM item", Values{1}));
    EXPECT_TRUE(session.query("SELECT * FROM item WHERE id=?", Values{1}));
    return {};
  }));
}

TEST_P(Sqlite, ASecondStatementInOneTextIsRefused) {
  ASSERT_TRUE(insert(1, "a"));
  EXPECT_FALSE(database_->write([](Session& session) -> Status {
    AT_TRY(session.execute("SELECT 1; DELETE FROM item"));
    return {};
  }));
  EXPECT_EQ(count(), 1);
}

TEST_P(Sqlite, MigrationsRunOnceAndInOrder) {
  const Migration first{"m", 1, "CREATE TABLE m(x INTEGER); INSERT INTO m VALUES(1);"};
  const Migration second{"m", 2, "ALTER TABLE m ADD COLUMN y INTEGER; UPDATE m SET y = x + 1;"};
  ASSERT_TRUE(database_->migrate({first}));
  ASSERT_TRUE(database_->migrate({first}));
  ASSERT_TRUE(database_->migrate({second, first}));
  ASSERT_TRUE(database_->read([](Session& session) -> Status {
    AT_TRY(auto rows, session.query("SELECT x, y FROM m"));
    EXPECT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows.at(0).integer(1), 2);
    return {};
  }));
}

TEST_P(Sqlite, AMigrationThatFailsChangesNothing) {
  const auto status = database_->migrate({{"m", 1, "CREATE TABLE m(x INTEGER)"}, {"m", 2, "CREATE GARBAGE"}});
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("migration 2 of m"));
  EXPECT_TRUE(database_->migrate({{"m", 1, "CREATE TABLE m(x INTEGER)"}})) << "the table is not there yet";
}

TEST_P(Sqlite, TablesOfANewerVersionAreRefused) {
  const Migration first{"m", 1, "CREATE TABLE m(x INTEGER)"};
  ASSERT_TRUE(database_->migrate({first, {"m", 2, "CREATE TABLE m2(x INTEGER)"}}));
  const auto status = database_->migrate({first});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kUnprocessable);
}

TEST_P(Sqlite, AFullDatabaseRollsBackAndSaysSo) {
  const auto status = database_->write([](Session& session) -> Status {
    AT_TRY(session.query("PRAGMA max_page_count=16"));
    for (std::int64_t i = 0; i < 1000; ++i) {
      // The error of one statement is overlooked on purpose.
      (void)session.execute("INSERT INTO item(id, name) VALUES(?, ?)", {i, std::to_string(i) + std::string(2000, 'x')});
    }
    AT_TRY(session.execute("INSERT INTO item(id, name) VALUES(?, ?)", {1001, std::string(200000, 'x')}));
    return {};
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(count(), 0);
}

TEST_P(Sqlite, ManyThreadsMayWriteAndRead) {
  std::vector<std::thread> threads;
  std::atomic<int> failures = 0;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        if (!insert(t * 1000 + i, std::to_string(t) + "/" + std::to_string(i))) ++failures;
        if (count() <= i) ++failures;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(count(), 300);
}

TEST_P(Sqlite, OfConcurrentWritersEachKeepsOrLosesItsOwnRows) {
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 60; ++i) {
        const auto id = std::int64_t{t * 1000 + i};
        const auto work = [&](Session& session) -> Status {
          AT_TRY(session.execute("INSERT INTO item(id) VALUES(?)", {id}));
          if (i % 3 == 1) return fail(ErrorCode::kCancelled, std::to_string(id));
          if (i % 3 == 2) throw std::runtime_error(std::to_string(id));
          return {};
        };
        try {
          const auto status = database_->write(work);
          if (i % 3 == 2 || status.has_value() != (i % 3 == 0)) ++wrong;
          if (!status && status.error().message != std::to_string(id)) ++wrong;
        } catch (const std::runtime_error& error) {
          if (error.what() != std::to_string(id)) ++wrong;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(count(), 6 * 20);
  EXPECT_TRUE(database_->read([](Session& session) -> Status {
    AT_TRY(auto rows, session.query("SELECT count(*) FROM item WHERE id % 1000 % 3 <> 0"));
    EXPECT_EQ(rows.at(0).integer(0), 0);
    return {};
  }));
}

TEST_P(Sqlite, UsingTheDatabaseInsideItsOwnTransactionTripsACheck) {
  EXPECT_DEATH((void)database_->write([&](Session&) { return database_->read([](Session&) { return Status{}; }); }),
               "t_active");
}

class SqliteFile : public Sqlite {};
INSTANTIATE_TEST_SUITE_P(, SqliteFile, testing::Values(true), [](const auto&) { return "File"; });

TEST_P(SqliteFile, AReaderSeesTheLastCommitWhileAWriterIsAtWork) {
  ASSERT_TRUE(insert(1, "committed"));
  std::barrier both(2);
  std::thread writer([&] {
    EXPECT_TRUE(database_->write([&](Session& session) -> Status {
      AT_TRY(session.execute("INSERT INTO item(id) VALUES(2)"));
      both.arrive_and_wait();  // the row is there, uncommitted
      both.arrive_and_wait();  // the reader has looked
      return {};
    }));
  });
  both.arrive_and_wait();
  EXPECT_EQ(count(), 1);
  both.arrive_and_wait();
  writer.join();
  EXPECT_EQ(count(), 2);
}

TEST_P(SqliteFile, OneReadSeesOneSnapshot) {
  ASSERT_TRUE(insert(1, "before"));
  ASSERT_TRUE(database_->read([&](Session& session) -> Status {
    AT_TRY(auto before, session.query("SELECT count(*) FROM item"));
    std::thread([&] { EXPECT_TRUE(insert(2, "meanwhile")); }).join();
    AT_TRY(auto after, session.query("SELECT count(*) FROM item"));
    EXPECT_EQ(before.at(0).integer(0), after.at(0).integer(0));
    return {};
  }));
  EXPECT_EQ(count(), 2);
}

TEST_P(SqliteFile, WhatWasCommittedIsThereAfterReopening) {
  ASSERT_TRUE(insert(1, "kept"));
  database_.reset();
  database_ = open_sqlite(path_).value();
  EXPECT_EQ(count(), 1);
}

TEST_P(SqliteFile, TheFileIsForItsOwnerOnly) {
  ASSERT_TRUE(insert(1, "x"));
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat info{};
    ASSERT_EQ(stat((path_ + suffix).c_str(), &info), 0) << suffix;
    EXPECT_EQ(info.st_mode & 0777, 0600u) << suffix;
  }
}

TEST_P(SqliteFile, AFileThatIsNoDatabaseIsCorruption) {
  const std::string path = directory_ + "/other.db";
  std::ofstream(path) << std::string(8192, 'z');
  const auto opened = open_sqlite(path);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kCorruption);
  EXPECT_THAT(opened.error().message, HasSubstr(path));
  EXPECT_THAT(opened.error().remedy, HasSubstr("backup"));
}

TEST_P(SqliteFile, DamageInTheMiddleIsCorruptionAndNotACrash) {
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(insert(i, std::to_string(i) + std::string(500, 'x')));
  database_.reset();
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    for (int i = 0; i < 20; ++i) file << std::string(4096, '\xa5');
  }
  auto opened = open_sqlite(path_);
  Status status = opened ? (*opened)->read([](Session& session) -> Status {
    AT_TRY(session.query("SELECT * FROM item"));
    return {};
  })
                         : Status(std::unexpected(opened.error()));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kCorruption);
}

TEST_P(SqliteFile, ADirectoryThatIsNotThereIsNamed) {
  const auto opened = open_sqlite(directory_ + "/absent/state.db");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(opened.error().message, HasSubstr("absent/state.db cannot be opened: No such file or directory"));
}

TEST_P(SqliteFile, ADirectoryThatMayNotBeWrittenIsNamed) {
  // The superuser may write wherever the mode forbids it, but nobody can in /proc.
  const auto opened = open_sqlite("/proc/self/state.db");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(opened.error().message, HasSubstr("/proc/self/state.db cannot be opened"));
}

}  // namespace
}  // namespace atalaya::db
