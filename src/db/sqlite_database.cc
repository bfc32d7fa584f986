// One writer and a few readers over one SQLite file.
#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <utility>

#include "base/check.h"
#include "db/database.h"
#include "db/sqlite_connection.h"
#include "db/sqlite_copier.h"

namespace atalaya::db {
namespace {

constexpr std::size_t kMaxReaders = 4;

// `work` must use the session it is given: a second session on the same thread would wait for the
// first for ever, or see another state of the world.
thread_local const void* t_active = nullptr;

class Active {
 public:
  explicit Active(const void* database) : outer_(t_active) {
    AT_CHECK(t_active != database);
    t_active = database;
  }
  ~Active() { t_active = outer_; }
  Active(const Active&) = delete;
  Active& operator=(const Active&) = delete;

 private:
  const void* outer_;
};

Status apply(Session& session, SqliteConnection& connection, const Migration& migration) {
  if (auto status = connection.run_script(migration.sql); !status) {
    return fail_within(fmt::format("migration {} of {}", migration.number, migration.owner), status.error());
  }
  AT_TRY(session.execute("INSERT INTO schema_migrations(owner, number) VALUES(?, ?)",
                         {migration.owner, std::int64_t{migration.number}}));
  return {};
}

// Per owner: numbers 1, 2, 3 … in order; those at or below the stored number have run.
Status migrate_in(Session& session, SqliteConnection& connection, const std::vector<Migration>& migrations) {
  AT_TRY(
      session.execute("CREATE TABLE IF NOT EXISTS schema_migrations("
                      "owner TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY(owner, number))"));
  std::map<std::string, std::vector<const Migration*>> by_owner;
  for (const auto& migration : migrations) by_owner[migration.owner].push_back(&migration);
  for (auto& [owner, steps] : by_owner) {
    std::ranges::sort(steps, {}, &Migration::number);
    AT_TRY(auto rows, session.query("SELECT max(number) FROM schema_migrations WHERE owner=?", {owner}));
    const auto done = rows.empty() ? 0 : rows.front().integer(0);
    if (done > static_cast<std::int64_t>(steps.size())) {
      return fail(ErrorCode::kUnprocessable,
                  fmt::format("the tables of {} are at step {}, this version knows {}", owner, done, steps.size()),
                  "start the version that wrote them, or a newer one");
    }
    for (std::size_t i = 0; i < steps.size(); ++i) {
      AT_CHECK(steps[i]->number == static_cast<int>(i) + 1);
      if (steps[i]->number > done) AT_TRY(apply(session, connection, *steps[i]));
    }
  }
  return {};
}

/// Thread-safe. Concurrent writers commit in groups, on the thread of one of them. A database in memory has a single
/// connection, on which readers take turns with writers.
class SqliteDatabase final : public Database {
 public:
  SqliteDatabase(std::string path, std::unique_ptr<SqliteConnection> writer)
      : path_(std::move(path)), in_memory_(path_ == ":memory:"), writer_(std::move(writer)) {}

  Status start_copier() {
    if (in_memory_) return {};
    AT_TRY(auto connection, SqliteConnection::open(path_, SqliteConnection::Mode::kReader));
    copier_ = std::make_unique<SqliteCopier>(std::move(connection), writer_mutex_);
    writer_->on_commit([this](int pages) { copier_->grown(pages); });
    copier_->start();
    return {};
  }

  Status migrate(const std::vector<Migration>& migrations) override {
    return write([&](Session& session) { return migrate_in(session, *writer_, migrations); });
  }

  Status write(const std::function<Status(Session&)>& work) override {
    const Active active(this);
    Pending mine{&work};
    std::unique_lock lock(queue_mutex_);
    queue_.push_back(&mine);
    committed_.wait(lock, [&] { return mine.done || !leading_; });
    if (!mine.done) {
      leading_ = true;
      const auto batch = std::exchange(queue_, {});
      lock.unlock();
      commit(batch);
      lock.lock();
      for (auto* pending : batch) pending->done = true;
      leading_ = false;
      committed_.notify_all();
    }
    lock.unlock();
    if (mine.thrown) std::rethrow_exception(mine.thrown);
    return mine.status;
  }

