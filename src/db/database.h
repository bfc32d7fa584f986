// The relational store: SQLite inside the data directory, PostgreSQL where users outgrow one
// machine. SQL with `?` parameters only; no SQL text is ever built from input.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace atalaya::db {

using Value = std::variant<std::monostate, std::int64_t, double, std::string>;

/// One row of an answer, by column position. A NULL reads as 0 or "".
class Row {
 public:
  explicit Row(std::vector<Value> values) : values_(std::move(values)) {}
  bool is_null(std::size_t column) const;
  std::int64_t integer(std::size_t column) const;
  double real(std::size_t column) const;
  const std::string& text(std::size_t column) const;
  std::size_t size() const { return values_.size(); }

 private:
  std::vector<Value> values_;
};

/// Statements run here; prepared ones are kept by text. Errors: conflict for a violated constraint,
/// unavailable for a busy, full or unreachable database, else internal.
class Session {
 public:
  virtual ~Session() = default;
  /// Number of rows changed.
  virtual Result<std::int64_t> execute(std::string_view sql, const std::vector<Value>& values = {}) = 0;
  virtual Result<std::vector<Row>> query(std::string_view sql, const std::vector<Value>& values = {}) = 0;
};

/// One step of the schema: numbered from 1 within its owner, run once, in order, for ever after
/// unchanged.
struct Migration {
  std::string owner;  ///< the library, e.g. "alerts"
  int number = 1;
  std::string sql;  ///< statements separated by ';', portable between SQLite and PostgreSQL
};

/// Thread-safe. Writers take turns, and those who waited commit together with one sync; `work` may then
/// run on another caller's thread. Readers run beside them and see the last commit. `work` uses only the
/// session it is given: calling the same database from inside it trips a check.
class Database {
 public:
  virtual ~Database() = default;
  virtual Status migrate(const std::vector<Migration>& migrations) = 0;
  /// Runs `work` in one transaction on the writing session: commits (durably) if it succeeds, rolls
  /// back if it fails. Blocks other writers; keep it short and do no I/O inside.
  virtual Status write(const std::function<Status(Session&)>& work) = 0;
  /// Runs `work` on a reading session: one snapshot for all its queries; writing fails.
  virtual Status read(const std::function<Status(Session&)>& work) = 0;
};

/// `path` of the SQLite file, or ":memory:". Write-ahead log, synchronous=FULL: a commit survives
/// a power cut.
Result<std::unique_ptr<Database>> open_sqlite(const std::string& path);

}  // namespace atalaya::db
