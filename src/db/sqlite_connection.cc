#include "db/sqlite_connection.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <limits>

#include "base/check.h"

namespace atalaya::db {
namespace {

// Another process (a backup, the command line) may hold the file this long.
constexpr int kBusyTimeoutMs = 5000;

Error describe(const std::string& path, int code, int system_error, std::string_view detail) {
  const std::string name = path == ":memory:" ? "database in memory" : fmt::format("database {}", path);
  const std::string reason = system_error != 0 ? std::generic_category().message(system_error) : std::string(detail);
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT: return {ErrorCode::kConflict, fmt::format("{}: {}", name, detail), {}, {}};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::kUnavailable, fmt::format("{} is locked by another process", name), {}, "try again"};
    case SQLITE_FULL:
      return {ErrorCode::kUnavailable, fmt::format("{} cannot grow: the disk is full", name), {}, "free some space"};
    case SQLITE_CANTOPEN:
      return {ErrorCode::kUnavailable,
              fmt::format("{} cannot be opened: {}", name, reason),
              {},
              "check that the directory exists and may be written"};
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return {ErrorCode::kUnavailable,
              fmt::format("{} cannot be written", name),
              {},
              "check the permissions of the file and its directory"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorCode::kCorruption,
              fmt::format("{} is damaged: {}", name, detail),
              {},
              "move it aside and restore a backup"};
    case SQLITE_IOERR: return {ErrorCode::kUnavailable, fmt::format("{}: {}", name, reason), {}, "check the disk"};
    case SQLITE_TOOBIG: return {ErrorCode::kTooLarge, fmt::format("{}: {}", name, detail), {}, {}};
    default: return {ErrorCode::kInternal, fmt::format("{}: {}", name, detail), {}, {}};
  }
}

void bind_value(sqlite3_stmt* statement, int index, const Value& value) {
  int code = SQLITE_OK;
  if (const auto* i = std::get_if<std::int64_t>(&value)) {
    code = sqlite3_bind_int64(statement, index, *i);
  } else if (const auto* d = std::get_if<double>(&value)) {
    code = sqlite3_bind_double(statement, index, *d);
  } else if (const auto* s = std::get_if<std::string>(&value)) {
    // The caller's string outlives the step, so SQLite need not copy it.
    code = sqlite3_bind_text64(statement, index, s->data(), s->size(), SQLITE_STATIC, SQLITE_UTF8);
  } else {
    code = sqlite3_bind_null(statement, index);
  }
  // TOOBIG and NOMEM are left to the step, which then meets a NULL; every other answer is our mistake.
  AT_CHECK(code == SQLITE_OK || code == SQLITE_TOOBIG || code == SQLITE_NOMEM);
}

Value column_value(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER: return std::int64_t{sqlite3_column_int64(statement, column)};
    case SQLITE_FLOAT: return sqlite3_column_double(statement, column);
    case SQLITE_TEXT:
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
      return bytes == nullptr ? std::string() : std::string(bytes, size);
    }
    default: return std::monostate{};
  }
}

// Leaves a statement ready for its next use on every path out.
struct Reset {
  sqlite3_stmt* statement;
  ~Reset() {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
  }
};

}  // namespace

void SqliteConnection::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

SqliteConnection::~SqliteConnection() {
  statements_.clear();
  sqlite3_close(db_);
}

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const std::string& path, Mode mode) {
  if (mode == Mode::kWriter) {
    // Hashes of credentials are inside: for the owner's eyes. SQLite gives its log the same mode.
    if (const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); fd >= 0) ::close(fd);
  }
  sqlite3* db = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (mode == Mode::kReader ? 0 : SQLITE_OPEN_CREATE);
  const int code = sqlite3_open_v2(path.c_str(), &db, flags, nullptr);
  if (db == nullptr) return fail(ErrorCode::kInternal, fmt::format("database {}: out of memory", path));
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(path, db));
  if (code != SQLITE_OK) return connection->failure(code, "open");
  AT_TRY(connection->configure(mode));
  return connection;
}

