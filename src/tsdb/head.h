// All series of all tenants in memory, and the index that finds them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "storage/series.h"
#include "tsdb/memory_series.h"

namespace atalaya::tsdb {

struct HeadLimits {
  std::size_t max_series_per_tenant = 1'000'000;
  std::size_t max_labels_per_series = 64;
  std::size_t max_label_name_bytes = 256;
  std::size_t max_label_value_bytes = 4096;
};

/// The series of one tenant. Ids count from 1 and are never reused. A series without samples for a
/// retention is retired: out of the index and of the limit's count, but its id stays good and the
/// next sample brings it back. Thread-compatible.
class TenantHead {
 public:
  /// 0 when there is none.
  std::uint64_t find(const Labels& labels) const;
  /// resource_exhausted when `limits` leave no room.
  Result<std::uint64_t> add(const Labels& labels, const HeadLimits& limits, Time now);
  /// Null for an unknown id.
  MemorySeries* series(std::uint64_t id) { return id == 0 || id > all_.size() ? nullptr : all_[id - 1].series.get(); }
  const MemorySeries* series(std::uint64_t id) const { return const_cast<TenantHead*>(this)->series(id); }
  bool is_live(std::uint64_t id) const { return all_[id - 1].live; }
  void touch(std::uint64_t id, Time now);

  /// Ids in the index that match, ascending.
  Result<std::vector<std::uint64_t>> matching(const Matchers& matchers) const;
  std::vector<std::string> label_names(const Matchers& matchers) const;
  std::vector<std::string> label_values(std::string_view name, const Matchers& matchers) const;

  /// Forgets samples before `cutoff`, retires what has none left.
  void drop_before(Time cutoff);
  std::size_t live() const { return live_; }
  std::size_t memory_bytes() const;

 private:
  using Postings = std::vector<std::uint64_t>;
  struct Slot {
    std::unique_ptr<MemorySeries> series;
    bool live = true;
  };
  void index(std::uint64_t id);
  void unindex(std::uint64_t id);
  Result<Postings> candidates(const Matchers& matchers) const;
  bool all_match(const Matchers& matchers, std::uint64_t id) const;

  std::vector<Slot> all_;  ///< by id − 1
  std::unordered_multimap<std::uint64_t, std::uint64_t> by_hash_;
  std::map<std::string, std::map<std::string, Postings, std::less<>>, std::less<>> postings_;
  std::size_t live_ = 0;
};

/// Pure: no files, no clock, no threads. Thread-compatible.
class Head {
 public:
  explicit Head(HeadLimits limits) : limits_(limits) {}

  Result<SeriesId> resolve(const TenantId& tenant, const Labels& labels, Time now);
  /// Id of the series, made without regard to limits: what the log holds was within them once.
  std::uint64_t restore(const TenantId& tenant, const Labels& labels, Time now);
  TenantHead* tenant(const TenantId& tenant);
  const TenantHead* tenant(const TenantId& tenant) const { return const_cast<Head*>(this)->tenant(tenant); }

  Result<std::vector<storage::SelectedSeries>> select(const TenantId& tenant, const Matchers& matchers,
                                                      storage::TimeRange range) const;
  void drop_before(Time cutoff);
  std::size_t live() const;
  std::size_t memory_bytes() const;

 private:
  const HeadLimits limits_;
  std::map<TenantId, TenantHead> tenants_;
};

}  // namespace atalaya::tsdb
