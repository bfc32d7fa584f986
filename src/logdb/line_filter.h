// Whether a line answers a query, and the best of those that do.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/logs.h"

namespace re2 {
class RE2;
}

namespace atalaya::logdb {

/// Text, expression and time of a query. Immutable.
class LineFilter {
 public:
  /// invalid_argument with RE2's words for a bad expression. `query` outlives the filter.
  static Result<LineFilter> make(const storage::LogQuery& query);
  bool accepts(Time time, std::string_view line) const;

 private:
  LineFilter(const storage::LogQuery& query, std::shared_ptr<const re2::RE2> text,
             std::shared_ptr<const re2::RE2> regex)
      : query_(&query), text_(std::move(text)), regex_(std::move(regex)) {}

  const storage::LogQuery* query_;
  std::shared_ptr<const re2::RE2> text_;   ///< null for any
  std::shared_ptr<const re2::RE2> regex_;  ///< null for any
};

/// Keeps the `limit` first lines in the wanted order. Order: time, then id. Thread-compatible.
class BestLines {
 public:
  BestLines(std::size_t limit, bool newest_first) : limit_(limit), newest_first_(newest_first) {}

  /// Whether a line of that time could still get in.
  bool wants(Time time) const;
  void add(storage::FoundLog line);
  /// In the wanted order.
  std::vector<storage::FoundLog> take();

 private:
  bool before(const storage::FoundLog& a, const storage::FoundLog& b) const;

  const std::size_t limit_;
  const bool newest_first_;
  std::vector<storage::FoundLog> heap_;  ///< the worst on top
};

}  // namespace atalaya::logdb
