// The last exemplars of series: what a sample was an example of, such as a trace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "storage/series.h"

namespace atalaya::storage {

struct Exemplar {
  Labels labels;
  double value = 0;
  Time time;
  bool operator==(const Exemplar&) const = default;
};

/// Runes of an exemplar's labels, names and values, as OpenMetrics has it.
constexpr std::size_t kMaxExemplarRunes = 128;

/// Operation: the newest `capacity` exemplars of all tenants, in memory alone: a restart forgets them. A series' own
/// come in order of time; what is the same as its newest is passed over. About 200 bytes and its labels each.
/// Thread-safe. Borrows the querier, which knows the series' labels.
class Exemplars {
 public:
  /// Capacity 0: keeps none.
  Exemplars(const SeriesQuerier& series, std::size_t capacity) : series_(series), capacity_(capacity) {}

  /// True when it is kept, or was there already; false where exemplars are not kept, its labels are too long, it is
  /// older than the newest of its series, or nobody knows the series.
  bool add(const TenantId& tenant, SeriesId series, Exemplar exemplar);

  struct OfSeries {
    Labels series;
    std::vector<Exemplar> exemplars;  ///< by time
  };
  /// Of series that match one of the selectors, of the range (both ends included); series by labels.
  std::vector<OfSeries> select(const TenantId& tenant, const std::vector<Matchers>& selectors, TimeRange range) const;
  std::size_t size() const;

 private:
  using Key = std::pair<TenantId, std::uint64_t>;
  struct Entry {
    std::shared_ptr<const Labels> series;
    Key key;
    Exemplar exemplar;
  };
  struct Newest {
    std::size_t place = 0;  ///< in ring_
    std::size_t count = 0;  ///< of the series
  };

  const SeriesQuerier& series_;
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::vector<Entry> ring_;       ///< guarded by mutex_; grows up to the capacity
  std::size_t next_ = 0;          ///< guarded by mutex_; where the next one goes
  std::map<Key, Newest> newest_;  ///< guarded by mutex_
};

}  // namespace atalaya::storage
