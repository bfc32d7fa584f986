// Standing PromQL queries of browsers: which of them a batch of samples touches, and their values.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "promql/engine.h"
#include "storage/series.h"

namespace atalaya::api {

/// Equal queries of one tenant are evaluated once for all their subscribers, at the time of the
/// newest sample that touched them and at most once in `kPause`. Thread-safe.
class LiveQueries {
 public:
  /// One subscription; `deliver` is called without locks held, with a JSON array: an instant vector.
  struct Subscriber {
    std::uint64_t session = 0;
    std::string id;
    std::function<void(Time at, const std::string& result)> deliver;
  };
  static constexpr Duration kPause{200};
  static constexpr std::size_t kMaxQueries = 2000;

  explicit LiveQueries(const storage::SeriesQuerier& series) : series_(series) {}

  /// `lookback` bounds how old a sample may be to count as current. The errors are the parser's.
  Status subscribe(const TenantId& tenant, const std::string& text, Duration lookback, Subscriber subscriber);
  /// How many subscriptions ended.
  std::size_t unsubscribe(std::uint64_t session, const std::string& id);
  std::size_t drop(std::uint64_t session);

  /// Marks the queries that read one of these series.
  void touch(const TenantId& tenant, const std::vector<SeriesId>& series, Time newest);
  /// Evaluates what is marked and has paused long enough. Returns whether something stays marked.
  bool evaluate(Steady now);
  std::size_t size() const;

 private:
  struct Query {
    TenantId tenant;
    Duration lookback;
    promql::ExpressionPtr expression;
    std::vector<Matchers> selectors;
    std::vector<Subscriber> subscribers;
    Time newest{};
    bool marked = false;
    Steady evaluated{};
  };
  using Watchers = std::unordered_map<SeriesId, std::vector<Query*>>;

  const std::vector<Query*>& watchers_of(const TenantId& tenant, SeriesId id);
  template <typename Predicate>
  std::size_t erase(Predicate predicate);
  std::string run(const Query& query) const;

  const storage::SeriesQuerier& series_;
  mutable std::mutex mutex_;
  // Guarded by mutex_. Queries by tenant, text and lookback; watchers are rebuilt when the set changes.
  std::map<std::tuple<TenantId, std::string, Duration>, std::shared_ptr<Query>> queries_;
  std::unordered_map<TenantId, Watchers> watchers_;
};

}  // namespace atalaya::api
