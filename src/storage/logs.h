// What everybody may expect of a store of log lines.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "model/log_record.h"
#include "model/matcher.h"
#include "storage/position.h"
#include "storage/series.h"

namespace atalaya::storage {

struct LogBatch {
  std::vector<LogRecord> records;
  WriteOrigin origin;
};

struct CommittedLogs {
  const TenantId& tenant;
  LogPosition position;
  std::span<const LogRecord> records;
};
using LogsListener = std::function<void(const CommittedLogs&)>;

/// Thread-safe; same promises as SeriesAppender::append.
class LogAppender {
 public:
  virtual ~LogAppender() = default;
  virtual void append(const TenantId& tenant, LogBatch batch, AppendDone done) = 0;
  virtual std::uint64_t last_sequence(const TenantId& tenant, const std::string& source) const = 0;
};

/// As SamplesFeed, for log lines. Thread-safe.
class LogsFeed {
 public:
  virtual ~LogsFeed() = default;
  virtual void listen(LogsListener listener) = 0;
  virtual Status replay(LogPosition after, const LogsListener& listener) const = 0;
};

struct LogQuery {
  Matchers matchers;
  TimeRange range;
  std::string contains;  ///< case-insensitive text the line must hold; "" for any
  std::string regex;     ///< RE2, unanchored; "" for any
  std::size_t limit = 1000;
  bool newest_first = true;
};

struct FoundLog {
  std::uint64_t id = 0;  ///< stable while the record exists; grows with arrival
  LogRecord record;
};

/// Thread-safe.
class LogQuerier {
 public:
  virtual ~LogQuerier() = default;
  virtual Result<std::vector<FoundLog>> query(const TenantId& tenant, const LogQuery& query) const = 0;
  virtual std::vector<std::string> label_values(const TenantId& tenant, std::string_view name) const = 0;
  /// Label sets that match and may have lines in the range: cheap, from an index; none is missing.
  virtual std::vector<Labels> streams(const TenantId& tenant, const Matchers& matchers, TimeRange range) const = 0;
};

}  // namespace atalaya::storage