  Status read(const std::function<Status(Session&)>& work) override {
    const Active active(this);
    if (in_memory_) {
      const std::lock_guard lock(writer_mutex_);
      const QueryOnly query_only(*writer_);
      return writer_->transaction("BEGIN", work);
    }
    Borrowed reader(*this);
    AT_TRY(reader.open());
    return reader->transaction("BEGIN", work);
  }

 private:
  /// A call of `write`, on the stack of the thread that waits in it.
  struct Pending {
    const std::function<Status(Session&)>* work;
    Status status;
    std::exception_ptr thrown;
    bool done = false;
  };

  static void run(Pending& pending, const std::function<Status()>& in) {
    try {
      pending.status = in();
    } catch (...) {
      pending.thrown = std::current_exception();
      pending.status = fail(ErrorCode::kInternal, "the work threw");
    }
  }

  // Who waited while the disk was busy commits together: one sync for all of them. Each keeps a
  // savepoint of its own, so that one failure does not undo the others.
  void commit(const std::vector<Pending*>& batch) {
    const std::lock_guard lock(writer_mutex_);
    if (batch.size() == 1) {
      auto& only = *batch.front();
      return run(only, [&] { return writer_->transaction("BEGIN IMMEDIATE", *only.work); });
    }
    const auto status = writer_->transaction("BEGIN IMMEDIATE", [&](Session&) -> Status {
      for (auto* pending : batch) run(*pending, [&] { return writer_->savepoint(*pending->work); });
      return {};
    });
    if (status) return;
    for (auto* pending : batch) {
      if (pending->status) pending->status = status;
    }
  }

  /// The one connection plays the part of a reader, who may not write.
  class QueryOnly {
   public:
    explicit QueryOnly(SqliteConnection& connection) : connection_(connection) {
      (void)connection_.execute("PRAGMA query_only=ON", {});
    }
    ~QueryOnly() { (void)connection_.execute("PRAGMA query_only=OFF", {}); }
    QueryOnly(const QueryOnly&) = delete;
    QueryOnly& operator=(const QueryOnly&) = delete;

   private:
    SqliteConnection& connection_;
  };

  /// A reader for the length of one call, also if that call throws.
  class Borrowed {
   public:
    explicit Borrowed(SqliteDatabase& database) : database_(database) {}
    ~Borrowed() {
      if (reader_) database_.give_back(std::move(reader_));
    }
    Borrowed(const Borrowed&) = delete;
    Borrowed& operator=(const Borrowed&) = delete;
    Status open() {
      AT_TRY(reader_, database_.borrow());
      return {};
    }
    SqliteConnection* operator->() const { return reader_.get(); }

   private:
    SqliteDatabase& database_;
    std::unique_ptr<SqliteConnection> reader_;
  };

  Result<std::unique_ptr<SqliteConnection>> borrow() {
    std::unique_lock lock(readers_mutex_);
    reader_free_.wait(lock, [&] { return !idle_.empty() || readers_ < kMaxReaders; });
    if (!idle_.empty()) {
      auto reader = std::move(idle_.back());
      idle_.pop_back();
      return reader;
    }
    auto reader = SqliteConnection::open(path_, SqliteConnection::Mode::kReader);
    if (reader) ++readers_;
    return reader;
  }

  void give_back(std::unique_ptr<SqliteConnection> reader) {
    {
      const std::lock_guard lock(readers_mutex_);
      idle_.push_back(std::move(reader));
    }
    reader_free_.notify_one();
  }

  const std::string path_;
  const bool in_memory_;

  std::mutex writer_mutex_;
  const std::unique_ptr<SqliteConnection> writer_;

  std::mutex queue_mutex_;
  std::condition_variable committed_;
  std::vector<Pending*> queue_;
  bool leading_ = false;  ///< somebody commits a batch

  std::mutex readers_mutex_;
  std::condition_variable reader_free_;
  std::vector<std::unique_ptr<SqliteConnection>> idle_;
  std::size_t readers_ = 0;

  std::unique_ptr<SqliteCopier> copier_;  ///< null in memory; ends first
};

}  // namespace

Result<std::unique_ptr<Database>> open_sqlite(const std::string& path) {
  const auto mode = path == ":memory:" ? SqliteConnection::Mode::kMemory : SqliteConnection::Mode::kWriter;
  AT_TRY(auto writer, SqliteConnection::open(path, mode));
  auto database = std::make_unique<SqliteDatabase>(path, std::move(writer));
  AT_TRY(database->start_copier());
  return database;
}

}  // namespace atalaya::db