Status SqliteConnection::configure(Mode mode) {
  sqlite3_extended_result_codes(db_, 1);
  sqlite3_busy_timeout(db_, kBusyTimeoutMs);
  // A person's file must not make us run code: no functions or virtual tables from the schema.
  sqlite3_db_config(db_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // "x" is an identifier and never a misspelt string.
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  AT_TRY(run_script("PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;"));
  if (mode == Mode::kReader) return run_script("PRAGMA query_only=ON; SELECT count(*) FROM sqlite_schema;");
  if (mode == Mode::kMemory) return {};
  // The log is cut back after a burst, so that it does not keep the disk space for ever (SqliteCopier copies it). The
  // pages of a storm fit into memory.
  return run_script(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=67108864;"
      "PRAGMA cache_size=-16384;"
      "SELECT count(*) FROM sqlite_schema;");
}

std::unexpected<Error> SqliteConnection::failure(int code, std::string_view context) const {
  Error error = describe(path_, code, sqlite3_system_errno(db_), sqlite3_errmsg(db_));
  if (error.code == ErrorCode::kInternal) error.message += fmt::format(" in '{}'", context.substr(0, 200));
  return std::unexpected(std::move(error));
}

Status SqliteConnection::run_script(const std::string& sql) {
  const int code = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failure(code, sql);
  return {};
}

Result<sqlite3_stmt*> SqliteConnection::prepare(std::string_view sql) {
  if (const auto found = statements_.find(sql); found != statements_.end()) return found->second.get();
  if (sql.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    return fail(ErrorCode::kTooLarge, "an SQL statement is longer than 2 GiB");
  }
  sqlite3_stmt* raw = nullptr;
  const char* tail = nullptr;
  const int code =
      sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw, &tail);
  Statement statement(raw);
  if (code != SQLITE_OK) return failure(code, sql);
  const std::string_view rest(tail, static_cast<std::size_t>(sql.data() + sql.size() - tail));
  if (raw == nullptr || rest.find_first_not_of(" \t\r\n;") != std::string_view::npos) {
    return fail(ErrorCode::kInternal, fmt::format("not exactly one SQL statement: '{}'", sql.substr(0, 200)));
  }
  if (statements_.size() >= kMaxStatements) statements_.clear();
  statements_.emplace(std::string(sql), std::move(statement));
  return raw;
}

Result<sqlite3_stmt*> SqliteConnection::bind(std::string_view sql, const std::vector<Value>& values) {
  // After a full disk SQLite may have rolled back by itself; statements that followed would then
  // commit one by one, half a transaction.
  if (in_transaction_ && sqlite3_get_autocommit(db_) != 0) {
    return fail(ErrorCode::kUnavailable, fmt::format("database {}: the transaction was rolled back", path_));
  }
  AT_TRY(sqlite3_stmt * statement, prepare(sql));
  const int expected = sqlite3_bind_parameter_count(statement);
  if (static_cast<std::size_t>(expected) != values.size()) {
    return fail(ErrorCode::kInternal,
                fmt::format("{} values for {} parameters in '{}'", values.size(), expected, sql.substr(0, 200)));
  }
  for (int i = 0; i < expected; ++i) bind_value(statement, i + 1, values[static_cast<std::size_t>(i)]);
  return statement;
}

Result<std::int64_t> SqliteConnection::execute(std::string_view sql, const std::vector<Value>& values) {
  AT_TRY(sqlite3_stmt * statement, bind(sql, values));
  const Reset reset{statement};
  const auto before = sqlite3_total_changes64(db_);
  int code = sqlite3_step(statement);
  while (code == SQLITE_ROW) code = sqlite3_step(statement);
  if (code != SQLITE_DONE) return failure(code, sql);
  // changes64 keeps the number of an earlier statement if this one was no INSERT, UPDATE or DELETE.
  return sqlite3_total_changes64(db_) == before ? 0 : std::int64_t{sqlite3_changes64(db_)};
}

Result<std::vector<Row>> SqliteConnection::query(std::string_view sql, const std::vector<Value>& values) {
  AT_TRY(sqlite3_stmt * statement, bind(sql, values));
  const Reset reset{statement};
  std::vector<Row> rows;
  const int columns = sqlite3_column_count(statement);
  int code = SQLITE_OK;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
    std::vector<Value> row;
    row.reserve(static_cast<std::size_t>(columns));
    for (int i = 0; i < columns; ++i) row.push_back(column_value(statement, i));
    rows.emplace_back(std::move(row));
  }
  if (code != SQLITE_DONE) return failure(code, sql);
  return rows;
}

Status SqliteConnection::transaction(std::string_view begin, const std::function<Status(Session&)>& work) {
  AT_TRY(execute(begin, {}));
  in_transaction_ = true;
  // Also when `work` throws: the connection goes back to others without a transaction left open.
  struct End {
    SqliteConnection& connection;
    bool committed = false;
    ~End() {
      connection.in_transaction_ = false;
      if (!committed && sqlite3_get_autocommit(connection.db_) == 0) (void)connection.execute("ROLLBACK", {});
    }
  } end{*this};
  AT_TRY(work(*this));
  AT_TRY(execute("COMMIT", {}));
  end.committed = true;
  return {};
}

void SqliteConnection::on_commit(std::function<void(int pages)> told) {
  on_commit_ = std::move(told);
  const auto hook = [](void* self, sqlite3*, const char*, int pages) {
    static_cast<SqliteConnection*>(self)->on_commit_(pages);
    return SQLITE_OK;
  };
  sqlite3_wal_hook(db_, hook, this);
}

Result<int> SqliteConnection::copy_log() {
  int pages = 0;
  const int code = sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_PASSIVE, &pages, nullptr);
  if (code != SQLITE_OK) return failure(code, "checkpoint");
  return pages;
}

Status SqliteConnection::savepoint(const std::function<Status(Session&)>& work) {
  AT_TRY(execute("SAVEPOINT one", {}));
  struct End {
    SqliteConnection& connection;
    bool keep = false;
    ~End() {
      if (!keep) (void)connection.execute("ROLLBACK TO one", {});
      (void)connection.execute("RELEASE one", {});
    }
  } end{*this};
  AT_TRY(work(*this));
  end.keep = true;
  return {};
}

}  // namespace atalaya::db
