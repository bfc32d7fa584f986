// One connection to a SQLite file, with its prepared statements.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "db/database.h"

struct sqlite3;
struct sqlite3_stmt;

namespace atalaya::db {

/// A Session that owns its connection. Thread-compatible: whoever borrows it is alone with it.
/// At most `kMaxStatements` prepared statements are kept; beyond that all are dropped at once, which
/// only a caller that builds SQL text will ever see.
class SqliteConnection final : public Session {
 public:
  enum class Mode { kWriter, kReader, kMemory };
  static constexpr std::size_t kMaxStatements = 512;

  static Result<std::unique_ptr<SqliteConnection>> open(const std::string& path, Mode mode);
  ~SqliteConnection() override;
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  Result<std::int64_t> execute(std::string_view sql, const std::vector<Value>& values) override;
  Result<std::vector<Row>> query(std::string_view sql, const std::vector<Value>& values) override;

  /// Statements separated by ';', without parameters.
  Status run_script(const std::string& sql);
  /// `begin`, then `work`, then COMMIT if it succeeded, else ROLLBACK.
  Status transaction(std::string_view begin, const std::function<Status(Session&)>& work);
  /// Told after each commit how many pages the write-ahead log has; SQLite copies none of them by itself from then on.
  /// Nothing may be done with the connection meanwhile.
  void on_commit(std::function<void(int pages)> told);
  /// Copies as much of the write-ahead log into the file as readers allow, without keeping anybody from writing: the
  /// log's pages at that moment.
  Result<int> copy_log();
  /// Within a transaction: what `work` did is undone, and nothing else, if it fails or throws.
  Status savepoint(const std::function<Status(Session&)>& work);

 private:
  SqliteConnection(std::string path, sqlite3* db) : path_(std::move(path)), db_(db) {}

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

  Status configure(Mode mode);
  Result<sqlite3_stmt*> prepare(std::string_view sql);
  Result<sqlite3_stmt*> bind(std::string_view sql, const std::vector<Value>& values);
  /// The connection's last error in words; `context` is the statement that met it.
  std::unexpected<Error> failure(int code, std::string_view context) const;

  const std::string path_;
  sqlite3* const db_;
  bool in_transaction_ = false;
  std::function<void(int pages)> on_commit_;
  std::unordered_map<std::string, Statement, TextHash, std::equal_to<>> statements_;
};

}  // namespace atalaya::db
